/** Pause after a throttled answer unless configured otherwise (behaviour 8). */
const THROTTLE_PAUSE_MS = 1_000
/** A pause below this is none. */
const PAUSE_MS_MIN = 50

/**
 * Pauses between the requests of one export while the shards of its destination are not known (behaviour 8): with a
 * configured delay after every request, otherwise after a throttled answer, halved by every success.
 */
export interface Pacing {
  /** Milliseconds to wait after a throttled answer. */
  throttled(): number
  /** After a full success. */
  succeeded(): number
  /** After any other answer. */
  current(): number
}

/** @param configuredDelayMs undefined when the deployment leaves it at its default; 0 is none */
export function createPacing(configuredDelayMs: number | undefined): Pacing {
  let pauseMs = configuredDelayMs ?? 0
  const isFixed = configuredDelayMs !== undefined
  return {
    throttled() {
      if (!isFixed) pauseMs = THROTTLE_PAUSE_MS
      return pauseMs
    },
    succeeded() {
      if (!isFixed) pauseMs = pauseMs / 2 < PAUSE_MS_MIN ? 0 : pauseMs / 2
      return pauseMs
    },
    current: () => pauseMs
  }
}
