import { assert } from '../base/assert.ts'
import type { Clock, Timer } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import type { Bandwidth } from './bandwidth.ts'
import { createPriorityQueue, firstOf, type Waiter } from './priority-queue.ts'

/*
 * Places for requests in flight. There are two kinds, equally many of each:
 *
 *     slot            of a request that makes progress: at most the configured number (behaviour 6.3)
 *     waiting place   of a request whose destination has kept it waiting for STALL_MS, or for LONG_MS all in all: it has
 *                     lent its slot to the next
 *
 *                 silent for STALL_MS, or long under way, and a waiting place is free
 *     slot ─────────────────────────────────────────────────────────▶ waiting place ──▶ released
 *      │    silent, no waiting place is free, and somebody wants the slot
 *      └─────────────────────────────────────────────────────────────────────────────▶ cut
 *
 * A request that is merely long under way is not cut: it gets somewhere. An export whose last request was either is a suspect: its next one begins in a waiting place, or waits for one. So
 * destinations that hang, however many, hold everybody else up once, for STALL_MS, and then only each other; and a slow
 * one always gets its full time there, because a request in a waiting place is never cut.
 */

/** So long without a sign of life from its destination a request does not make progress. */
export const STALL_MS = 5_000

/** A destination that takes a request so slowly has shown that it is there, but others should not wait for it. */
export const LONG_MS = 60_000

/**
 * No request may be silent for longer. Destinations end theirs much sooner, S3 parts after five minutes (behaviour 6.5);
 * this is for those that do not.
 */
const SILENCE_MS_MAX = 330_000

const CONTENDED = new Fault(`TimeoutError: no answer within ${STALL_MS / 1_000} s, and other exports waited`)
const TOO_SILENT = new Fault('TimeoutError: no sign of life from the destination')

/** The right to have one request in flight. */
export interface Grant {
  /** Charges the request's body to the bandwidth, right before it is sent. At most once. */
  charge(bytes: number): void
  /** Takes back a part of the charge: so many bytes of the body were not sent after all; below 0 they were more. */
  refund(bytes: number): void
  /** The destination has taken something, or is about to be asked: it is waited for from now on. */
  progressed(): void
  /** The destination is not waited for any more, but something of our own, until `progressed` is called again. */
  hold(): void
  /** Whether the destination had kept the request waiting for STALL_MS, when it was last waited for, or for LONG_MS in all. */
  readonly isSilent: boolean
  /** Aborted, with a Fault, when a silent request has to end now: others need its place, or it was silent for too long. */
  readonly cut: AbortSignal
  /** Gives the place back. Must be called exactly once. */
  release(): void
}

/** What a request wants its place for. */
export interface SlotWish {
  /** 1 (first) to 10 (last). */
  readonly priority: number
  /** The last request of the same export was silent. */
  readonly isSuspect: boolean
  /** Called in a later turn of the microtask queue. */
  run(grant: Grant): void
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
  request(wish: SlotWish): Ticket
  /** Grants nothing any more. */
  stop(): void
}

/** A request in flight. */
interface Holder {
  /** Whether it has a slot or a waiting place. */
  isLent: boolean
  readonly cut: AbortController
}

export function createSlots(clock: Clock, slotsMax: number, bandwidth?: Bandwidth): Slots {
  assert(slotsMax >= 1, 'there is at least one request slot')
  const ready = createPriorityQueue<SlotWish>(clock)
  const suspects = createPriorityQueue<SlotWish>(clock)
  let freeSlots = slotsMax
  let freeWaitingPlaces = slotsMax
  /** Requests in slots that are silent, longest first. */
  const silent = new Set<Holder>()
  /** Requests in slots that have been waited for longer than LONG_MS, longest first. */
  const long = new Set<Holder>()
  /** Requests that were cut and still have their slot. */
  const cut = new Set<Holder>()
  /** Grants whose size is not known yet. With a bandwidth limit there is at most one, so that debt is one request's at most. */
  let uncharged = 0
  let scheduled = false
  let running = false
  let timer: Timer | undefined

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

  /** Silent requests lend their slots, as far as there are waiting places. */
  const lend = (): void => {
    for (const holder of [...silent, ...long]) {
      if (freeWaitingPlaces === 0) return
      if (holder.isLent) continue
      silent.delete(holder)
      long.delete(holder)
      holder.isLent = true
      freeWaitingPlaces -= 1
      freeSlots += 1
    }
  }

  /** Nobody waits for a slot that a silent request has. */
  const cutSilent = (): void => {
    for (const holder of silent) {
      if (ready.size <= cut.size) return
      silent.delete(holder)
      long.delete(holder)
      cut.add(holder)
      holder.cut.abort(CONTENDED)
    }
  }

  const best = (): Waiter<SlotWish> | undefined =>
    firstOf(freeSlots > 0 ? ready.best() : undefined, freeWaitingPlaces > 0 ? suspects.best() : undefined)

  const grantTo = ({ wish }: Waiter<SlotWish>): void => {
    const holder: Holder = { isLent: wish.isSuspect, cut: new AbortController() }
    if (holder.isLent) freeWaitingPlaces -= 1
    else freeSlots -= 1
    uncharged += 1
    let charged = false
    let released = false
    let isSilent = false
    /** Since when the destination is waited for; undefined while it is not. */
    let waitsSinceMs: number | undefined
    let waitedMs = 0
    let stall: Timer | undefined
    const settleCharge = (): void => {
      if (charged) return
      charged = true
      uncharged -= 1
    }
    const onStall = (): void => {
      isSilent = true
      stall = clock.after(SILENCE_MS_MAX - STALL_MS, () => holder.cut.abort(TOO_SILENT))
      if (!holder.isLent) silent.add(holder)
      dispatch()
    }
    const hold = (): void => {
      stall?.cancel()
      silent.delete(holder)
      if (waitsSinceMs !== undefined) waitedMs += clock.monotonicMs() - waitsSinceMs
      waitsSinceMs = undefined
    }
    wish.run({
      charge(bytes) {
        if (!charged) bandwidth?.charge(bytes)
        settleCharge()
        schedule()
      },
      refund(bytes) {
        bandwidth?.refund(bytes)
      },
      progressed() {
        if (released) return
        hold()
        isSilent = false
        waitsSinceMs = clock.monotonicMs()
        stall = clock.after(STALL_MS, onStall)
        if (waitedMs < LONG_MS || holder.isLent || long.has(holder) || cut.has(holder)) return
        long.add(holder)
        schedule()
      },
      hold,
      cut: holder.cut.signal,
      get isSilent() {
        return isSilent || waitedMs >= LONG_MS
      },
      release() {
        assert(!released, 'a slot is released once')
        released = true
        hold()
        cut.delete(holder)
        long.delete(holder)
        settleCharge()
        if (holder.isLent) freeWaitingPlaces += 1
        else freeSlots += 1
        schedule()
      }
    })
  }

  const dispatch = (): void => {
    while (running) {
      lend()
      const waiter = best()
      if (waiter === undefined) {
        cutSilent()
        return
      }
      if (!bandwidthAllows()) return
      waiter.leave()
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
    request(wish) {
      const queue = wish.isSuspect ? suspects : ready
      const waiter = queue.add(wish.priority, wish)
      schedule()
      return { cancel: () => waiter.leave() }
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
