import { monitorEventLoopDelay } from 'node:perf_hooks'

/** How late the event loop is: what keeps every client waiting. */
export interface EventLoopWatch {
  /** Delays since the last `reset`, seconds. */
  readonly p99Seconds: number
  readonly maxSeconds: number
  reset(): void
  stop(): void
}

const RESOLUTION_MS = 20

/** Watches the event loop of this thread; costs a timer every 20 ms. */
export function watchEventLoop(): EventLoopWatch {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  histogram.enable()
  // The interval itself is part of what is measured.
  const seconds = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e9 - RESOLUTION_MS / 1e3)
  return {
    get p99Seconds() {
      return seconds(histogram.percentile(99))
    },
    get maxSeconds() {
      return histogram.max === 0 ? 0 : seconds(histogram.max)
    },
    reset: () => histogram.reset(),
    stop: () => void histogram.disable()
  }
}
