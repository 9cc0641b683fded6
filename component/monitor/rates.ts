import type { Clock, Timer } from '../base/clock.ts'
import type { Rate } from './report.ts'
import { createSlice, type Turn } from './slices.ts'

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

/** The samples of one key, each with its own time: a round of looks takes a while. */
interface Series {
  /** Samples taken so far. */
  count: number
  readonly times: Float64Array
  readonly messages: Float64Array
  readonly bytes: Float64Array
}

const emptySeries = (): Series => ({
  count: 0,
  times: new Float64Array(SAMPLES),
  messages: new Float64Array(SAMPLES),
  bytes: new Float64Array(SAMPLES)
})

/**
 * @param collect everything that grows at present, stream by stream, each looked at when it is asked for; what is missing
 * is forgotten
 */
export function createRates(clock: Clock, collect: () => Iterable<readonly Sample[]>, turn: Turn): Rates {
  let series = new Map<string, Series>()
  let isStopped = false
  let timer: Timer | undefined

  const keep = (known: Series, { messages, bytes }: Sample): void => {
    const place = known.count % SAMPLES
    known.times[place] = clock.monotonicMs()
    known.messages[place] = messages
    known.bytes[place] = bytes
    known.count += 1
  }

  /** The next round begins five seconds after the end of this one. */
  const sampleAll = async (): Promise<void> => {
    const kept = new Map<string, Series>()
    const isSliceFull = createSlice()
    for (const samples of collect()) {
      for (const sample of samples) {
        const known = series.get(sample.key) ?? emptySeries()
        keep(known, sample)
        kept.set(sample.key, known)
      }
      if (isSliceFull(samples.length)) await turn()
      if (isStopped) return
    }
    series = kept
    timer = clock.after(INTERVAL_MS, () => void sampleAll())
  }
  void sampleAll()

  /** Compared with the newest sample that is old enough, else with the oldest one. */
  const rateOver = ({ count, times }: Series, values: Float64Array, now: number, ageMs: number): number => {
    const nowMs = clock.monotonicMs()
    const first = Math.max(0, count - SAMPLES)
    let index = count - 1
    while (index > first && nowMs - (times[index % SAMPLES] ?? 0) < ageMs) index -= 1
    const elapsedMs = nowMs - (times[index % SAMPLES] ?? 0)
    const grown = now - (values[index % SAMPLES] ?? 0)
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
    stop() {
      isStopped = true
      timer?.cancel()
    }
  }
}
