import type { StreamDefinition } from './stream-definition.ts'

/** What describe says about the stored data (behaviour 3.6). */
export interface StorageStatus {
  /** First stored number; for an empty stream the next number to be given. */
  readonly oldestSequenceNumber: number
  /** Last number given; -1 before the first. */
  readonly newestSequenceNumber: number
  /** Bytes of the stored records including their headers, the measure of maxSize. */
  readonly totalBytes: number
}

/** What describe says about one export. */
export interface ExportStatus {
  readonly exportConfigIdentifier: string
  /** `startSequenceNumber - 1` before the first success. */
  readonly lastExportedSequenceNumber: bigint
  /** Wall clock of the last attempt; absent before the first. */
  readonly lastExportTimeMs?: number
  /** Error of the last attempt; absent after a success. */
  readonly errorMessage?: string
  readonly exportedBytesFromStream: number
  readonly exportedMessagesCount: number
}

/** The answer to describe. */
export interface StreamInfo {
  readonly definition: StreamDefinition
  readonly storageStatus: StorageStatus
  readonly exportStatuses: readonly ExportStatus[]
}
