import type { Clock } from '../base/clock.ts'
import { nextTurn } from '../base/turn.ts'

/** For this part of the time that a sync takes, and at most so long, the next one waits for appends to come. */
const WAIT_FRACTION = 0.25
const WAIT_MS_MAX = 2
/** Timers are too coarse for less. */
const TIMER_MS_MIN = 1

/**
 * Lets a sync begin when those have come back whom the one before it has served: clients that append one message after
 * the other would else split into two halves, of which one always waits for the other's sync.
 */
export interface SyncGathering {
  /** The last sync served so many waiting appends in so many milliseconds, while others came. */
  served(count: number, durationMs: number, othersWaiting: number): void
  /** So many wait now. */
  waits(count: number): void
  /**
   * Resolves when as many wait as are expected, or after a moment that is short beside a sync. Undefined when that is so
   * already.
   */
  gather(waiting: () => number): Promise<void> | undefined
}

export function createSyncGathering(clock: Clock): SyncGathering {
  let expected = 0
  /** Until then it is worth waiting, by the monotonic clock. */
  let untilMs = -Infinity
  let arrived: (() => void) | undefined

  const gatherWithTimer = (waitMs: number): Promise<void> =>
    new Promise((resolve) => {
      const finish = (): void => {
        timer.cancel()
        arrived = undefined
        resolve()
      }
      const timer = clock.after(waitMs, finish)
      arrived = finish
    })

  const gatherInTurns = async (waiting: () => number): Promise<void> => {
    while (waiting() < expected && clock.monotonicMs() < untilMs) await nextTurn()
  }

  return {
    served(count, durationMs, othersWaiting) {
      expected = count + othersWaiting
      untilMs = clock.monotonicMs() + Math.min(WAIT_MS_MAX, durationMs * WAIT_FRACTION)
    },
    waits(count) {
      if (count >= expected) arrived?.()
    },
    gather(waiting) {
      const waitMs = untilMs - clock.monotonicMs()
      if (waitMs <= 0 || waiting() >= expected) return undefined
      return waitMs < TIMER_MS_MIN ? gatherInTurns(waiting) : gatherWithTimer(waitMs)
    }
  }
}
