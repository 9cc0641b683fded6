import type { Clock, Timer } from '../base/clock.ts'

/** How often a busy worker is asked for a sign of life. */
const INTERVAL_MS = 10_000
/** So many questions in a row without a sign: the worker's event loop does not turn any more. */
const SILENCES_MAX = 6

/** Notices when a busy worker hangs. An idle one is not asked: it costs no timer. */
export interface Watchdog {
  /** The worker has got work. */
  start(): void
  /** The worker has said something, whatever it is. */
  heard(): void
  stop(): void
}

export interface WatchdogOptions {
  readonly clock: Clock
  isBusy(): boolean
  /** Asks for a sign of life. */
  ask(): void
  /** Called once; the watchdog has stopped then. */
  onHang(): void
}

/** Counts questions, not time: when this thread was held up itself, the answers are read before the next question. */
export function createWatchdog({ clock, isBusy, ask, onHang }: WatchdogOptions): Watchdog {
  let timer: Timer | undefined
  let silences = 0

  const tick = (): void => {
    timer = undefined
    if (!isBusy()) return
    if (silences === SILENCES_MAX) {
      onHang()
      return
    }
    silences += 1
    ask()
    timer = clock.after(INTERVAL_MS, tick)
  }

  return {
    start() {
      if (timer !== undefined) return
      silences = 0
      timer = clock.after(INTERVAL_MS, tick)
    },
    heard: () => void (silences = 0),
    stop() {
      timer?.cancel()
      timer = undefined
    }
  }
}
