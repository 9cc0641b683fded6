import { backoffDelayMs } from '../base/backoff.ts'
import type { Clock, Timer } from '../base/clock.ts'
import { describeError, Fault } from '../base/fault.ts'
import { BACKGROUND_SYNC_INTERVAL_MS } from '../base/limits.ts'
import type { Logger } from '../base/log.ts'
import type { Failure } from '../model/failure.ts'
import type { StreamLog } from '../store/stream-log.ts'
import { createSyncGathering } from './sync-gathering.ts'

/** Called once: without a failure when the records are durable, with one when the stream ended before. */
export type SyncDone = (failure: Failure | undefined) => void

/**
 * Makes a stream's records durable: at once for appends that wait for it, where those that arrive during a sync share
 * the next one; otherwise at most a second after they were written (design 3).
 */
export interface SyncLoop {
  /** Calls `done` when everything written so far is durable. It waits through failures for as long as it takes. */
  whenDurable(done: SyncDone): void
  /** Something was written that nobody waits for. */
  written(): void
  /** Syncs what is left, once, and ends; whom that does not serve hears `failure`. */
  stop(failure: Failure): Promise<void>
  /** Ends without a sync: nobody wants the records any more. Everybody who waits hears `failure`. */
  drop(failure: Failure): void
}

const RETRY = { firstMs: 500, maxMs: 10_000 }

/** The sync loop of one stream. `durable` is called after each rise of the log's durableNext. */
export function createSyncLoop(options: {
  readonly log: StreamLog
  readonly clock: Clock
  readonly logger: Logger
  readonly streamName: string
  readonly durable: () => void
}): SyncLoop {
  const { log, clock, logger, streamName } = options
  let waiting: SyncDone[] = []
  const gathering = createSyncGathering(clock)
  let timer: Timer | undefined
  let running: Promise<void> | undefined
  let failures = 0
  let endedBecause: Failure | undefined
  let isDropped = false

  const refuseWaiting = (failure: Failure): void => {
    const refused = waiting
    waiting = []
    for (const done of refused) done(failure)
  }

  const syncOnce = async (): Promise<void> => {
    const served = waiting
    waiting = []
    const beganMs = clock.monotonicMs()
    try {
      await log.sync()
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      waiting = [...served, ...waiting]
      failures += 1
      if (isDropped && endedBecause !== undefined) {
        refuseWaiting(endedBecause)
        return
      }
      if (failures === 1)
        logger.error('A stream cannot be made durable', { stream: streamName, error: describeError(error) })
      return
    }
    if (failures > 0) logger.info('A stream is durable again', { stream: streamName, attempts: failures })
    failures = 0
    gathering.served(served.length, clock.monotonicMs() - beganMs, waiting.length)
    for (const done of served) done(undefined)
    if (!isDropped) options.durable()
  }

  const run = async (): Promise<void> => {
    timer?.cancel()
    timer = undefined
    do {
      const gathered = waiting.length > 0 ? gathering.gather(() => waiting.length) : undefined
      if (gathered !== undefined) await gathered
      if (!isDropped) await syncOnce()
    } while (waiting.length > 0 && failures === 0 && !isDropped)
    running = undefined
    if (failures > 0) armTimer(backoffDelayMs(RETRY, failures, 1))
    else if (log.needsSync) armTimer(BACKGROUND_SYNC_INTERVAL_MS)
  }

  const start = (): Promise<void> => (running ??= run())

  const armTimer = (delayMs: number): void => {
    if (endedBecause !== undefined || timer !== undefined) return
    timer = clock.after(delayMs, () => {
      timer = undefined
      void start()
    })
  }

  return {
    whenDurable(done) {
      if (endedBecause !== undefined) {
        done(endedBecause)
        return
      }
      waiting.push(done)
      gathering.waits(waiting.length)
      if (failures === 0) void start()
    },
    written() {
      if (running === undefined && log.needsSync) armTimer(BACKGROUND_SYNC_INTERVAL_MS)
    },
    async stop(failure) {
      endedBecause = failure
      timer?.cancel()
      await running
      if (log.needsSync || waiting.length > 0) await syncOnce()
      refuseWaiting(failure)
    },
    drop(failure) {
      endedBecause = failure
      isDropped = true
      timer?.cancel()
      refuseWaiting(failure)
    }
  }
}
