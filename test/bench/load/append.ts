import { appendStreams, type Job, makePayload, PEERS, type Sample, type Work } from '../job.ts'
import { type Appender, frameCountFor } from '../peers/peer.ts'
import { createMeter, measureFor, type Meter } from './meter.ts'

type Target = NonNullable<Job['target']>

/** Keeps `inFlight` requests under way on one connection: every acknowledgement is followed by a new request. */
function keepAppending(appender: Appender, inFlight: number, meter: Meter): void {
  const { frameCount, socket } = appender
  const frameBytes = appender.frames.length / frameCount
  const sentAtMs = new Float64Array(frameCount)
  let sent = 0
  let acknowledged = 0
  const send = (count: number): void => {
    const nowMs = performance.now()
    for (let left = count; left > 0;) {
      const slot = sent % frameCount
      const run = Math.min(left, frameCount - slot)
      sentAtMs.fill(nowMs, slot, slot + run)
      socket.write(appender.frames.subarray(slot * frameBytes, (slot + run) * frameBytes))
      sent += run
      left -= run
    }
  }
  socket.on('data', (chunk: Buffer) => {
    const count = appender.countAcknowledgements(chunk)
    const nowMs = performance.now()
    for (let index = 0; index < count; index += 1) meter.addLatency(nowMs - sentAtMs[acknowledged++ % frameCount]!)
    meter.add(count)
    send(count)
  })
  send(inFlight)
}

/** Appends as fast as they are acknowledged; the requests of all connections go to the streams in turn. */
export async function runAppend(work: Extract<Work, { kind: 'append' }>, job: Job, target: Target): Promise<Sample> {
  const { connections, inFlight, payloadBytes } = work
  const meter = createMeter(target.pid, job.seconds)
  const payload = makePayload(payloadBytes)
  const streams = appendStreams(work.streams)
  const frameCount = frameCountFor(inFlight, payloadBytes)
  const appenders = await Promise.all(
    Array.from({ length: connections }, (_, connection) => {
      const streamOf = (slot: number): string => streams[(slot * connections + connection) % streams.length]!
      const names = Array.from({ length: frameCount }, (_, slot) => streamOf(slot))
      return PEERS[target.peer].openAppender(target.port, names, payload)
    })
  )
  for (const appender of appenders) keepAppending(appender, inFlight, meter)
  return measureFor(meter, job)
}

const BURST = 10
const STEADY_IN_FLIGHT_MAX = 256

/**
 * Appends at a steady rate. Each is timed from its write; one that had to be held back, because the server owed too many
 * answers, from the moment at which it was due: a server that stands still does not get fewer questions.
 */
export async function startSteadyAppends(perSecond: number, target: Target, meter: Meter): Promise<void> {
  const payload = makePayload()
  const streams = Array<string>(STEADY_IN_FLIGHT_MAX).fill(appendStreams(1)[0]!)
  const appender = await PEERS[target.peer].openAppender(target.port, streams, payload)
  const frameBytes = appender.frames.length / appender.frameCount
  const dueMs = new Float64Array(appender.frameCount)
  let sent = 0
  let acknowledged = 0
  appender.socket.on('data', (chunk: Buffer) => {
    const count = appender.countAcknowledgements(chunk)
    const nowMs = performance.now()
    for (let index = 0; index < count; index += 1) meter.addLatency(nowMs - dueMs[acknowledged++ % dueMs.length]!)
    meter.add(count)
  })
  const intervalMs = (BURST * 1000) / perSecond
  let nextMs = performance.now()
  let isHeldBack = false
  setInterval(() => {
    const nowMs = performance.now()
    while (nextMs <= nowMs && sent + BURST - acknowledged <= appender.frameCount) {
      for (let index = 0; index < BURST; index += 1) {
        const slot = sent++ % appender.frameCount
        dueMs[slot] = isHeldBack ? nextMs : nowMs
        appender.socket.write(appender.frames.subarray(slot * frameBytes, (slot + 1) * frameBytes))
      }
      nextMs += intervalMs
    }
    isHeldBack = nextMs <= nowMs
  }, 1)
}
