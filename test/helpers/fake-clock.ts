import type { Clock, Timer } from '../../component/base/clock.ts'

/** A clock that moves only when a test says so. */
export interface FakeClock extends Clock {
  /** Moves time on and fires the timers that fall due, in order, each at its own time. */
  advance(ms: number): void
  /** Like `advance`, but lets promises and I/O callbacks run before, between and after the timers. */
  advanceAsync(ms: number): Promise<void>
  /** Moves the wall clock alone, as an operator or NTP does. */
  jumpWall(ms: number): void
  /** Timers that have not fired. */
  readonly pendingTimers: number
  /** Milliseconds until the next timer fires; undefined when there is none. */
  readonly nextTimerMs: number | undefined
}

/** Lets everything run that is ready to run: microtasks and completed I/O. */
export async function flush(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

/** @param startWallMs the first wall clock time; the monotonic clock starts elsewhere, so that mix-ups show */
export function createFakeClock(startWallMs = 1_700_000_000_000): FakeClock {
  let nowMs = 5_000
  let wallOffsetMs = startWallMs - nowMs
  let created = 0
  const timers = new Map<number, { readonly atMs: number; readonly action: () => void }>()
  const earliest = (): [number, { readonly atMs: number; readonly action: () => void }] | undefined =>
    [...timers].sort(([leftId, left], [rightId, right]) => left.atMs - right.atMs || leftId - rightId)[0]

  /** Fires the next timer that is due until `endMs`, if there is one. */
  const step = (endMs: number): boolean => {
    const next = earliest()
    if (next === undefined || next[1].atMs > endMs) return false
    timers.delete(next[0])
    nowMs = Math.max(nowMs, next[1].atMs)
    next[1].action()
    return true
  }

  return {
    wallMs: () => nowMs + wallOffsetMs,
    monotonicMs: () => nowMs,
    after(delayMs, action): Timer {
      const id = created++
      timers.set(id, { atMs: nowMs + Math.max(0, delayMs), action })
      return { cancel: () => void timers.delete(id) }
    },
    advance(ms) {
      const endMs = nowMs + ms
      while (step(endMs));
      nowMs = endMs
    },
    async advanceAsync(ms) {
      await flush()
      const endMs = nowMs + ms
      while (step(endMs)) await flush()
      nowMs = endMs
      await flush()
    },
    jumpWall(ms) {
      wallOffsetMs += ms
    },
    get pendingTimers() {
      return timers.size
    },
    get nextTimerMs() {
      const next = earliest()
      return next === undefined ? undefined : next[1].atMs - nowMs
    }
  }
}
