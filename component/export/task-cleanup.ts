import { backoffDelayMs, type BackoffPolicy } from '../base/backoff.ts'
import { sleep, type Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import type { S3TaskExport } from '../model/export-definition.ts'
import type { Pace, RunStep, TaskEvent } from './task.ts'

/** An unfinished upload of a task that is gone is worth a few requests. */
const ATTEMPTS_MAX = 3
const RETRY: BackoffPolicy = { firstMs: 2_000, maxMs: 30_000 }

export interface CleanUpContext {
  readonly clock: Clock
  readonly random: Random
  readonly runStep: RunStep
  readonly pace: Pace
  /** True once the server stops: nothing that can be left out is done any more. */
  isStopping(): boolean
  /** Aborted then. */
  readonly stopping: AbortSignal
}

/**
 * Gives up what the destination holds of a task that will not be finished. Tries a few times. Never rejects.
 * @returns what is to be told when it did not work
 */
export async function cleanUpTask(
  context: CleanUpContext,
  streamName: string,
  definition: S3TaskExport,
  state: string
): Promise<readonly TaskEvent[]> {
  const never = new AbortController().signal
  for (let attempt = 1; ; attempt++) {
    const step = { streamName, definition, message: undefined, action: 'abort', state, resumed: false } as const
    const outcome = await context.runStep(step, context.pace, never)
    if (outcome.kind !== 'retryLater' || context.isStopping()) return []
    if (attempt === ATTEMPTS_MAX) return outcome.events
    await sleep(context.clock, backoffDelayMs(RETRY, attempt, context.random.fraction()), context.stopping)
    if (context.isStopping()) return []
  }
}
