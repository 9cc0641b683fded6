import type { AwsEnvironment } from '../aws/index.ts'
import type { LogFields, LogLevel } from '../base/log.ts'
import type { SendOutcome } from '../export/sink.ts'
import type { ExportDefinition } from '../model/export-definition.ts'

/** What the worker has to know before its first batch. Holds secrets: never logged. */
export interface ExporterSettings {
  /** Version of this program, for the User-Agent. */
  readonly version: string
  readonly aws: AwsEnvironment
  /** Undefined when the deployment leaves it at its default (behaviour 8). */
  readonly kinesisInterCallDelayMs: number | undefined
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
      /** A packed batch, see packed-batch.ts; it is transferred, not copied. */
      readonly packed: ArrayBuffer
    }
  /** The outcome is not wanted any more; the worker still answers. */
  | { readonly kind: 'abort'; readonly id: number }

/** From the worker to the main thread. */
export type FromExporterWorker =
  /** Exactly one for each `send`. */
  | { readonly kind: 'outcome'; readonly id: number; readonly outcome: SendOutcome }
  | { readonly kind: 'log'; readonly level: LogLevel; readonly message: string; readonly fields: LogFields }
