import type { AwsEnvironment } from '../aws/index.ts'
import type { LogFields, LogLevel } from '../base/log.ts'
import type { SendOutcome } from '../export/sink.ts'
import type { StepOutcome, TaskStep } from '../export/task.ts'
import type { ExportDefinition } from '../model/export-definition.ts'
import type { S3Settings } from '../sinks/s3/settings.ts'

/** What the worker has to know before its first batch. Holds secrets: never logged. */
export interface ExporterSettings {
  /** Version of this program, for the User-Agent. */
  readonly version: string
  readonly aws: AwsEnvironment
  /** Undefined when the deployment leaves it at its default (behaviour 8). */
  readonly kinesisInterCallDelayMs: number | undefined
  readonly s3: S3Settings
}

/** From the main thread to the worker; `start` comes first, once. */
export type ToExporterWorker =
  | { readonly kind: 'start'; readonly settings: ExporterSettings }
  | {
      readonly kind: 'send'
      /** Unique among the batches of this worker. */
      readonly id: number
      readonly streamName: string
      readonly definition: ExportDefinition
      /** The memory of a batch, see export/message-batch.ts; it is transferred, not copied. */
      readonly packed: ArrayBuffer
    }
  | {
      readonly kind: 'step'
      /** Unique among the batches and steps of this worker. */
      readonly id: number
      readonly step: Omit<TaskStep, 'message'>
      /** The message of the task, packed as a batch of one; transferred. */
      readonly packed: ArrayBuffer | undefined
    }
  /** The token for the credential endpoint has changed. */
  | { readonly kind: 'token'; readonly token: string }
  /** A body may go on with the bytes that it asked for. */
  | { readonly kind: 'paced'; readonly id: number }
  /** Asks for a `pong`. */
  | { readonly kind: 'ping' }
  /** The outcome is not wanted any more; the worker still answers. */
  | { readonly kind: 'abort'; readonly id: number }

/** From the worker to the main thread. */
export type FromExporterWorker =
  /** Exactly one for each `send`; it brings the memory of the batch back. */
  | { readonly kind: 'outcome'; readonly id: number; readonly outcome: SendOutcome; readonly packed: ArrayBuffer }
  /** Exactly one for each `step`. */
  | { readonly kind: 'stepped'; readonly id: number; readonly outcome: StepOutcome }
  /** The body of a step wants to send so many bytes; at most one such wish at a time. */
  | { readonly kind: 'pace'; readonly id: number; readonly bytes: number }
  /** The destination has taken a part of the request; about once a second while it does. */
  | { readonly kind: 'progress'; readonly id: number }
  /** A body of so many bytes begins to be sent; told only where the bandwidth is limited. */
  | { readonly kind: 'began'; readonly id: number; readonly bodyBytes: number }
  /** The event loop of the worker turns. */
  | { readonly kind: 'pong' }
  | { readonly kind: 'log'; readonly level: LogLevel; readonly message: string; readonly fields: LogFields }
