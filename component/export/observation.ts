import type { ExportDefinition } from '../model/export-definition.ts'
import type { Accounting } from './account.ts'

/**
 * What an export is doing. `unavailable`: it cannot be done here; `batching`: it waits for a full batch or for the batch
 * interval; `queued`: for a slot; `retrying`: after a failure; `pausing`: because its destination asked for it.
 */
export const EXPORT_ACTIVITIES = [
  'unavailable',
  'disabled',
  'idle',
  'batching',
  'queued',
  'sending',
  'retrying',
  'pausing',
  'stopped'
] as const
export type ExportActivity = (typeof EXPORT_ACTIVITIES)[number]

/** One export as an operator sees it. */
export interface ExportObservation {
  readonly definition: ExportDefinition
  readonly activity: ExportActivity
  readonly accounting: Accounting
  /** Payload bytes, and messages, that the destination has accepted, repetitions included; over restarts. */
  readonly exportedBytes: number
  readonly exportedMessages: number
  /** Wall clock of the last attempt; absent before the first. */
  readonly lastAttemptMs: number | undefined
  /** Error of the last attempt; absent after a success. */
  readonly errorMessage: string | undefined
  /** Failed attempts since the last success. */
  readonly failedAttempts: number
  /** Wall clock of the next attempt, when it is known. */
  readonly nextAttemptMs: number | undefined
}
