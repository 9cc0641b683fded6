import type { ArrayBufferPool } from '../base/buffer-pool.ts'
import type { S3TaskExport } from '../model/export-definition.ts'
import type { StoredMessage } from '../model/message.ts'
import type { Removal } from '../model/removal.ts'
import type { Account } from './account.ts'
import type { MessageBatch } from './message-batch.ts'

/** The side of a stream that the export engine sees. */
export interface ExportSource {
  /** Differs between a deleted stream and a later one of the same name. */
  readonly streamId: string
  readonly streamName: string
  /** First stored sequence number; equals `durableNext` or more when nothing is stored. */
  readonly oldest: number
  /** Messages below this number survive a power cut; exports send no others (reliability section 0, rule 8). */
  readonly durableNext: number
  /** The next number to be given: what is stored lies below it, durable or not. */
  readonly storedNext: number
  /** What retention has removed and why, oldest first, without overlap; what else is missing was damaged. */
  readonly removals: readonly Removal[]
  /**
   * Reads durable messages from `from` on, in order; removed or damaged ones are left out.
   * @param bytesMax bound on the payload bytes; the first message is returned whatever its size
   * @returns at most `countMax` messages; none when there is nothing durable at or after `from`
   * @throws Fault when the disk cannot be read
   */
  read(from: number, countMax: number, bytesMax: number): Promise<readonly StoredMessage[]>
  /** Like `read`, into memory of the pool, to which whoever has the batch gives it back. */
  readBatch(from: number, countMax: number, bytesMax: number, pool: ArrayBufferPool): Promise<MessageBatch>
  /** Like `read`, but messages that are not durable yet are read as well. */
  readStored(from: number, countMax: number, bytesMax: number): Promise<readonly StoredMessage[]>
  /** Time to live of the messages; undefined when they do not expire. */
  readonly timeToLiveMs: number | undefined
  /**
   * Calls `listener` before messages are dropped because they have expired, and waits for it.
   * `before`: messages below this number are dropped. Returns the function that ends it.
   */
  onExpiring(listener: (before: number) => Promise<void>): () => void
  /** Calls `listener` whenever `durableNext` has grown. Returns the function that ends it. */
  onDurable(listener: () => void): () => void
}

/** What is remembered of one export across restarts. */
export interface ExportProgress {
  /** The next number to send. Starts at the definition's startSequenceNumber. */
  readonly next: bigint
  /** The startSequenceNumber that `next` was derived from: another one in an update moves the position. */
  readonly startSequenceNumber: bigint
  /** Wall clock of the last attempt, milliseconds since the epoch. */
  readonly lastExportTimeMs?: number
  /** Payload bytes accepted by the destination. */
  readonly exportedBytes: number
  /** Messages accepted or skipped. */
  readonly processedMessages: number
  /** Messages skipped because the destination can never accept them. */
  readonly skippedMessages: number
  /** What became of every message up to `next`; absent in records of earlier versions. */
  readonly account?: Account
  /** What the destination has to know of the task at `next` that was begun; a text that it alone understands. */
  readonly task?: string | undefined
  /** Of an S3 export, where its tasks are told of: should the export be gone, its definition is, too. */
  readonly statusConfig?: S3TaskExport['statusConfig'] | undefined
  /** Of an S3 export that is gone: why its tasks are cancelled, and the first number of which it knew nothing. */
  readonly ended?: { readonly reason: string; readonly below: number } | undefined
}

/**
 * Where the engine leaves its progress; the owner makes it durable at most a second later. An identifier with a slash is
 * that of an export which has ended.
 */
export interface ProgressStore {
  save(streamId: string, identifier: string, progress: ExportProgress): void
  remove(streamId: string, identifier: string): void
}
