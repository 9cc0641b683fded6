import type { Clock, Timer } from '../base/clock.ts'
import { describeError } from '../base/fault.ts'
import type { Logger } from '../base/log.ts'
import type { SegmentSummary, StreamLog } from '../store/stream-log.ts'
import { isClockSuspect, SUSPECT_CLOCK_PAUSE_MS, sweepPeriodMs, type ClockReading } from './retention.ts'

/** Looks for expired segments from time to time (behaviour 4.5). */
export interface ExpirySweep {
  /** Sweeps at once, unless the clock is not trusted, and then at the period of the time to live; rests without one. */
  restart(): void
  stop(): void
}

export interface ExpirySweepOptions {
  readonly log: StreamLog
  readonly clock: Clock
  readonly logger: Logger
  readonly streamName: string
  readonly timeToLiveMs: () => number | undefined
  /** Called, and waited for, before messages below this number are dropped. Never rejects. */
  readonly expiring?: (before: number) => Promise<void>
  /** Runs an action while no append is under way. */
  readonly exclusively: (action: () => Promise<void>) => Promise<void>
  /** Drops the oldest sealed segment; by default straight from the log. */
  readonly drop?: () => SegmentSummary | undefined
  /** The log has dropped something. */
  readonly changed: () => void
}

/** Creates the sweep of one stream, at rest. */
export function createExpirySweep(options: ExpirySweepOptions): ExpirySweep {
  const { log, clock, logger, streamName, drop = () => log.dropOldestSegment() } = options
  let timer: Timer | undefined
  let last: ClockReading | undefined
  let isStopped = false
  /** Monotonic end of the rest after a jump of the clock. */
  let restsUntilMs = -Infinity

  const dropSealed = (expiredBefore: number): void => {
    for (
      let oldest = log.sealed[0];
      oldest !== undefined && oldest.lastIngestMs <= expiredBefore;
      oldest = log.sealed[0]
    ) {
      drop()
      logger.debug('A segment has expired', { stream: streamName, from: oldest.base, to: oldest.next - 1 })
      options.changed()
    }
  }

  /**
   * Data goes by whole segments, once the newest record in one has expired. The active one is sealed for that, but only
   * after the others have gone: on a full disk its successor may not find room.
   */
  const dropExpired = async (timeToLiveMs: number): Promise<void> => {
    const expiredBefore = clock.wallMs() - timeToLiveMs
    dropSealed(expiredBefore)
    if (log.sealed.length > 0 || log.activeBytes === 0 || log.activeLastIngestMs > expiredBefore) return
    await log.roll()
    dropSealed(expiredBefore)
  }

  /** One more than the last number that will be dropped; the oldest number when nothing has expired. */
  const expiredEnd = (timeToLiveMs: number): number => {
    const expiredBefore = clock.wallMs() - timeToLiveMs
    const kept = log.sealed.find((segment) => segment.lastIngestMs > expiredBefore)
    if (kept !== undefined) return kept.base
    const isActiveExpired = log.activeBytes > 0 && log.activeLastIngestMs <= expiredBefore
    return isActiveExpired ? log.next : (log.sealed.at(-1)?.next ?? log.oldest)
  }

  /** Those who wait for the messages hear of it while appends go on. */
  const announce = async (timeToLiveMs: number): Promise<void> => {
    const end = expiredEnd(timeToLiveMs)
    if (end > log.oldest) await options.expiring?.(end)
  }

  const newestIngestMs = (): number =>
    log.activeBytes > 0 ? log.activeLastIngestMs : (log.sealed.at(-1)?.lastIngestMs ?? 0)

  const sweep = async (): Promise<void> => {
    const timeToLiveMs = options.timeToLiveMs()
    if (isStopped || timeToLiveMs === undefined) return
    const now = { wallMs: clock.wallMs(), monotonicMs: clock.monotonicMs() }
    const isSuspect = isClockSuspect(last, now, newestIngestMs())
    last = now
    if (isSuspect) {
      restsUntilMs = now.monotonicMs + SUSPECT_CLOCK_PAUSE_MS
      logger.warn('The clock has jumped, so nothing expires for an hour', { stream: streamName })
    } else {
      await announce(timeToLiveMs)
      try {
        await options.exclusively(() => dropExpired(timeToLiveMs))
      } catch (error) {
        logger.warn('Expired segments could not be dropped', { stream: streamName, error: describeError(error) })
      }
    }
    arm(isSuspect ? SUSPECT_CLOCK_PAUSE_MS : sweepPeriodMs(timeToLiveMs))
  }

  const arm = (delayMs: number): void => {
    timer?.cancel()
    if (!isStopped) timer = clock.after(delayMs, () => void sweep())
  }

  return {
    restart() {
      if (options.timeToLiveMs() === undefined) timer?.cancel()
      else arm(Math.max(0, restsUntilMs - clock.monotonicMs()))
    },
    stop() {
      isStopped = true
      timer?.cancel()
    }
  }
}
