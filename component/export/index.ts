export {
  DROP_CAUSES,
  PASSED_OVER,
  type Account,
  type Accounting,
  type AccountRange,
  type DropCause
} from './account.ts'
export { createDeadLetters } from './dead-letters.ts'
export { createExportEngine, type ExportEngine, type ExportEngineOptions } from './engine.ts'
export { EXPORT_ACTIVITIES, type ExportActivity, type ExportObservation } from './observation.ts'
export { createExportedBelow, type ExportedBelow } from './exported-below.ts'
export { decodeProgress, encodeProgress } from './progress-codec.ts'
export { parseS3Task, type ParsedTask, type S3Task } from './s3-task.ts'
export type { AppendStatus } from './status-writer.ts'
export { exportSourceOf } from './stream-source.ts'
export type { BatchLimits, ExportBatch, SendBatch, SendOutcome, Sink } from './sink.ts'
export type { ExportProgress, ExportSource, ProgressStore } from './source.ts'
export type { Pace, RunStep, StepOutcome, TaskStep } from './task.ts'
export type { KindTotals } from './totals.ts'
