import type { Fate, FateRange } from './account.ts'
import type { MessageBatch } from './message-batch.ts'

/**
 * What a cursor remembers between the requests for one stretch of messages.
 *
 * - After a partial success: the numbers that were accepted, or skipped, behind an open one. They are not sent again.
 * - After a rejection: where the halves end into which the batch is cut until the offender is alone.
 *
 * Both are bounded by one batch: as long as anything is remembered, nothing behind the batch's end is sent. The window
 * lives in memory only; losing it costs duplicates or a few requests, and its messages count as waiting again.
 */
export interface ExportWindow {
  /** The number before which the next request has to end. */
  readonly end: number
  /** True while a stretch is being worked through: its messages were released already. */
  readonly active: boolean
  /** What became of the numbers behind the cursor's position that are accepted or skipped; in no order. */
  readonly done: ReadonlyMap<number, Fate>
  /** Remembers the outcome of a request that settled a part: `done` lie at or behind the position, below `end`. */
  keepDone(done: Iterable<FateRange>, end: number): void
  /** Cuts a rejected batch of two messages or more: the next request takes its first half. */
  split(rejected: MessageBatch): void
  /** Forgets what lies below the cursor's new position. */
  advance(next: number): void
  clear(): void
}

export function createWindow(): ExportWindow {
  const done = new Map<number, Fate>()
  /** Innermost last; each lies below the one before it. */
  let ends: readonly number[] = []
  const push = (end: number): void => {
    if (end < (ends.at(-1) ?? Infinity)) ends = [...ends, end]
  }
  return {
    get end() {
      return ends.at(-1) ?? Infinity
    },
    get active() {
      return ends.length > 0
    },
    done,
    keepDone(fates, end) {
      for (const { first, last, fate } of fates)
        for (let sequenceNumber = first; sequenceNumber <= last; sequenceNumber += 1) done.set(sequenceNumber, fate)
      push(end)
    },
    split(rejected) {
      push(rejected.numberAt(rejected.count - 1) + 1)
      push(rejected.numberAt(Math.ceil(rejected.count / 2)))
    },
    advance(next) {
      ends = ends.filter((end) => end > next)
      for (const sequenceNumber of done.keys()) if (sequenceNumber < next) done.delete(sequenceNumber)
    },
    clear() {
      done.clear()
      ends = []
    }
  }
}
