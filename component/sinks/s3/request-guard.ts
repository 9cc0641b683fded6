import type { Clock, Timer } from '../../base/clock.ts'
import { KIB } from '../../base/limits.ts'

/*
 * A time-out of the socket ends a request whose peer is silent. A peer that takes or gives a byte now and then is not, and
 * would hold the request for days; so its progress is measured as well.
 *
 *     body    64 KiB have to be taken within five minutes (behaviour 6.5), not counting the time that the body waited for
 *             our own bandwidth. A shorter time would end uploads over slow lines that several requests share: buffers on
 *             the way there make them stand still for a minute and more.
 *     answer  it has to be there a minute after the body (behaviour 6.5), and what may be in such buffers still.
 */

const PROGRESS_MS = 5 * 60_000
const PROGRESS_BYTES = 64 * KIB
const ANSWER_MS = 60_000
const CONNECT_MS = 60_000
/** What has been handed over and may not have left the device yet, and the slowest rate at which it does. */
const BUFFERED_BYTES_MAX = 240_000
const UPLOAD_BYTES_PER_MS_MIN = 1

/** The peer is too slow to be waited for any longer. */
export class StalledRequest extends Error {
  override readonly name = 'TimeoutError'
}

/** Watches one request. Its signal is aborted when the request has to end. */
export interface RequestGuard {
  readonly signal: AbortSignal
  /** Why the request was ended, when the guard itself did it. */
  readonly failure: Error | undefined
  /** The body has become so many bytes shorter. */
  took(bytes: number): void
  /** Runs `action` without counting its time. */
  exempt(action: () => Promise<void>): Promise<void>
  /** The body is handed over: now the answer is waited for, and `extraMs` on top. */
  sent(extraMs: number): void
  /** Ends the request as failed. */
  fail(error: Error): void
  /** The request is over. @param isCut its connection must not be used again */
  end(isCut: boolean): void
}

/** @param signal ends the request from outside */
export function createRequestGuard(clock: Clock, signal: AbortSignal): RequestGuard {
  const ended = new AbortController()
  let failure: Error | undefined
  let isOver = false
  let takenBytes = 0
  let dueMs = 0
  let timer: Timer | undefined
  let problem = ''

  const fail = (error: Error): void => {
    if (isOver || signal.aborted) return
    isOver = true
    failure = error
    timer?.cancel()
    ended.abort()
  }
  const arm = (delayMs: number): void => {
    timer?.cancel()
    dueMs = clock.monotonicMs() + delayMs
    if (!isOver) timer = clock.after(delayMs, () => fail(new StalledRequest(problem)))
  }
  const expect = (delayMs: number, otherwise: string): void => {
    problem = otherwise
    arm(delayMs)
  }
  const expectProgress = (): void =>
    expect(PROGRESS_MS, `less than ${PROGRESS_BYTES / KIB} KiB were taken in five minutes`)

  expectProgress()
  return {
    signal: AbortSignal.any([signal, ended.signal]),
    get failure() {
      return failure
    },
    took(bytes) {
      takenBytes += bytes
      if (takenBytes < PROGRESS_BYTES) return
      takenBytes = 0
      expectProgress()
    },
    async exempt(action) {
      const leftMs = dueMs - clock.monotonicMs()
      timer?.cancel()
      await action()
      arm(leftMs)
    },
    sent(extraMs) {
      expect(ANSWER_MS + extraMs, 'no answer in time')
    },
    fail,
    end(isCut) {
      isOver = true
      timer?.cancel()
      if (isCut) ended.abort()
    }
  }
}

/** The time that the rest of a body may take to leave the device once all of it is handed over, in milliseconds. */
export function drainMsOf(bodyBytes: number): number {
  return Math.ceil(Math.min(bodyBytes, BUFFERED_BYTES_MAX) / UPLOAD_BYTES_PER_MS_MIN)
}

/**
 * Has a small request sent, and its answer read, in bounded time.
 * @throws StalledRequest; what `send` throws
 */
export async function inTime<Answer>(
  clock: Clock,
  signal: AbortSignal,
  send: (signal: AbortSignal) => Promise<Answer>
): Promise<Answer> {
  const guard = createRequestGuard(clock, signal)
  guard.sent(CONNECT_MS)
  try {
    return await send(guard.signal)
  } catch (error) {
    throw guard.failure ?? error
  } finally {
    guard.end(false)
  }
}
