import {
  ANSWER_DEADLINE_MS,
  CLOSING_TIMEOUT_MS,
  FRAME_PROGRESS_BYTES_MIN,
  FRAME_PROGRESS_TIMEOUT_MS,
  HANDSHAKE_TIMEOUT_MS,
  STALLED_PEER_CONTENDED_TIMEOUT_MS,
  STALLED_PEER_TIMEOUT_MS
} from '../base/limits.ts'

/** Where a connection stands; drawn in connection.ts. */
export type ConnectionState = 'awaiting Connect' | 'established' | 'closing' | 'closed'

/** What a connection looks like at the moment of a check. */
export interface ConnectionSnapshot {
  readonly nowMs: number
  readonly state: ConnectionState
  readonly isAuthenticating: boolean
  /** Bytes that have arrived of the frame under way; undefined between frames. */
  readonly frameBytes: number | undefined
  /** Frames that have arrived whole: tells the one under way from the one before. */
  readonly frameCount: number
  readonly unsentBytes: number
  /** Other connections wait for the memory that answers on their way hold. */
  readonly isAnswerMemoryContended: boolean
  /** The time from which the first deadline of an open request counts. */
  readonly oldestRequestMs: number | undefined
}

/**
 * `close` ends the connection in order, `abandon` without the answers that are still due, `destroy` at once: nobody is
 * there any more.
 */
export interface Verdict {
  readonly action: 'close' | 'abandon' | 'destroy'
  readonly reason: string
}

/** The deadlines of one connection: for the peer to speak, to send, to read and to leave, and for us to answer. */
export interface Deadlines {
  /** The peer has taken bytes. */
  progressed(nowMs: number): void
  /** The connection is being closed. */
  closing(nowMs: number): void
  check(connection: ConnectionSnapshot): Verdict | undefined
}

export function createDeadlines(openedMs: number): Deadlines {
  let progressMs = openedMs
  let closingMs = Infinity
  let frame: { readonly sinceMs: number; readonly bytes: number; readonly count: number } | undefined

  /** A frame must go on growing, however slowly its line allows (reliability CL2). */
  const isFrameStalled = ({ nowMs, frameBytes, frameCount }: ConnectionSnapshot): boolean => {
    if (frameBytes === undefined) {
      frame = undefined
      return false
    }
    const hasGrown =
      frame === undefined || frameCount !== frame.count || frameBytes - frame.bytes >= FRAME_PROGRESS_BYTES_MIN
    if (hasGrown) frame = { sinceMs: nowMs, bytes: frameBytes, count: frameCount }
    return frame !== undefined && nowMs - frame.sinceMs > FRAME_PROGRESS_TIMEOUT_MS
  }

  return {
    progressed(nowMs) {
      progressMs = nowMs
    },
    closing(nowMs) {
      closingMs = nowMs
    },
    check(connection) {
      const { nowMs, state, unsentBytes, oldestRequestMs } = connection
      if (unsentBytes === 0) progressMs = nowMs
      const patienceMs = connection.isAnswerMemoryContended
        ? STALLED_PEER_CONTENDED_TIMEOUT_MS
        : STALLED_PEER_TIMEOUT_MS
      if (nowMs - progressMs > patienceMs) return { action: 'destroy', reason: 'the peer takes no answers' }
      const isAnswerLate = oldestRequestMs !== undefined && nowMs - oldestRequestMs > ANSWER_DEADLINE_MS
      if (state === 'closing') {
        const isServed = unsentBytes === 0 && (oldestRequestMs === undefined || isAnswerLate)
        const isOver = isServed && nowMs - closingMs > CLOSING_TIMEOUT_MS
        return isOver ? { action: 'destroy', reason: 'the peer does not close' } : undefined
      }
      if (state === 'awaiting Connect') {
        const isLate = !connection.isAuthenticating && nowMs - openedMs > HANDSHAKE_TIMEOUT_MS
        return isLate ? { action: 'close', reason: 'no Connect request came in time' } : undefined
      }
      if (isFrameStalled(connection)) return { action: 'close', reason: 'a frame makes no progress' }
      return isAnswerLate ? { action: 'abandon', reason: 'an answer would come too late' } : undefined
    }
  }
}
