import { DATA_FOLDER, type Fleet, type Load } from './compare.ts'
import { KIB, MIB, PAYLOAD_BYTES, type Work } from './job.ts'
import type { Reading } from './peers/peer.ts'
import { bareEcho, type Entrant, nats, redis, streamManager } from './servers.ts'
import { SLOW_SYNC_MS } from './slow-sync.ts'

/** Which columns a table has. */
export type Shape = 'throughput' | 'latency'

/** One table: the same loads for all servers of each fleet. */
export interface CompareScenario {
  readonly name: string
  readonly title: string
  readonly shape: Shape
  /** What the loads differ in; undefined when there is one. */
  readonly axis?: string
  readonly fleets: readonly Fleet[]
  readonly note?: string
}

const PEERS_BY_DEFAULT: readonly Entrant[] = [streamManager(), nats(), redis('everysec')]
const STEADY_APPENDS_PER_SECOND = 5_000

function appends(changes: Partial<Extract<Work, { kind: 'append' }>>, label = ''): Load {
  const usual = { kind: 'append', connections: 4, inFlight: 64, payloadBytes: PAYLOAD_BYTES, streams: 1 } as const
  return { label, work: { ...usual, ...changes } }
}

function reads(batch: number, stored: number, isOnePass = false): Load {
  return { label: batch.toLocaleString('en-GB'), work: { kind: 'read', batch, stored, isOnePass } }
}

function sdk(label: string, operation: 'append' | 'read', inFlight: number, batch = 1, stored = 1): Load {
  return { label, work: { kind: 'sdk', operation, inFlight, batch, stored } }
}

const FLUSH_LOADS = [
  appends({ connections: 1, inFlight: 1 }, '1 × 1'),
  appends({ connections: 16, inFlight: 1 }, '16 × 1'),
  appends({}, '4 × 64')
]

/** Each load in a fleet of its own: what one leaves in memory must not count for the next. */
function oneFleetEach(entrants: readonly Entrant[], loads: readonly Load[]): Fleet[] {
  return loads.map((load) => ({ entrants, loads: [load] }))
}

/** The first scenario's fleet among others. */
function pipelinedAs(label: string): Fleet {
  return { entrants: PEERS_BY_DEFAULT, loads: [appends({}, label)], sameAs: 'pipelined' }
}

function steady(label: string, reading?: Reading): Load {
  return { label, work: { kind: 'steady', appendsPerSecond: STEADY_APPENDS_PER_SECOND, reads: reading } }
}

/** @param stored messages in a stream before it is read; they fit into every server's page cache */
export const compareScenarios = (stored: number): readonly CompareScenario[] => [
  {
    name: 'pipelined',
    title: 'Pipelined appends: 4 connections, 64 in flight on each, 1 KiB',
    shape: 'throughput',
    fleets: [{ entrants: PEERS_BY_DEFAULT, loads: [appends({})] }],
    note: 'JetStream with file storage and its default of a sync every two minutes; Redis Streams with appendfsync everysec; File streams without flushOnWrite, which are synced every second.'
  },
  {
    name: 'synchronous',
    title: 'One synchronous client: 1 connection, 1 in flight, 1 KiB',
    shape: 'throughput',
    fleets: [{ entrants: [...PEERS_BY_DEFAULT, bareEcho], loads: [appends({ connections: 1, inFlight: 1 })] }],
    note: 'The echo is a few lines of Node.js that read as many bytes and write as many: what no server in Node.js can beat.'
  },
  {
    name: 'sizes',
    title: 'Pipelined appends by payload: 4 connections, 64 in flight on each, 4 at 1 MiB',
    shape: 'throughput',
    axis: 'payload',
    fleets: [
      ...oneFleetEach(PEERS_BY_DEFAULT, [appends({ payloadBytes: 100 }, '100 B')]),
      pipelinedAs('1 KiB'),
      ...oneFleetEach(PEERS_BY_DEFAULT, [
        appends({ payloadBytes: 16 * KIB }, '16 KiB'),
        appends({ payloadBytes: MIB, inFlight: 4 }, '1 MiB')
      ])
    ]
  },
  {
    name: 'connections',
    title: 'Pipelined appends by connections: 64 in flight on each, 1 KiB',
    shape: 'throughput',
    axis: 'connections',
    fleets: [
      ...oneFleetEach(PEERS_BY_DEFAULT, [appends({ connections: 1 }, '1')]),
      pipelinedAs('4'),
      ...oneFleetEach(PEERS_BY_DEFAULT, [appends({ connections: 64 }, '64')])
    ]
  },
  {
    name: 'flush',
    title: 'Appends acknowledged after a sync, 1 KiB',
    shape: 'throughput',
    axis: 'connections × in flight',
    fleets: [
      {
        entrants: [
          streamManager('stream-manager, flushOnWrite'),
          nats({ syncAlways: true, label: 'nats-server, sync always' }),
          redis('always', 'redis-server, always')
        ],
        stream: { flush: true },
        loads: FLUSH_LOADS,
        baseline: {
          label: 'one fdatasync per message',
          load: { label: '1 × 1', work: { kind: 'fdatasync', folder: DATA_FOLDER } }
        }
      }
    ],
    note: 'The last row has no server: one file, a write and an fdatasync for each message. JetStream has such a mode from NATS 2.10 on and is left out before.'
  },
  {
    name: 'slow-flush',
    title: `Appends acknowledged after a sync that takes ${SLOW_SYNC_MS} ms longer, as on a memory card, 1 KiB`,
    shape: 'throughput',
    axis: 'connections × in flight',
    fleets: [
      {
        entrants: [
          streamManager('stream-manager, flushOnWrite', { isSlow: true }),
          redis('always', 'redis-server, always', { isSlow: true })
        ],
        stream: { flush: true },
        loads: FLUSH_LOADS,
        baseline: {
          label: 'one fdatasync per message',
          load: { label: '1 × 1', work: { kind: 'fdatasync', folder: DATA_FOLDER, delayMs: SLOW_SYNC_MS } }
        }
      }
    ],
    note: 'A library that is preloaded into the servers delays each fsync and fdatasync; the last row waits as long before its own.'
  },
  {
    name: 'memory',
    title: 'Pipelined appends to memory: 4 connections, 64 in flight on each, 1 KiB',
    shape: 'throughput',
    fleets: [
      {
        entrants: [
          streamManager('stream-manager, Memory'),
          nats({ label: 'nats-server, memory storage' }),
          redis('none', 'redis-server, no file')
        ],
        stream: { inMemory: true },
        loads: [appends({})]
      }
    ]
  },
  {
    name: 'streams',
    title:
      'Pipelined appends by number of streams, which they go to in turn: 4 connections, 64 in flight on each, 1 KiB',
    shape: 'throughput',
    axis: 'streams',
    fleets: oneFleetEach(
      [streamManager()],
      [1, 100, 1_000].map((streams) => appends({ streams }, String(streams)))
    ),
    note: 'Appends that arrive together are written with one system call per stream: with many streams there is less to share.'
  },
  {
    name: 'read',
    title: 'Reads by messages per request: 1 connection, 2 requests under way, 1 KiB, warm',
    shape: 'throughput',
    axis: 'per request',
    fleets: [{ entrants: PEERS_BY_DEFAULT, stored, loads: [1, 10, 100, 1_000].map((batch) => reads(batch, stored)) }],
    note: 'Latency is that of a request. Redis keeps all messages in memory, the others read them from files in the page cache.'
  },
  {
    name: 'read-cold',
    title: `Reads from the disk: ${stored.toLocaleString('en-GB')} messages of 1 KiB once, after a restart with nothing in the page cache`,
    shape: 'throughput',
    axis: 'per request',
    fleets: [
      {
        entrants: [streamManager(), nats()],
        stored,
        isCold: true,
        loads: [reads(100, stored, true), reads(1_000, stored, true)]
      }
    ],
    note: 'Compilers are cold too. Redis has no such case: it loads everything before it answers.'
  },
  {
    name: 'append-while-reading',
    title: `${STEADY_APPENDS_PER_SECOND.toLocaleString('en-GB')} appends/s of 1 KiB, with and without reads of 1,000 messages at full speed`,
    shape: 'latency',
    axis: 'beside',
    fleets: [
      {
        entrants: PEERS_BY_DEFAULT,
        stored,
        loads: [steady('nothing'), steady('reads', { batch: 1_000, stored })]
      }
    ],
    note: 'Latency is that of the appends, which come at a fixed rate. One process makes both loads, so its reading adds to the latency of the appends.'
  },
  {
    name: 'sdk',
    title: 'The official client library as client: aws-greengrass-core-sdk for JavaScript, 1 connection, 1 KiB',
    shape: 'throughput',
    axis: 'calls',
    fleets: [
      {
        entrants: [streamManager()],
        stored,
        loads: [
          sdk('appendMessage, 1 at a time', 'append', 1),
          sdk('appendMessage, 64 at a time', 'append', 64),
          sdk('readMessages of 100, 1 at a time', 'read', 1, 100, stored)
        ]
      }
    ],
    note: 'The client is the limit. It writes each request in two parts with the delay of Nagle’s algorithm switched on: one call at a time waits for the delayed acknowledgement of TCP, some 40 ms, whatever the server does. Latency is that of a call.'
  }
]
