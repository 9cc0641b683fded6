import { assert } from '../base/assert.ts'
import type { Clock, Timer } from '../base/clock.ts'

/** Readers that wait for messages that are not there yet; a waiting reader costs one entry and one timer. */
export interface ReadWaiters {
  /**
   * Resolves true once `next` has reached `next` of the stream, false at the deadline, after `cancelAll`, or when
   * `signal` is aborted.
   */
  wait(next: number, timeoutMs: number, signal: AbortSignal): Promise<boolean>
  /** The stream's next number is now `next`. */
  advance(next: number): void
  cancelAll(): void
}

/** A bound on the reads that wait, over all streams (reliability CL12). */
export interface WaitingPlaces {
  /** False when all places are taken. */
  take(): boolean
  giveBack(): void
}

export function createWaitingPlaces(countMax: number): WaitingPlaces {
  let taken = 0
  return {
    take() {
      if (taken >= countMax) return false
      taken += 1
      return true
    },
    giveBack() {
      taken -= 1
      assert(taken >= 0, 'a place is given back once')
    }
  }
}

interface Waiter {
  readonly next: number
  readonly timer: Timer
  readonly finish: (reached: boolean) => void
}

/** The waiting readers of one stream. */
export function createReadWaiters(clock: Clock): ReadWaiters {
  const waiters = new Set<Waiter>()
  /** Smallest number that anybody waits for, so that an append with nobody to wake costs one comparison. */
  let smallest = Infinity

  const findSmallest = (): void => {
    smallest = Infinity
    for (const waiter of waiters) smallest = Math.min(smallest, waiter.next)
  }

  return {
    wait(next, timeoutMs, signal) {
      return new Promise((resolve) => {
        if (signal.aborted) {
          resolve(false)
          return
        }
        const finish = (reached: boolean): void => {
          waiters.delete(waiter)
          waiter.timer.cancel()
          signal.removeEventListener('abort', aborted)
          resolve(reached)
        }
        const aborted = (): void => finish(false)
        const waiter: Waiter = { next, finish, timer: clock.after(timeoutMs, () => finish(false)) }
        waiters.add(waiter)
        smallest = Math.min(smallest, next)
        signal.addEventListener('abort', aborted, { once: true })
      })
    },
    advance(next) {
      if (next < smallest) return
      for (const waiter of waiters) if (waiter.next <= next) waiter.finish(true)
      findSmallest()
    },
    cancelAll() {
      for (const waiter of waiters) waiter.finish(false)
      smallest = Infinity
    }
  }
}
