export { createExportEngine, type ExportEngine, type ExportEngineOptions } from './engine.ts'
export type { BatchLimits, ExportBatch, SendBatch, SendOutcome, Sink } from './sink.ts'
export type { ExportProgress, ExportSource, ProgressStore } from './source.ts'
export type { KindTotals } from './totals.ts'
