import { sleep, type Clock } from '../base/clock.ts'
import type { Bandwidth } from './bandwidth.ts'
import type { Pace } from './task.ts'

/**
 * Paces bodies that are sent chunk by chunk out of the bandwidth that all exports share (behaviour 6.4). Chunks of all
 * bodies take turns in the order of their requests. Without a limit nothing waits.
 */
export function createPacer(clock: Clock, bandwidth: Bandwidth | undefined): Pace {
  if (bandwidth === undefined) return () => Promise.resolve()
  let turn: Promise<void> = Promise.resolve()
  const take = async (bytes: number, signal: AbortSignal): Promise<void> => {
    for (let waitMs = bandwidth.waitMs(); waitMs > 0 && !signal.aborted; waitMs = bandwidth.waitMs()) {
      await sleep(clock, waitMs, signal)
    }
    if (!signal.aborted) bandwidth.charge(bytes)
  }
  return (bytes, signal) => {
    turn = turn.then(() => take(bytes, signal))
    return turn
  }
}
