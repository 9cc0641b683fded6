import type { Clock, Timer } from '../base/clock.ts'
import type { Rate } from './report.ts'

/** Something that grows, by the key of who makes it grow. */
export interface Sample {
  readonly key: string
  readonly messages: number
  readonly bytes: number
}

/** Looks at what grows every five seconds, and tells how fast it has grown. */
export interface Rates {
  messages(key: string, now: number): Rate
  bytes(key: string, now: number): Rate
  stop(): void
}

const INTERVAL_MS = 5_000
const SHORT_MS = 10_000
const LONG_MS = 60_000
/** Samples of the last minute, and the one at its beginning. */
const SAMPLES = LONG_MS / INTERVAL_MS + 1

/** The samples of one key; `since` is the tick of its first one. */
interface Series {
  readonly since: number
  readonly messages: Float64Array
  readonly bytes: Float64Array
}

/** @param collect everything that grows at present; what is missing is forgotten */
export function createRates(clock: Clock, collect: () => Iterable<Sample>): Rates {
  const times = new Float64Array(SAMPLES)
  let series = new Map<string, Series>()
  /** Samples taken so far. */
  let ticks = 0
  let timer: Timer

  const sample = (): void => {
    const place = ticks % SAMPLES
    times[place] = clock.monotonicMs()
    const kept = new Map<string, Series>()
    for (const { key, messages, bytes } of collect()) {
      const known = series.get(key) ?? {
        since: ticks,
        messages: new Float64Array(SAMPLES),
        bytes: new Float64Array(SAMPLES)
      }
      known.messages[place] = messages
      known.bytes[place] = bytes
      kept.set(key, known)
    }
    series = kept
    ticks += 1
    timer = clock.after(INTERVAL_MS, sample)
  }
  sample()

  /** Compared with the newest sample that is old enough, else with the oldest one. */
  const rateOver = (known: Series, values: Float64Array, now: number, ageMs: number): number => {
    const nowMs = clock.monotonicMs()
    const first = Math.max(known.since, ticks - SAMPLES)
    let tick = ticks - 1
    while (tick > first && nowMs - (times[tick % SAMPLES] ?? 0) < ageMs) tick -= 1
    const elapsedMs = nowMs - (times[tick % SAMPLES] ?? 0)
    const grown = now - (values[tick % SAMPLES] ?? 0)
    return elapsedMs <= 0 ? 0 : Math.max(0, (grown * 1_000) / elapsedMs)
  }

  const rate = (key: string, kind: 'messages' | 'bytes', now: number): Rate => {
    const known = series.get(key)
    if (known === undefined) return { over10s: 0, over1m: 0 }
    const values = known[kind]
    return { over10s: rateOver(known, values, now, SHORT_MS), over1m: rateOver(known, values, now, LONG_MS) }
  }

  return {
    messages: (key, now) => rate(key, 'messages', now),
    bytes: (key, now) => rate(key, 'bytes', now),
    stop: () => timer.cancel()
  }
}
