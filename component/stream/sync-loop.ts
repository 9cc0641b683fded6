import { backoffDelayMs } from '../base/backoff.ts'
import type { Clock, Timer } from '../base/clock.ts'
import { describeError } from '../base/fault.ts'
import { BACKGROUND_SYNC_INTERVAL_MS } from '../base/limits.ts'
import type { Logger } from '../base/log.ts'
import type { StreamLog } from '../store/stream-log.ts'

/**
 * Makes a stream's records durable: at once for appends that wait for it, where those that arrive during a sync share
 * the next one; otherwise at most a second after they were written (design 3).
 */
export interface SyncLoop {
  /** Calls `acknowledge` when everything written so far is durable. It waits through failures for as long as it takes. */
  whenDurable(acknowledge: () => void): void
  /** Something was written that nobody waits for. */
  written(): void
  /** Syncs what is left and ends; a failure is logged. */
  stop(): Promise<void>
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
  let waiting: (() => void)[] = []
  let timer: Timer | undefined
  let running: Promise<void> | undefined
  let failures = 0
  let isStopped = false

  const syncOnce = async (): Promise<void> => {
    const served = waiting
    waiting = []
    try {
      await log.sync()
    } catch (error) {
      waiting = [...served, ...waiting]
      failures += 1
      if (failures === 1)
        logger.error('A stream cannot be made durable', { stream: streamName, error: describeError(error) })
      return
    }
    if (failures > 0) logger.info('A stream is durable again', { stream: streamName, attempts: failures })
    failures = 0
    for (const acknowledge of served) acknowledge()
    options.durable()
  }

  const run = async (): Promise<void> => {
    timer?.cancel()
    timer = undefined
    do await syncOnce()
    while (waiting.length > 0 && failures === 0)
    running = undefined
    if (failures > 0) armTimer(backoffDelayMs(RETRY, failures, 1))
    else if (log.needsSync) armTimer(BACKGROUND_SYNC_INTERVAL_MS)
  }

  const start = (): Promise<void> => (running ??= run())

  const armTimer = (delayMs: number): void => {
    if (isStopped || timer !== undefined) return
    timer = clock.after(delayMs, () => {
      timer = undefined
      void start()
    })
  }

  return {
    whenDurable(acknowledge) {
      waiting.push(acknowledge)
      if (failures === 0) void start()
    },
    written() {
      if (running === undefined && log.needsSync) armTimer(BACKGROUND_SYNC_INTERVAL_MS)
    },
    async stop() {
      isStopped = true
      timer?.cancel()
      await running
      if (log.needsSync) await syncOnce()
    }
  }
}
