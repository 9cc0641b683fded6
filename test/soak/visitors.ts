import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from '../../component/base/random.ts'
import { append, createStream, defining, describeStream, read, succeed } from '../helpers/stream-calls.ts'
import { encodeFrame, OP, WireClient } from '../helpers/wire-client.ts'

/** Clients that come and go beside the steady traffic; each returns when it has gone. */
type Visit = (port: number, random: Random) => Promise<void>

/** A well-behaved program with a short life: a stream from its creation to its deletion. */
const shortLife: Visit = async (port, random) => {
  const client = await WireClient.connect({ port })
  const name = `visitor ${Math.floor(random.fraction() * 1e9)}`
  const persistence = random.fraction() < 0.3 ? 1 : 0
  await createStream(client, name, { persistence, maxSize: 65_536, streamSegmentSize: 4_096 })
  // A full disk refuses some: the traffic counts those.
  const payload = random.bytes(500)
  await Promise.all(Array.from({ length: 20 }, () => client.request(OP.appendMessage, { name, payload })))
  await client.request(OP.updateMessageStream, defining(name, { persistence, maxSize: 32_768 }))
  // On a full disk each refused append may have cost a segment, and at last all of them.
  const { oldestSequenceNumber, newestSequenceNumber } = (await describeStream(client, name)).storageStatus
  if (oldestSequenceNumber <= newestSequenceNumber) await read(client, name, { maxMessageCount: 100 })
  await succeed(client, OP.deleteMessageStream, { name })
  await client.close()
}

const garbage: Visit = async (port, random) => {
  const client = await WireClient.connect({ port, handshake: random.fraction() < 0.5 })
  client.send(random.bytes(1 + Math.floor(random.fraction() * 2_000)))
  await sleep(200)
  client.reset()
}

/** Announces a frame of 1 GiB and sends it byte by byte. */
const slowFrame: Visit = async (port) => {
  const client = await WireClient.connect({ port })
  client.send(Buffer.from([0x40, 0, 0, 0, OP.appendMessage]))
  for (let count = 0; count < 50; count++) {
    client.send(Buffer.of(count))
    await sleep(50)
  }
  client.reset()
}

/** Asks for much and reads nothing. */
const deaf: Visit = async (port) => {
  const client = await WireClient.connect({ port })
  client.pauseReading()
  for (let count = 0; count < 20; count++) {
    client.send(
      encodeFrame(OP.readMessages, {
        requestId: `r${count}`,
        streamName: 'kept',
        readMessagesOptions: { maxMessageCount: 5_000 }
      })
    )
  }
  await sleep(5_000)
  client.reset()
}

/** Goes while its read waits. */
const impatient: Visit = async (port) => {
  const client = await WireClient.connect({ port })
  client.send(
    encodeFrame(OP.readMessages, {
      requestId: 'w',
      streamName: 'kept',
      readMessagesOptions: { desiredStartSequenceNumber: 1e9, readTimeoutMillis: 600_000 }
    })
  )
  await sleep(100)
  client.reset()
}

/** A message of 4 MiB into the memory stream, whole or cut off. */
const large: Visit = async (port, random) => {
  const client = await WireClient.connect({ port })
  if (random.fraction() < 0.5) await append(client, 'large', Buffer.alloc(4 * 1024 * 1024, 'large'))
  else client.send(encodeFrame(OP.appendMessage, { name: 'large', payload: Buffer.alloc(3_000_000) }).subarray(0, 2e6))
  await sleep(50)
  client.reset()
}

const VISITS: readonly Visit[] = [shortLife, shortLife, shortLife, garbage, slowFrame, deaf, impatient, large]

/** Lets visitors come, about one a second, until `stop` resolves with their number. */
export async function startVisitors(
  port: number,
  random: Random,
  fail: (problem: string) => void
): Promise<() => Promise<number>> {
  const host = await WireClient.connect({ port })
  await createStream(host, 'large', { persistence: 1, maxSize: 16 * 1024 * 1024, streamSegmentSize: 8 * 1024 * 1024 })
  const present = new Set<Promise<void>>()
  let count = 0
  const timer = setInterval(() => {
    const visit = VISITS[Math.floor(random.fraction() * VISITS.length)]!
    count += 1
    const going = visit(port, random)
      .catch((error: unknown) => fail(`a visitor: ${String(error)}`))
      .finally(() => present.delete(going))
    present.add(going)
  }, 1_000)
  return async () => {
    clearInterval(timer)
    await Promise.all(present)
    await host.close()
    return count
  }
}
