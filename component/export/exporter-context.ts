import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import type { ExportDefinition } from '../model/export-definition.ts'
import type { DeadLetters } from './dead-letters.ts'
import type { ReadAheads } from './read-ahead.ts'
import type { BatchLimits, SendBatch } from './sink.ts'
import type { Slots } from './slots.ts'
import type { TaskContext } from './task-runner.ts'
import type { ExportTotals } from './totals.ts'

/** What all exporters share. */
export interface ExporterContext {
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly slots: Slots
  readonly totals: ExportTotals
  readonly readAheads: ReadAheads
  readonly sendBatch: SendBatch
  /** Without it there are no S3 exports. */
  readonly tasks: TaskContext | undefined
  /** Keeps what is skipped, if somebody wants it. */
  readonly deadLetters?: DeadLetters
  /** Undefined for an export that cannot be done here. */
  limitsOf(definition: ExportDefinition): BatchLimits | undefined
  /** Called for an export without limits. @returns the text of its errorMessage */
  reportUnavailable(definition: ExportDefinition): string
  /** Bound on the bytes of one request, beside the destination's own. */
  readonly requestBytesMax: number
}
