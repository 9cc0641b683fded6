import { assert } from '../base/assert.ts'
import type { Clock } from '../base/clock.ts'

/** Priority of exports that name none: the lowest (behaviour 6.3). */
export const PRIORITY_LOWEST = 10
/** An entry that has waited this long counts as one priority better, and again for each further such time. */
const PRIORITY_STEP_MS = 60_000

/** Somebody who waits for a turn. */
export interface Waiter<Wish> {
  readonly wish: Wish
  readonly sinceMs: number
  /** What the waiter counts as now, 1 (first) to 10 (last). */
  readonly rank: number
  /** Takes it out of the queue; twice does nothing. */
  leave(): void
}

/**
 * Waiters in the order of behaviour 6.3: the best priority first, within a priority the one that has waited longest; each
 * minute of waiting counts as one priority better, so that nobody starves.
 */
export interface PriorityQueue<Wish> {
  readonly size: number
  /** @param priority 1 (first) to 10 (last) */
  add(priority: number, wish: Wish): Waiter<Wish>
  /** The one whose turn it is, which stays in the queue. */
  best(): Waiter<Wish> | undefined
}

export function createPriorityQueue<Wish>(clock: Clock): PriorityQueue<Wish> {
  /** One first-in-first-out queue per priority; a Set keeps the order and removes in O(1). */
  const queues = Array.from({ length: PRIORITY_LOWEST }, () => new Set<Waiter<Wish>>())
  return {
    get size() {
      return queues.reduce((sum, queue) => sum + queue.size, 0)
    },
    add(priority, wish) {
      const queue = queues[priority - 1]
      assert(queue !== undefined, 'priorities are 1 to 10')
      const sinceMs = clock.monotonicMs()
      const waiter: Waiter<Wish> = {
        wish,
        sinceMs,
        get rank() {
          return Math.max(1, priority - Math.floor((clock.monotonicMs() - sinceMs) / PRIORITY_STEP_MS))
        },
        leave: () => void queue.delete(waiter)
      }
      queue.add(waiter)
      return waiter
    },
    best() {
      let chosen: Waiter<Wish> | undefined
      for (const [waiter] of queues) if (waiter !== undefined) chosen = firstOf(chosen, waiter)
      return chosen
    }
  }
}

/** The one that comes before the other, of two queues with one clock too. */
export function firstOf<Wish>(left: Waiter<Wish> | undefined, right: Waiter<Wish>): Waiter<Wish>
export function firstOf<Wish>(left: Waiter<Wish> | undefined, right: Waiter<Wish> | undefined): Waiter<Wish> | undefined
export function firstOf<Wish>(
  left: Waiter<Wish> | undefined,
  right: Waiter<Wish> | undefined
): Waiter<Wish> | undefined {
  if (left === undefined || right === undefined) return left ?? right
  if (left.rank !== right.rank) return left.rank < right.rank ? left : right
  return right.sinceMs < left.sinceMs ? right : left
}
