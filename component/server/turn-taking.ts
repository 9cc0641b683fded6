import type { Clock } from '../base/clock.ts'
import { nextSlice } from '../base/turn.ts'

/** Requests that are taken in before other connections have their turn, and the time for them. */
const REQUESTS_PER_TURN_MAX = 8
const TURN_MS = 0.25

/**
 * Keeps one connection from serving all its requests in a row: those that wait behind many of their own must not keep
 * those of others waiting. Appends are so short that they need not be counted.
 */
export interface TurnTaking {
  /** True while others have their turn: nothing is to be taken in. */
  readonly isYielding: boolean
  /** What comes now has a turn of its own. */
  begin(nowMs: number): void
  /** A request has been taken in; may be the last one of this turn. */
  served(): void
}

/** @param resume called when the next turn has come */
export function createTurnTaking(clock: Clock, resume: () => void, next = nextSlice): TurnTaking {
  let isYielding = false
  let startMs = clock.monotonicMs()
  let requests = 0
  return {
    get isYielding() {
      return isYielding
    },
    begin(nowMs) {
      startMs = nowMs
      requests = 0
    },
    served() {
      requests += 1
      const isOver = requests >= REQUESTS_PER_TURN_MAX || clock.monotonicMs() - startMs >= TURN_MS
      if (!isOver || isYielding) return
      isYielding = true
      void next().then(() => {
        isYielding = false
        resume()
      })
    }
  }
}
