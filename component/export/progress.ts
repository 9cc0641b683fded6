import { startSequenceNumberOf, type ExportDefinition } from '../model/export-definition.ts'
import type { ExportStatus } from '../model/stream-info.ts'
import type { ExportProgress } from './source.ts'

/** An export that has not sent anything yet. @param oldest first number that is stored: what is gone is no loss to it */
export function initialProgress(definition: ExportDefinition, oldest: number): ExportProgress {
  const start = startSequenceNumberOf(definition)
  const next = start > BigInt(oldest) ? start : BigInt(oldest)
  return { next, startSequenceNumber: start, exportedBytes: 0, processedMessages: 0, skippedMessages: 0 }
}

/** Where an export of tasks tells what becomes of them, which its record needs when its definition is gone. */
export function statusConfigOf(definition: ExportDefinition): ExportProgress['statusConfig'] {
  return definition.kind === 's3' ? definition.statusConfig : undefined
}

/**
 * The progress under a new version of the definition: another startSequenceNumber than the one that the position was
 * derived from moves the position there, an unchanged one has no effect (behaviour 3.7). Counters go on.
 */
export function progressUnder(definition: ExportDefinition, progress: ExportProgress): ExportProgress {
  const start = startSequenceNumberOf(definition)
  return progress.startSequenceNumber === start ? progress : { ...progress, next: start, startSequenceNumber: start }
}

/** What describe says about an export (behaviour 3.6). Jumping over removed data before the first success stays invisible. */
export function exportStatusOf(
  definition: ExportDefinition,
  progress: ExportProgress,
  errorMessage: string | undefined
): ExportStatus {
  const reached = progress.processedMessages === 0 ? progress.startSequenceNumber : progress.next
  return {
    exportConfigIdentifier: definition.identifier,
    lastExportedSequenceNumber: reached - 1n,
    ...(progress.lastExportTimeMs === undefined ? {} : { lastExportTimeMs: progress.lastExportTimeMs }),
    ...(errorMessage === undefined ? {} : { errorMessage }),
    exportedBytesFromStream: progress.exportedBytes,
    exportedMessagesCount: progress.processedMessages
  }
}
