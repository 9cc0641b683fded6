/** Node.js fires timers of 2^31 ms or more at once, so longer delays are re-armed in steps. */
const TIMER_STEP_MS = 2 ** 31 - 1

/** A timer that can be cancelled; cancelling twice, or after it fired, does nothing. */
export interface Timer {
  cancel(): void
}

/** The only source of time. Durations are measured with `monotonicMs`, ingest times are taken from `wallMs`. */
export interface Clock {
  /** Milliseconds since the epoch; may jump in either direction. */
  wallMs(): number
  /** Milliseconds since some fixed moment; never goes back. */
  monotonicMs(): number
  /** Calls `action` once after `delayMs` (any length); the timer never keeps the process alive. */
  after(delayMs: number, action: () => void): Timer
}

/** The clock of the machine. */
export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, action) {
    const endMs = performance.now() + delayMs
    let handle: NodeJS.Timeout
    const arm = (): void => {
      const remainingMs = Math.max(0, endMs - performance.now())
      const last = remainingMs <= TIMER_STEP_MS
      handle = setTimeout(last ? action : arm, last ? remainingMs : TIMER_STEP_MS)
      handle.unref()
    }
    arm()
    return { cancel: () => clearTimeout(handle) }
  }
}

/** Resolves after `delayMs`, or at once when `signal` is aborted. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) {
      resolve()
      return
    }
    const finish = (): void => {
      timer.cancel()
      signal?.removeEventListener('abort', finish)
      resolve()
    }
    const timer = clock.after(delayMs, finish)
    signal?.addEventListener('abort', finish, { once: true })
  })
}
