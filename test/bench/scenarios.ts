import { bareEcho, type Candidate, nats, redisWith, streamManager } from './servers.ts'

/** A question to all servers: the same load on each of them. */
export interface Scenario {
  readonly name: string
  readonly title: string
  readonly servers: readonly Candidate[]
  readonly load:
    { readonly kind: 'append'; readonly connections: number; readonly inFlight: number } | { readonly kind: 'read' }
  /** Appends are acknowledged after a sync. */
  readonly flush?: boolean
  /** Also measure one fdatasync per message without any server. */
  readonly withFdatasync?: boolean
  readonly note?: string
}

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'pipelined',
    title: 'Pipelined appends: 4 connections, 64 in flight each, 1 KiB',
    servers: [streamManager, nats, redisWith('everysec')],
    load: { kind: 'append', connections: 4, inFlight: 64 },
    note: 'NATS JetStream with file storage and its default sync interval; Redis Streams with appendfsync everysec.'
  },
  {
    name: 'synchronous',
    title: 'One synchronous client: 1 connection, 1 in flight, 1 KiB',
    servers: [streamManager, nats, redisWith('everysec'), bareEcho],
    load: { kind: 'append', connections: 1, inFlight: 1 }
  },
  {
    name: 'flush',
    title: 'Appends acknowledged after a sync: 16 connections, 1 in flight each, 1 KiB',
    servers: [streamManager, redisWith('always')],
    load: { kind: 'append', connections: 16, inFlight: 1 },
    flush: true,
    withFdatasync: true,
    note: 'Redis with appendfsync always. NATS before 2.10 has no such mode and is left out.'
  },
  {
    name: 'read',
    title: 'Reads of 1,000 messages per request, 2 in flight, 1 KiB, while 5,000 messages/s are appended',
    servers: [streamManager, nats, redisWith('everysec')],
    load: { kind: 'read' },
    note: 'Latency is that of a batch. CPU per message includes the appends. The reader, not the server, may be the limit.'
  }
]
