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
    const leave = bandwidth.awaitPiece()
    for (let waitMs = bandwidth.pieceWaitMs(); waitMs > 0 && !signal.aborted; waitMs = bandwidth.pieceWaitMs()) {
      await sleep(clock, waitMs, signal)
    }
    leave()
    if (!signal.aborted) bandwidth.chargePiece(bytes)
  }
  return (bytes, signal) => {
    turn = turn.then(() => take(bytes, signal))
    return turn
  }
}
