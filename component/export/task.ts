import type { S3TaskExport, StatusLevel } from '../model/export-definition.ts'
import type { StoredMessage } from '../model/message.ts'
import type { OnProgress } from './sink.ts'

/*
 * An S3 export works through tasks, each of which may take many requests. A task is done in steps: one step is one
 * request to the destination, or the look at the file before the first one. Steps hold a slot each, so that a long upload
 * does not keep other exports waiting (behaviour 6.3).
 *
 * The destination's side holds nothing between steps: what it has to know is in the state, a text that it alone
 * understands. The engine keeps that durably before it asks for the next step (reliability 1.3).
 */

/** What a status message tells of a task (behaviour 10.6). */
export interface TaskEvent {
  readonly level: StatusLevel
  readonly status: TaskStatus
  readonly message: string
  /** Key of the object that was written, when it was. */
  readonly resolvedKey?: string
}

export type TaskStatus = 'success' | 'failure' | 'inProgress' | 'warning' | 'canceled'

/** One step to be done. */
export interface TaskStep {
  readonly streamName: string
  readonly definition: S3TaskExport
  /** The message that holds the task. Not there when `action` is abort. */
  readonly message: StoredMessage | undefined
  /** abort: nothing more will be sent, clean up what the destination holds of it. */
  readonly action: 'proceed' | 'abort'
  /** As the last step left it; undefined at the beginning. */
  readonly state: string | undefined
  /** True for the first step after a restart of the server: more may have reached the destination than `state` says. */
  readonly resumed: boolean
}

/** How a step ended. `events` are to be told in any case, in order. */
export type StepOutcome = {
  readonly events: readonly TaskEvent[]
} & (
  | { readonly kind: 'continued'; readonly state: string }
  | { readonly kind: 'succeeded'; readonly bytes: number; readonly message: string; readonly resolvedKey: string }
  /** For good: `<ErrorName>: <message>`. */
  | { readonly kind: 'failed'; readonly reason: string }
  /** The step may be done again; from `state`, if there is one. */
  | { readonly kind: 'retryLater'; readonly reason: string; readonly waitMs?: number; readonly state?: string }
)

/** What a step means for the position of the export. */
export type TaskProgress =
  /** More steps have to follow: go on at once. */
  | { readonly kind: 'continued' }
  /** The task is done with: `bytes` were exported for it, or a `failure` is for good; neither when it was cancelled. */
  | { readonly kind: 'finished'; readonly bytes?: number; readonly failure?: string }
  | { readonly kind: 'retryLater'; readonly reason: string; readonly waitMs?: number }

/** Waits until `bytes` of a request's body may be sent (behaviour 6.4). Resolves at once when `signal` is aborted. */
export type Pace = (bytes: number, signal: AbortSignal) => Promise<void>

/**
 * Does one step; aborting `signal` ends it with `retryLater`. Never rejects.
 * @param onProgress called whenever the destination has taken a part of a body
 */
export type RunStep = (step: TaskStep, pace: Pace, signal: AbortSignal, onProgress?: OnProgress) => Promise<StepOutcome>
