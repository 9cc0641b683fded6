import type { StepOutcome, TaskEvent } from '../../export/task.ts'
import { s3Failure } from './errors.ts'
import type { Requests } from './requests.ts'
import type { TaskState } from './task-state.ts'

/** Where uploads are. */
interface Place {
  /** Of the device; undefined when none is configured. */
  readonly region: string | undefined
  /** Milliseconds since the epoch. */
  wallMs(): number
  /** @param region of the bucket when it is another one than the device's */
  requestsFor(region: string | undefined): Requests
}

/** An upload that could not be given up. */
export interface Leftover {
  readonly warning: TaskEvent
  /** When that may work later: the outcome that has it tried again. */
  readonly again: StepOutcome | undefined
}

export function warning(message: string): TaskEvent {
  return { level: 'warn', status: 'warning', message }
}

/** What is to be told of an upload that stays. */
export function warningsOf(leftover: Leftover | undefined): readonly TaskEvent[] {
  return leftover === undefined ? [] : [leftover.warning]
}

/** Gives an upload in parts up, so that its parts cost nothing. @returns undefined when nothing is left of it */
export async function abortUpload(
  place: Place,
  state: TaskState | undefined,
  signal: AbortSignal
): Promise<Leftover | undefined> {
  if (state?.upload === undefined) return undefined
  try {
    await place.requestsFor(state.region).abort(state, state.upload.id, signal)
    return undefined
  } catch (error) {
    const failure = s3Failure(error, state.region ?? place.region, place.wallMs())
    if (failure.kind === 'uploadLost') return undefined
    return {
      warning: warning(`unfinished upload could not be removed: ${failure.reason}`),
      again: failure.kind === 'retry' ? { ...failure, kind: 'retryLater', events: [] } : undefined
    }
  }
}
