import { setTimeout as sleep } from 'node:timers/promises'
import { append, createStream, defining } from '../../helpers/stream-calls.ts'
import { encodeFrame, OP, WireClient, type WireMap } from '../../helpers/wire-client.ts'
import { SYNCHRONOUS_STREAM } from './victims.ts'

/** What the streams for neighbours are called. */
const BIG_STREAM = 'neighbours, filled'
const BUSY_STREAM = 'neighbours, busy'
const EMPTY_STREAM = 'neighbours, empty'

const MIB = 1024 * 1024
const BIG_MESSAGES = 60_000
const FILL_AT_A_TIME = 200
/** What ListStreams has to tell. */
const OTHER_STREAMS = 300

const IDLE = 1_000
const BUSY = 100
const BUSY_PERIOD_MS = 100
/** Requests of one that takes no answers, before it gives up and comes again. */
const DEAF_REQUESTS = 2_000
const DEAF_STAY_MS = 500
const WAITING_READS = 200

/** Somebody beside whom others work. */
export interface Neighbour {
  readonly title: string
  /** Goes on until `isOver`. */
  run(port: number, isOver: () => boolean): Promise<void>
}

/** The streams that neighbours need; once, before anybody comes. */
export async function prepareStreams(port: number): Promise<void> {
  const client = await WireClient.connect({ port })
  for (const name of [BIG_STREAM, BUSY_STREAM, EMPTY_STREAM]) await createStream(client, name)
  for (let count = 0; count < OTHER_STREAMS; count++) await createStream(client, `neighbours, other ${count}`)
  const payload = Buffer.alloc(1_024, 'z')
  for (let count = 0; count < BIG_MESSAGES; count += FILL_AT_A_TIME)
    await Promise.all(Array.from({ length: FILL_AT_A_TIME }, () => append(client, BIG_STREAM, payload)))
  await client.close()
}

async function connectMany(port: number, count: number): Promise<WireClient[]> {
  const clients: WireClient[] = []
  while (clients.length < count)
    clients.push(...(await Promise.all(Array.from({ length: 50 }, () => WireClient.connect({ port })))))
  return clients
}

/** One client that does the same again as soon as it is answered. */
function again(title: string, action: (client: WireClient) => Promise<unknown>): Neighbour {
  return {
    title,
    async run(port, isOver) {
      const client = await WireClient.connect({ port })
      while (!isOver()) await action(client)
      client.reset()
    }
  }
}

/** One client that asks and asks and takes no answer; after a while it comes anew. */
function deaf(title: string, operation: number, map: WireMap): Neighbour {
  return {
    title,
    async run(port, isOver) {
      while (!isOver()) {
        const client = await WireClient.connect({ port })
        client.pauseReading()
        for (let count = 0; count < DEAF_REQUESTS && !isOver(); count += 1) {
          client.send(encodeFrame(operation, { requestId: `r${count}`, ...map }))
          // What the server does not take waits in this process.
          if (client.socket.writableNeedDrain) break
        }
        await sleep(DEAF_STAY_MS)
        client.reset()
      }
    }
  }
}

const reading = (streamName: string, readMessagesOptions: WireMap): WireMap => ({ streamName, readMessagesOptions })

let visits = 0

export const NEIGHBOURS: Readonly<Record<string, Neighbour>> = {
  idle: {
    title: `${IDLE} idle connections`,
    async run(port, isOver) {
      const clients = await connectMany(port, IDLE)
      while (!isOver()) await sleep(10)
      for (const client of clients) client.reset()
    }
  },
  busy: {
    title: `${BUSY} clients, each appending 10 times a second`,
    async run(port, isOver) {
      const work = async (client: WireClient): Promise<void> => {
        while (!isOver()) {
          await append(client, BUSY_STREAM, Buffer.alloc(1_024, 'y'))
          await sleep(BUSY_PERIOD_MS * (0.5 + Math.random()))
        }
        client.reset()
      }
      await Promise.all((await connectMany(port, BUSY)).map(work))
    }
  },
  'deaf-appends': deaf('appends without taking the answers', OP.appendMessage, {
    name: BUSY_STREAM,
    payload: Buffer.alloc(1_024, 'd')
  }),
  'deaf-reads': deaf(
    'reads of 5,000 messages without taking them',
    OP.readMessages,
    reading(BIG_STREAM, { maxMessageCount: 5_000 })
  ),
  'deaf-lists': deaf('ListStreams without taking the answers', OP.listStreams, {}),
  'deaf-describes': deaf('DescribeMessageStream without taking the answers', OP.describeMessageStream, {
    name: BIG_STREAM
  }),
  'slow-frame': {
    title: 'a frame of 1 GiB, byte by byte',
    async run(port, isOver) {
      const client = await WireClient.connect({ port })
      client.send(Buffer.from([0x40, 0, 0, 0, OP.appendMessage]))
      while (!isOver()) {
        client.send(Buffer.of(0xa3))
        await sleep(1)
      }
      client.reset()
    }
  },
  polls: again('polls of an empty stream in a loop', (client) =>
    client.request(OP.readMessages, reading(EMPTY_STREAM, { desiredStartSequenceNumber: 0 }))
  ),
  'large-reads': again('reads of 60,000 messages in a loop', (client) =>
    client.request(OP.readMessages, reading(BIG_STREAM, { maxMessageCount: BIG_MESSAGES }))
  ),
  'large-appends': again('appends of 1 MiB in a loop', (client) => append(client, BUSY_STREAM, Buffer.alloc(MIB, 'l'))),
  definitions: again('a stream created and deleted in a loop', async (client) => {
    const name = `neighbours, short-lived ${process.pid} ${(visits += 1)}`
    await client.request(OP.createMessageStream, defining(name))
    await client.request(OP.deleteMessageStream, { name })
  }),
  'waiting-reads': again(`${WAITING_READS} reads at a time that wait for a million messages`, (client) => {
    const options = { minMessageCount: 1_000_000, maxMessageCount: 1_000_000, readTimeoutMillis: 200 }
    const ask = (): Promise<unknown> => client.request(OP.readMessages, reading(SYNCHRONOUS_STREAM, options))
    return Promise.all(Array.from({ length: WAITING_READS }, ask))
  }),
  connects: {
    title: 'connects and leaves in a loop',
    async run(port, isOver) {
      while (!isOver()) await (await WireClient.connect({ port })).close()
    }
  }
}
