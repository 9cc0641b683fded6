import type { StoredMessage } from '../model/message.ts'

/** What is known of a sealed segment, so that a start need not read it. */
export interface SegmentSummary {
  /** First sequence number the segment may hold; also its file name. */
  readonly base: number
  /** One more than the last sequence number in it; equals the base of the segment behind it. */
  readonly next: number
  /** Bytes of its records including their headers. */
  readonly bytes: number
  /** Wall clock of its newest record, milliseconds since the epoch. */
  readonly lastIngestMs: number
}

/** The point up to which a log survives a power cut, as the catalogue remembers it (at most a second old). */
export interface DurablePoint {
  /** Segment that was active. */
  readonly segmentBase: number
  /** Length of its file up to which all bytes are synced. */
  readonly offset: number
  /** One more than the last synced sequence number. */
  readonly next: number
  /** Wall clock of the newest synced record; 0 when there is none. */
  readonly lastIngestMs: number
}

/** What the catalogue remembers of a log. */
export interface LogState {
  /** Segments wholly below this number are removed at the next open: retention had dropped them. */
  readonly oldest: number
  /** Numbers below this one have been given, whatever the files say. */
  readonly next: number
  readonly durable: DurablePoint
}

/** One message to append. `payload` must not change until the append is done. */
export interface NewRecord {
  readonly payload: Buffer
  readonly ingestTimeMs: number
}

/** Takes the messages of a read. */
export interface MessageOutput {
  /** Messages taken so far. */
  readonly count: number
  /** Memory for bytes of a segment, among them payloads that are taken later; undefined when there is none. */
  memory(bytes: number): Buffer | undefined
  /** @param payload in memory that `memory` gave, or anywhere else */
  take(sequenceNumber: number, ingestTimeMs: number, payload: Buffer): void
}

/**
 * The segment log of one stream: append-only files, or their like in memory. One writer: while a promise returned by
 * `append`, `roll` or `sync`-after-failure is pending, no other append or roll may be started; reads and `sync` may.
 *
 * Numbers: `oldest <= durableNext <= next`. Readers see numbers below `next`, exports those below `durableNext`.
 */
export interface StreamLog {
  /** First stored sequence number; equals `next` when nothing is stored. */
  readonly oldest: number
  /** The number that the next record gets. */
  readonly next: number
  /** Records below this number survive a power cut. For memory logs always `next`. */
  readonly durableNext: number
  /** Bytes of all stored records including their headers: the measure of maxSize. */
  readonly totalBytes: number
  /** Bytes of the records in the active segment. */
  readonly activeBytes: number
  /** Wall clock of the newest record in the active segment; 0 when it is empty. */
  readonly activeLastIngestMs: number
  /** Sealed segments, oldest first; dropped ones are not listed. */
  readonly sealed: readonly SegmentSummary[]
  /** The state to put into the catalogue. */
  readonly state: LogState

  /** Bytes that a message with this payload occupies in the log. */
  recordBytes(payloadBytes: number): number
  /**
   * Appends all records to the active segment, in order, or none: they take the numbers from `next` on. Done at once
   * when undefined is returned; large batches are written without blocking the event loop and return a promise.
   * When it is done the operating system holds all bytes.
   * @throws Fault (also as a rejection) when they could not be written; nothing of them is visible then or later
   */
  append(records: readonly NewRecord[]): Promise<void> | undefined
  /**
   * Seals the active segment and starts a new one, whose header and folder entry are durable before it is used.
   * Done at once when undefined is returned. Does nothing when the active segment is empty.
   * @throws Fault (also as a rejection) when the new segment cannot be made; the old one then stays active
   */
  roll(): Promise<void> | undefined
  /**
   * Makes everything written before the call durable and raises `durableNext`. Concurrent calls share one sync where
   * that is correct: a call is never satisfied by a sync that started before it. After a failed sync the records that
   * were not durable are copied to a new segment and synced there (reliability 3.1.6).
   * @throws Fault when they could not be made durable anywhere; appends then throw until a later sync works
   */
  sync(): Promise<void>
  /** True when something written has not been synced yet. */
  readonly needsSync: boolean
  /** Drops the oldest sealed segment from the log; its file stays until `removeDropped`. Returns its summary, if there was one. */
  dropOldestSegment(): SegmentSummary | undefined
  /** Removes the files of dropped segments wholly below `below`; call it once the catalogue holds that `oldest`. */
  removeDropped(below: number): void
  /** True when `removeDropped` has work to do. */
  readonly hasDropped: boolean
  /**
   * Reads verified records from `from` on, in order; removed and damaged ones are left out.
   * @param limit records at or above this number are not returned
   * @param countMax at most so many records
   * @param bytesMax bound on the payload bytes; the first record is returned whatever its size
   * @param memory where the messages may be put, if they fit; they are then good for as long as it is
   * @throws Fault when the disk cannot be read and no record could be returned
   */
  read(
    from: number,
    limit: number,
    countMax: number,
    bytesMax: number,
    memory?: Buffer
  ): Promise<readonly StoredMessage[]>
  /**
   * Like `read`, for whoever makes something else of the messages than an array.
   * @param wholeBytes so many are read before the first pause for others; the pauses come slice by slice then. 2 MiB by default
   */
  readInto(
    output: MessageOutput,
    from: number,
    limit: number,
    countMax: number,
    bytesMax: number,
    wholeBytes?: number
  ): Promise<void>
  /** The size at which the caller will roll, so that the next segment can be made ahead of time. */
  setRollBytes(bytes: number): void
  /** The metadata that headers of later segments carry: enough to rebuild the stream when the catalogue is lost. */
  setMetadata(metadata: Buffer): void
  /** Closes the files without syncing. Later calls throw. */
  close(): void
}

/** What recovery found and did, for the log and for the operator. */
export interface RecoveryReport {
  /** Bytes cut from the end of the active segment. */
  readonly cutBytes: number
  /** Ranges of numbers that were lost to damage, `from` inclusive, `to` exclusive. */
  readonly lost: readonly { readonly from: number; readonly to: number }[]
  /** Segment files that were expected and are not there, by base. */
  readonly missingSegments: readonly number[]
}
