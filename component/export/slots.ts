import { assert } from '../base/assert.ts'
import type { Clock, Timer } from '../base/clock.ts'
import type { Bandwidth } from './bandwidth.ts'

/** Priority of exports that name none: the lowest (behaviour 6.3). */
export const PRIORITY_LOWEST = 10
/** An entry that has waited this long counts as one priority better, and again for each further such time. */
const PRIORITY_STEP_MS = 60_000

/** The right to have one request in flight. */
export interface Grant {
  /** Charges the request's body to the bandwidth, right before it is sent. At most once. */
  charge(bytes: number): void
  /** Takes back a part of the charge: so many bytes of the body were not sent after all. */
  refund(bytes: number): void
  /** Gives the slot back. Must be called exactly once. */
  release(): void
}

/** A place in the queue; cancelling after the grant does nothing. */
export interface Ticket {
  cancel(): void
}

/**
 * Shares a fixed number of request slots among all exports: the best priority first, within a priority the one that has
 * waited longest. Under a bandwidth limit the next grant waits until the bucket is out of debt, so that priorities hold
 * there too; no slot is held while waiting.
 */
export interface Slots {
  /** Nothing is granted before. */
  start(): void
  /** Calls `run` in a later turn of the microtask queue. @param priority 1 (first) to 10 (last) */
  request(priority: number, run: (grant: Grant) => void): Ticket
  /** Grants nothing any more. */
  stop(): void
}

interface Waiter {
  readonly sinceMs: number
  readonly run: (grant: Grant) => void
}

export function createSlots(clock: Clock, slotsMax: number, bandwidth?: Bandwidth): Slots {
  assert(slotsMax >= 1, 'there is at least one request slot')
  /** One first-in-first-out queue per priority; a Set keeps the order and removes in O(1). */
  const queues = Array.from({ length: PRIORITY_LOWEST }, () => new Set<Waiter>())
  let free = slotsMax
  /** Grants whose size is not known yet. With a bandwidth limit there is at most one, so that debt is one request's at most. */
  let uncharged = 0
  let scheduled = false
  let running = false
  let timer: Timer | undefined

  const best = (): Waiter | undefined => {
    const nowMs = clock.monotonicMs()
    let chosen: { waiter: Waiter; priority: number } | undefined
    for (const [index, queue] of queues.entries()) {
      const [waiter] = queue
      if (waiter === undefined) continue
      const priority = Math.max(1, index + 1 - Math.floor((nowMs - waiter.sinceMs) / PRIORITY_STEP_MS))
      const better =
        chosen === undefined ||
        priority < chosen.priority ||
        (priority === chosen.priority && waiter.sinceMs < chosen.waiter.sinceMs)
      if (better) chosen = { waiter, priority }
    }
    return chosen?.waiter
  }

  const forget = (waiter: Waiter): void => queues.forEach((queue) => queue.delete(waiter))

  const bandwidthAllows = (): boolean => {
    if (bandwidth === undefined) return true
    if (uncharged > 0) return false
    const waitMs = bandwidth.waitMs()
    if (waitMs === 0) return true
    timer ??= clock.after(waitMs, () => {
      timer = undefined
      dispatch()
    })
    return false
  }

  const grantTo = (waiter: Waiter): void => {
    forget(waiter)
    free -= 1
    uncharged += 1
    let charged = false
    let released = false
    const settleCharge = (): void => {
      if (charged) return
      charged = true
      uncharged -= 1
    }
    waiter.run({
      charge(bytes) {
        if (!charged) bandwidth?.charge(bytes)
        settleCharge()
        schedule()
      },
      refund(bytes) {
        bandwidth?.refund(bytes)
      },
      release() {
        assert(!released, 'a slot is released once')
        released = true
        settleCharge()
        free += 1
        schedule()
      }
    })
  }

  const dispatch = (): void => {
    while (running && free > 0) {
      const waiter = best()
      if (waiter === undefined || !bandwidthAllows()) return
      grantTo(waiter)
    }
  }

  const schedule = (): void => {
    if (scheduled) return
    scheduled = true
    queueMicrotask(() => {
      scheduled = false
      dispatch()
    })
  }

  return {
    request(priority, run) {
      const waiter = { sinceMs: clock.monotonicMs(), run }
      const queue = queues[priority - 1]
      assert(queue !== undefined, 'priorities are 1 to 10')
      queue.add(waiter)
      schedule()
      return { cancel: () => void queue.delete(waiter) }
    },
    start() {
      running = true
      schedule()
    },
    stop() {
      running = false
      timer?.cancel()
    }
  }
}
