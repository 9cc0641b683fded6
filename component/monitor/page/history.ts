import type { ExportState, Snapshot } from './snapshot.ts'

/** A value at a moment of the page's own clock. */
export interface Sample {
  readonly atMs: number
  readonly value: number
  /** Of an export. */
  readonly state?: ExportState
}

/** What was seen of one thing, oldest first. */
export type Series = readonly Sample[]

export const HISTORY_MS = 300_000
/** At a sample every two seconds, with some to spare. */
const SAMPLES_MAX = 160
/** Streams and exports that are followed; the page shows no more of them at a time. */
const SERIES_MAX = 400

/** How values have developed while the page was open. */
export interface History {
  /** Messages per second of a stream. */
  throughput(stream: string): Series
  /** Waiting messages of an export. */
  lag(stream: string, identifier: string): Series
  /** @param atMs of a clock that never goes back */
  add(snapshot: Snapshot, atMs: number): void
}

/** Keys cannot be confused: no name contains a slash. */
const lagKey = (stream: string, identifier: string): string => `lag/${stream}/${identifier}`
const throughputKey = (stream: string): string => `throughput/${stream}`

export function createHistory(): History {
  const series = new Map<string, Sample[]>()
  const counts = new Map<string, { readonly next: number; readonly atMs: number }>()

  const add = (key: string, sample: Sample): void => {
    let samples = series.get(key)
    if (samples === undefined) {
      if (series.size >= SERIES_MAX) return
      series.set(key, (samples = []))
    }
    samples.push(sample)
    const tooOld = samples.findIndex(({ atMs }) => atMs >= sample.atMs - HISTORY_MS)
    samples.splice(0, Math.max(tooOld, samples.length - SAMPLES_MAX))
  }

  /** Live, and not the mean that the server tells: from the numbers that were given since the last look. */
  const rateOf = (name: string, next: number, atMs: number): number | undefined => {
    const before = counts.get(name)
    counts.set(name, { next, atMs })
    if (before === undefined || next < before.next || atMs <= before.atMs) return undefined
    return ((next - before.next) * 1000) / (atMs - before.atMs)
  }

  const forget = (present: ReadonlySet<string>): void => {
    for (const key of series.keys()) if (!present.has(key)) series.delete(key)
    for (const name of counts.keys()) if (!present.has(throughputKey(name))) counts.delete(name)
  }

  return {
    throughput: (stream) => series.get(throughputKey(stream)) ?? [],
    lag: (stream, identifier) => series.get(lagKey(stream, identifier)) ?? [],
    add(snapshot, atMs) {
      const present = new Set<string>()
      for (const { name, next, messagesPerSecond, exports } of snapshot.streams) {
        present.add(throughputKey(name))
        add(throughputKey(name), { atMs, value: rateOf(name, next, atMs) ?? messagesPerSecond })
        for (const { identifier, waitingMessages, state } of exports) {
          present.add(lagKey(name, identifier))
          add(lagKey(name, identifier), { atMs, value: waitingMessages, state })
        }
      }
      forget(present)
    }
  }
}
