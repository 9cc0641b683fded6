import type { Clock } from '../base/clock.ts'

/**
 * One token bucket over the request bodies of all exports (behaviour 6.4). There are two who take from it: requests, which
 * are charged as a whole, and long bodies, piece by piece. A request takes the worth of many pieces: while a body waits it
 * is owed as much as requests take, so that both get half.
 */
export interface Bandwidth {
  /** Milliseconds until the next request may start; 0 when it may start now. */
  waitMs(): number
  /** Milliseconds until the next piece of a body may go; 0 when it may go now. */
  pieceWaitMs(): number
  /** A body waits for the turn of a piece. @returns the function that ends that */
  awaitPiece(): () => void
  /** Charges a piece of a body. */
  chargePiece(bytes: number): void
  /** Charges a request that starts now. It may go into debt, so that a request of any size gets its turn. */
  charge(bytes: number): void
  /** Takes back a part of a charge: so many bytes were not sent after all; below 0 they were more. */
  refund(bytes: number): void
  /** Requests should not be larger, so that one of them never blocks all other exports for long. */
  readonly requestBytesMax: number
}

/** A request takes at most so long to pay back: burst and debt together stay small beside half a minute's worth. */
const REQUEST_SECONDS_MAX = 1
/** Below this the overhead of a request outweighs its content. */
const REQUEST_BYTES_MIN = 16 * 1024

/** @param bitsPerSecond the average limit, above 0; the bucket holds one second's worth */
export function createBandwidth(clock: Clock, bitsPerSecond: number): Bandwidth {
  const bytesPerMs = bitsPerSecond / 8 / 1000
  const burstBytes = bytesPerMs * 1000
  let balanceBytes = burstBytes
  let filledMs = clock.monotonicMs()
  let bodiesWaiting = 0
  let owedBytes = 0
  const refill = (): void => {
    const nowMs = clock.monotonicMs()
    balanceBytes = Math.min(burstBytes, balanceBytes + (nowMs - filledMs) * bytesPerMs)
    filledMs = nowMs
  }
  const pieceWaitMs = (): number => {
    refill()
    return balanceBytes >= 0 ? 0 : Math.ceil(-balanceBytes / bytesPerMs)
  }
  const take = (bytes: number): void => {
    refill()
    balanceBytes -= bytes
  }
  return {
    waitMs() {
      const waitMs = pieceWaitMs()
      // The piece is taken now: then there is a debt to wait for.
      return waitMs === 0 && bodiesWaiting > 0 && owedBytes > 0 ? 1 : waitMs
    },
    pieceWaitMs,
    awaitPiece() {
      bodiesWaiting += 1
      return () => void (bodiesWaiting -= 1)
    },
    chargePiece(bytes) {
      take(bytes)
      owedBytes = Math.max(0, owedBytes - bytes)
    },
    charge(bytes) {
      take(bytes)
      if (bodiesWaiting > 0) owedBytes = Math.min(owedBytes + bytes, burstBytes)
    },
    refund(bytes) {
      refill()
      balanceBytes += bytes
    },
    requestBytesMax: Math.max(REQUEST_BYTES_MIN, Math.floor(burstBytes * REQUEST_SECONDS_MAX))
  }
}
