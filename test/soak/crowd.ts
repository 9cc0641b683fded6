/**
 * What a crowd costs a well-behaved client: `npm run crowd`. A client appends at a steady pace, first alone, then
 * beside idle, busy, deaf, slow and polling ones; prints its waits and the memory of the server.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { makeOwnBuild } from '../helpers/own-build.ts'
import { memoryOf } from '../helpers/process-memory.ts'
import { startServer } from '../helpers/server-process.ts'
import { append, createStream } from '../helpers/stream-calls.ts'
import { encodeFrame, OP, WireClient } from '../helpers/wire-client.ts'

const PHASE_MS = 8_000
const IDLE = 1_000
const BUSY = 100
/** Each busy client appends so often. */
const BUSY_PERIOD_MS = 500

const build = await makeOwnBuild()
const server = await startServer({ bundle: build.path })
const connect = (): Promise<WireClient> => WireClient.connect({ port: server.port })
const victim = await connect()
await createStream(victim, 'own')
await createStream(victim, 'crowd')
await createStream(victim, 'empty')
let isOver = false
const crowd: Promise<void>[] = []

async function connectMany(count: number): Promise<WireClient[]> {
  const clients: WireClient[] = []
  while (clients.length < count) clients.push(...(await Promise.all(Array.from({ length: 50 }, connect))))
  return clients
}

async function measure(what: string): Promise<void> {
  const waits: number[] = []
  const endMs = performance.now() + PHASE_MS
  while (performance.now() < endMs) {
    await sleep(4)
    const startMs = performance.now()
    await append(victim, 'own', 'x'.repeat(200))
    waits.push(performance.now() - startMs)
  }
  waits.sort((left, right) => left - right)
  const at = (share: number): string => waits[Math.floor(waits.length * share)]!.toFixed(2)
  const { residentMiB, peakMiB } = memoryOf(server.pid)
  console.log(
    `${what.padEnd(44)} p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, resident ${residentMiB} MiB, at most ${peakMiB} MiB`
  )
}

async function whileNotOver(action: () => Promise<unknown>, periodMs: number): Promise<void> {
  while (!isOver) {
    await action()
    await sleep(periodMs)
  }
}

await measure('warming up')
await measure('alone')
const idle = await connectMany(IDLE)
await measure(`beside ${IDLE} idle connections`)

const busy = await connectMany(BUSY)
for (const client of busy) crowd.push(whileNotOver(() => append(client, 'crowd', 'y'.repeat(500)), BUSY_PERIOD_MS))
await measure(`and ${BUSY} busy ones`)

const deaf = await connect()
deaf.pauseReading()
for (let count = 0; count < 200; count++) {
  const readMessagesOptions = { maxMessageCount: 5_000 }
  deaf.send(encodeFrame(OP.readMessages, { requestId: `r${count}`, streamName: 'crowd', readMessagesOptions }))
}
await measure('and one that never reads')

const slow = await connect()
slow.send(Buffer.from([0x40, 0, 0, 0, OP.appendMessage]))
const sendByte = (): Promise<void> => {
  slow.send(Buffer.of(0xa3))
  return Promise.resolve()
}
crowd.push(whileNotOver(sendByte, 1))
await measure('and one that sends 1 GiB byte by byte')

const polling = await connect()
const poll = { streamName: 'empty', readMessagesOptions: { desiredStartSequenceNumber: 0 } }
crowd.push(whileNotOver(() => polling.request(OP.readMessages, poll), 0))
await measure('and one that polls an empty stream')

isOver = true
for (const client of [deaf, slow]) client.reset()
await Promise.allSettled(crowd)
for (const client of [...idle, ...busy, polling]) client.reset()
await measure('alone again')
await server.dispose()
build.remove()
process.exit(0)
