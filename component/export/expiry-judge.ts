import type { Clock } from '../base/clock.ts'
import { isClockSuspect, SUSPECT_CLOCK_PAUSE_MS, type ClockReading } from '../stream/retention.ts'

/** Says whether a task has outlived its stream's time to live (behaviour 10.5). */
export interface ExpiryJudge {
  /** @param ingestTimeMs milliseconds since the epoch; @param timeToLiveMs undefined when nothing expires */
  isExpired(ingestTimeMs: number, timeToLiveMs: number | undefined): boolean
}

/** A jump of the clock must not cancel tasks: as with the sweeps of streams, nothing expires for an hour (behaviour 4.5). */
export function createExpiryJudge(clock: Clock): ExpiryJudge {
  let last: ClockReading | undefined
  let restsUntilMs = -Infinity
  return {
    isExpired(ingestTimeMs, timeToLiveMs) {
      const now = { wallMs: clock.wallMs(), monotonicMs: clock.monotonicMs() }
      if (isClockSuspect(last, now, ingestTimeMs)) restsUntilMs = now.monotonicMs + SUSPECT_CLOCK_PAUSE_MS
      last = now
      return timeToLiveMs !== undefined && now.monotonicMs >= restsUntilMs && ingestTimeMs + timeToLiveMs <= now.wallMs
    }
  }
}
