import { backoffDelayMs, type BackoffPolicy } from '../base/backoff.ts'
import { sleep, type Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import type { Logger } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import type { Nucleus } from './nucleus.ts'

/** Pauses between attempts to tell the nucleus something that it did not take. */
const REPEAT: BackoffPolicy = { firstMs: 1_000, maxMs: 60_000 }

export interface AnnounceOptions {
  readonly nucleus: Nucleus
  /** Port that the server listens on. */
  readonly port: number
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  /** Ends the attempts. */
  readonly signal: AbortSignal
}

/** Resolves after the first attempt; a failed one is repeated in the background until it succeeds. */
async function tell(what: string, attempt: () => Promise<void>, options: AnnounceOptions): Promise<void> {
  const { clock, random, log, signal } = options
  const isStopped = (): boolean => signal.aborted
  const succeeds = async (failures: number): Promise<boolean> => {
    try {
      await attempt()
      if (failures > 0) log.info('The nucleus has been told after all', { what })
      return true
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      if (!isStopped())
        (failures === 0 ? log.warn : log.debug)('The nucleus could not be told; the server goes on', {
          what,
          reason: error.message
        })
      return false
    }
  }
  const repeat = async (): Promise<void> => {
    for (let failures = 1; !isStopped(); failures += 1) {
      await sleep(clock, backoffDelayMs(REPEAT, failures, random.fraction()), signal)
      if (isStopped() || (await succeeds(failures))) return
    }
  }
  if (!(await succeeds(0))) void repeat()
}

/**
 * Publishes the port and reports the component RUNNING, in this order, as others look for the port once it runs (behaviour
 * 2, rules 3 and 4). What the nucleus does not take now is told again later: on nucleus lite the start of the component
 * counts as failed without the report (greengrass 2.3).
 */
export async function announce(options: AnnounceOptions): Promise<void> {
  const { nucleus, port } = options
  await tell('port', () => nucleus.publishPort(port), options)
  await tell('RUNNING', () => nucleus.reportRunning(), options)
}
