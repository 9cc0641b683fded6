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

/**
 * Publishes the port and reports the component RUNNING, in this order, as others look for the port once it runs (behaviour
 * 2, rules 3 and 4). Resolves after one attempt. What the nucleus did not take is told again in the background until it
 * does: on nucleus lite the start of the component counts as failed without the report (greengrass 2.3).
 */
export async function announce({ nucleus, port, clock, random, log, signal }: AnnounceOptions): Promise<void> {
  const untold = new Map([
    ['port', () => nucleus.publishPort(port)],
    ['RUNNING', () => nucleus.reportRunning()]
  ])
  const isStopped = (): boolean => signal.aborted

  const tell = async (what: string, attempt: () => Promise<void>, failures: number): Promise<void> => {
    try {
      await attempt()
      untold.delete(what)
      if (failures > 0) log.info('The nucleus has been told after all', { what })
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      const write = failures === 0 && !isStopped() ? log.warn : log.debug
      write('The nucleus could not be told; the server goes on', { what, reason: error.message })
    }
  }

  /** One after another: what comes later in the order must not overtake. */
  const tellAll = async (failures: number): Promise<void> => {
    for (const [what, attempt] of untold) if (!isStopped()) await tell(what, attempt, failures)
  }

  const repeat = async (): Promise<void> => {
    for (let failures = 1; untold.size > 0 && !isStopped(); failures += 1) {
      await sleep(clock, backoffDelayMs(REPEAT, failures, random.fraction()), signal)
      await tellAll(failures)
    }
  }

  await tellAll(0)
  void repeat()
}
