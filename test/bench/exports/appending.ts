import type { Appender } from '../peers/peer.ts'
import { frameCountFor } from '../peers/peer.ts'
import { streamManager } from '../peers/stream-manager.ts'
import { percentile } from '../statistics.ts'

const IN_FLIGHT = 128
/** Appends of the steady load, per interval. */
const BURST = 5

function frameOf(appender: Appender, index: number): Buffer {
  const bytes = appender.frames.length / appender.frameCount
  const slot = index % appender.frameCount
  return appender.frames.subarray(slot * bytes, (slot + 1) * bytes)
}

function openAppender(port: number, stream: string, payload: Buffer): Promise<Appender> {
  const streams = Array<string>(frameCountFor(IN_FLIGHT, payload.length)).fill(stream)
  return streamManager.openAppender(port, streams, payload)
}

/** Fills a stream as fast as the server takes it. */
export async function fill(port: number, stream: string, payload: Buffer, count: number): Promise<void> {
  const appender = await openAppender(port, stream, payload)
  await new Promise<void>((resolve) => {
    // The appender has appended one message to see the answer.
    let sent = 1
    let acknowledged = 1
    const send = (): void => {
      while (sent < count && sent - acknowledged < IN_FLIGHT) appender.socket.write(frameOf(appender, sent++))
      if (acknowledged === count) resolve()
    }
    appender.socket.on('data', (chunk: Buffer) => {
      acknowledged += appender.countAcknowledgements(chunk)
      send()
    })
    send()
  })
  appender.socket.destroy()
}

/** Gives each of many streams one message, `rounds` times over. */
export async function fillStreams(
  port: number,
  streams: readonly string[],
  payload: Buffer,
  rounds: number
): Promise<void> {
  for (let done = 0; done < streams.length; done += IN_FLIGHT) {
    await fillSome(port, streams.slice(done, done + IN_FLIGHT), payload, rounds)
  }
}

async function fillSome(port: number, streams: readonly string[], payload: Buffer, rounds: number): Promise<void> {
  const appender = await streamManager.openAppender(port, streams, payload)
  for (let round = 0; round < rounds; round += 1) {
    const answered = new Promise<void>((resolve) => {
      let left = streams.length
      const take = (chunk: Buffer): void => {
        left -= appender.countAcknowledgements(chunk)
        if (left > 0) return
        appender.socket.off('data', take)
        resolve()
      }
      appender.socket.on('data', take)
    })
    appender.socket.write(appender.frames)
    await answered
  }
  appender.socket.destroy()
}

/** Latencies of appends that come at a steady rate, microseconds. */
export interface AppendLatency {
  readonly appends: number
  readonly p50Us: number
  readonly p99Us: number
  readonly p999Us: number
  readonly maxUs: number
}

/** Appends at a rate that does not depend on the answers, until it is stopped. */
export interface SteadyLoad {
  stop(): Promise<AppendLatency>
}

/**
 * Each append is timed from its write; one that had to be held back, because the server owes too many answers, from the
 * moment at which it was due. A server that stands still does not get fewer questions.
 */
export async function startSteadyLoad(
  port: number,
  stream: string,
  payload: Buffer,
  perSecond: number
): Promise<SteadyLoad> {
  const appender = await openAppender(port, stream, payload)
  const dueMs: number[] = []
  const latenciesUs: number[] = []
  let acknowledged = 0
  appender.socket.on('data', (chunk: Buffer) => {
    const nowMs = performance.now()
    for (let count = appender.countAcknowledgements(chunk); count > 0; count -= 1) {
      latenciesUs.push((nowMs - dueMs[acknowledged++]!) * 1000)
    }
  })
  const intervalMs = (BURST * 1000) / perSecond
  let nextMs = performance.now()
  let isHeldBack = false
  const timer = setInterval(() => {
    const nowMs = performance.now()
    // An id may be used again once its request is answered.
    while (nextMs <= nowMs && dueMs.length + BURST - acknowledged <= appender.frameCount) {
      for (let index = 0; index < BURST; index += 1) {
        appender.socket.write(frameOf(appender, dueMs.length))
        dueMs.push(isHeldBack ? nextMs : nowMs)
      }
      nextMs += intervalMs
    }
    isHeldBack = nextMs <= nowMs
  }, 1)
  return {
    async stop() {
      clearInterval(timer)
      const patienceMs = performance.now() + 5_000
      while (acknowledged < dueMs.length && performance.now() < patienceMs) {
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
      appender.socket.destroy()
      const samples = Float64Array.from(latenciesUs)
      return {
        appends: samples.length,
        p50Us: percentile(samples, 0.5),
        p99Us: percentile(samples, 0.99),
        p999Us: percentile(samples, 0.999),
        maxUs: percentile(samples, 1)
      }
    }
  }
}
