import { type Job, makePayload, PEERS, READ_STREAM, type Sample, type Work } from '../job.ts'
import type { Reader, Reading } from '../peers/peer.ts'
import { startSteadyAppends } from './append.ts'
import { createMeter, measureFor, type Meter } from './meter.ts'

type Target = NonNullable<Job['target']>

/** One is answered while the next one travels. */
const READS_IN_FLIGHT = 2

function openReader(target: Target, reading: Reading & { readonly stream?: string }): Promise<Reader> {
  const { openReader: open } = PEERS[target.peer]
  if (open === undefined) throw new Error(`${target.peer} cannot be read`)
  return open(target.port, reading.stream ?? READ_STREAM, makePayload(), reading)
}

/** Reads until `requestsMax` requests have been answered, and calls `onEnd` then. */
function keepReading(
  reader: Reader,
  requestsMax: number,
  onBatch: (messages: number, latencyMs: number) => void,
  onEnd?: () => void
): void {
  const sentAtMs: number[] = []
  let sent = 0
  let answered = 0
  let messagesLeft = 0
  const send = (count: number): void => {
    for (let index = 0; index < count && sent < requestsMax; index += 1) {
      sent += 1
      sentAtMs.push(performance.now())
      reader.socket.write(reader.nextRequest())
    }
  }
  reader.socket.on('data', (chunk: Buffer) => {
    const { messages, batches } = reader.feed(chunk)
    messagesLeft += messages
    if (batches === 0) return
    const nowMs = performance.now()
    for (let index = 0; index < batches; index += 1) {
      onBatch(index === 0 ? messagesLeft : 0, nowMs - sentAtMs.shift()!)
    }
    messagesLeft = 0
    answered += batches
    send(batches)
    if (answered === requestsMax) onEnd?.()
  })
  send(READS_IN_FLIGHT)
}

function countInto(meter: Meter): (messages: number, latencyMs: number) => void {
  return (messages, latencyMs) => {
    meter.add(messages)
    meter.addLatency(latencyMs)
  }
}

/** Reads a stream over and over for a time, or each message once. */
export async function runRead(work: Extract<Work, { kind: 'read' }>, job: Job, target: Target): Promise<Sample> {
  if (work.isOnePass) return readOnce(work, target)
  const meter = createMeter(target.pid, job.seconds)
  keepReading(await openReader(target, work), Infinity, countInto(meter))
  return measureFor(meter, job)
}

async function readOnce(reading: Extract<Work, { kind: 'read' }>, target: Target): Promise<Sample> {
  const meter = createMeter(target.pid, undefined)
  const reader = await openReader(target, reading)
  meter.begin()
  await new Promise<void>((resolve) =>
    keepReading(reader, Math.floor(reading.stored / reading.batch), countInto(meter), resolve)
  )
  return meter.finish()
}

/** Measures appends at a steady rate, with reads at full speed beside them or without. */
export async function runSteady(work: Extract<Work, { kind: 'steady' }>, job: Job, target: Target): Promise<Sample> {
  const meter = createMeter(target.pid, job.seconds)
  if (work.reads !== undefined) {
    const reader = await openReader(target, work.reads)
    keepReading(reader, Infinity, (messages) => meter.addBeside(messages))
  }
  await startSteadyAppends(work.appendsPerSecond, target, meter)
  return measureFor(meter, job)
}
