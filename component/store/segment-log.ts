import { assert } from '../base/assert.ts'
import { describeError, Fault } from '../base/fault.ts'
import type { StoredMessage } from '../model/message.ts'
import type { DiskFile } from './disk.ts'
import type { LogContext } from './log-context.ts'
import { LogReader } from './log-reader.ts'
import { retireFile, type LogSegments } from './log-segments.ts'
import { LogSyncer } from './log-syncer.ts'
import { RECORD_HEADER_BYTES } from './record.ts'
import { batchBytes, STEP_BYTES, writeBatch, writeBatchInSteps } from './record-batch.ts'
import { segmentPath } from './segment-name.ts'
import { indexOf, type Segment } from './segment.ts'
import { INDEX_SLOT_BYTES } from './sparse-index.ts'
import { removeQuietly, type NewSegmentFile, type SpareSegment } from './spare-segment.ts'
import type { LogState, MessageOutput, NewRecord, SegmentSummary, StreamLog } from './stream-log.ts'
import { isSpaceError } from './system-error.ts'
import { WriterGate } from './writer-gate.ts'

/** Sealed segments that wait for a sync keep their files open: a roll beyond this number waits for the sync. */
const UNSYNCED_SEALED_MAX = 16

/** The log of one stream over its segments; see StreamLog for the contract and docs/storage-format.md for the files. */
export class SegmentLog implements StreamLog {
  readonly #context: LogContext
  readonly #segments: LogSegments
  readonly #gate = new WriterGate()
  readonly #spare: SpareSegment
  readonly #reader: LogReader
  readonly #syncer: LogSyncer
  #metadata: Buffer
  #rollBytes: number
  #isClosed = false

  constructor(context: LogContext, segments: LogSegments, spare: SpareSegment) {
    this.#context = context
    this.#segments = segments
    this.#spare = spare
    this.#metadata = context.metadata
    this.#rollBytes = context.rollBytes
    this.#reader = new LogReader(context, segments)
    this.#syncer = new LogSyncer(context, segments, this.#gate, () => this.#metadata)
  }

  get oldest(): number {
    return this.#segments.oldest
  }

  get next(): number {
    return this.#segments.next
  }

  get durableNext(): number {
    const { oldest, next, durable, active } = this.#segments
    // Numbers that were given up behind the last record need no sync, nor do dropped ones.
    return this.#context.isVolatile || durable.next >= active.next ? next : Math.max(oldest, durable.next)
  }

  get totalBytes(): number {
    return this.#segments.totalBytes
  }

  get activeBytes(): number {
    return this.#segments.active.bytes
  }

  get activeLastIngestMs(): number {
    return this.#segments.active.lastIngestMs
  }

  get sealed(): readonly SegmentSummary[] {
    return this.#segments.summaries
  }

  get state(): LogState {
    const { keptFrom, next, durable } = this.#segments
    return { oldest: keptFrom, next, durable }
  }

  get needsSync(): boolean {
    return !this.#context.isVolatile && this.#segments.needsSync
  }

  get hasDropped(): boolean {
    return this.#segments.hasDropped
  }

  recordBytes(payloadBytes: number): number {
    return RECORD_HEADER_BYTES + payloadBytes
  }

  append(records: readonly NewRecord[]): Promise<void> | undefined {
    this.#requireOpen()
    if (records.length === 0) return undefined
    const bytes = batchBytes(records)
    const isQuick = bytes <= STEP_BYTES && !this.#gate.isBusy && !this.#segments.active.isClosedForWriting
    if (!isQuick) return this.#appendSlowly(records, bytes)
    this.#requireDurability()
    const { active, next } = this.#segments
    this.#writeNow(active, records, next, bytes)
    return undefined
  }

  roll(): Promise<void> | undefined {
    this.#requireOpen()
    const { active } = this.#segments
    if (active.bytes === 0 && !this.#gate.isBusy) return undefined
    const ready = this.#gate.isBusy || this.#needsSyncBeforeRoll() ? undefined : this.#spare.ready
    if (ready === undefined || this.#segments.isAfterGap) return this.#rollSlowly()
    this.#startSegment(ready)
    return undefined
  }

  sync(): Promise<void> {
    this.#requireOpen()
    return this.needsSync || this.#syncer.refusal !== undefined ? this.#syncer.sync() : Promise.resolve()
  }

  dropOldestSegment(): SegmentSummary | undefined {
    this.#requireOpen()
    const segment = this.#segments.sealed[0]
    if (segment !== undefined) this.#reader.close(segment)
    return this.#segments.dropOldest()
  }

  removeDropped(below: number): void {
    this.#requireOpen()
    const { disk, folder, logger } = this.#context
    const dropped = this.#segments.takeDropped(below)
    for (const [index, segment] of dropped.entries()) {
      this.#reader.close(segment)
      try {
        disk.removeFile(segmentPath(folder, segment.base))
      } catch (error) {
        this.#segments.keepDropped(dropped.slice(index))
        logger.warn('A dropped segment cannot be removed yet', { folder, error: describeError(error) })
        return
      }
    }
  }

  read(
    from: number,
    limit: number,
    countMax: number,
    bytesMax: number,
    memory?: Buffer
  ): Promise<readonly StoredMessage[]> {
    this.#requireOpen()
    return this.#reader.read(from, limit, countMax, bytesMax, memory)
  }

  readInto(
    output: MessageOutput,
    from: number,
    limit: number,
    countMax: number,
    bytesMax: number,
    wholeBytes?: number
  ): Promise<void> {
    this.#requireOpen()
    return this.#reader.readInto(output, from, limit, countMax, bytesMax, wholeBytes)
  }

  setRollBytes(bytes: number): void {
    this.#rollBytes = bytes
  }

  setMetadata(metadata: Buffer): void {
    this.#requireOpen()
    this.#metadata = metadata
    this.#spare.setMetadata(metadata)
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#syncer.close()
    this.#spare.close()
    this.#reader.close()
    for (const segment of [...this.#segments.sealed, this.#segments.active]) retireFile(segment)
  }

  #requireOpen(): void {
    if (this.#isClosed) throw new Fault('the log is closed')
  }

  /** @throws Fault while written records cannot be made durable */
  #requireDurability(): void {
    const { refusal } = this.#syncer
    if (refusal !== undefined) throw refusal
  }

  async #appendSlowly(records: readonly NewRecord[], bytes: number): Promise<void> {
    while (this.#segments.active.isClosedForWriting) await this.#rollSlowly()
    await this.#gate.run(async () => {
      this.#requireOpen()
      this.#requireDurability()
      const { active, next } = this.#segments
      if (bytes <= STEP_BYTES) this.#writeNow(active, records, next, bytes)
      else await this.#writeInSteps(active, records, next, bytes)
    })
  }

  #writeNow(segment: Segment, records: readonly NewRecord[], next: number, bytes: number): void {
    const { file, end } = openActive(segment)
    try {
      writeBatch(file, end, records, next, this.#context.seed)
    } catch (error) {
      this.#undoWrite(segment, records, error)
      throw error
    }
    this.#written(segment, records, bytes)
  }

  async #writeInSteps(segment: Segment, records: readonly NewRecord[], next: number, bytes: number): Promise<void> {
    const { end } = openActive(segment)
    try {
      await segment.file?.use((file) => writeBatchInSteps(file, end, records, next, this.#context.seed))
    } catch (error) {
      if (!this.#isClosed) this.#undoWrite(segment, records, error)
      throw error
    }
    this.#requireOpen()
    this.#written(segment, records, bytes)
  }

  /** Takes back what a failed write left behind (reliability 3.1.2). */
  #undoWrite(segment: Segment, records: readonly NewRecord[], error: unknown): void {
    const { file, end } = openActive(segment)
    // A disk that failed once is not trusted with this file again; one that was full takes more later (ST1, ST8).
    if (!isSpaceError(error)) segment.isClosedForWriting = true
    segment.cuts++
    if (!this.#context.isVolatile) segment.syncedEnd = Math.min(segment.syncedEnd, end - 1)
    try {
      file.truncate(end)
    } catch (truncateError) {
      segment.isClosedForWriting = true
      eraseQuietly(file, end, records)
      this.#context.logger.error('A failed write cannot be taken back, the segment is closed', {
        path: segmentPath(this.#context.folder, segment.base),
        error: describeError(truncateError)
      })
    }
  }

  #written(segment: Segment, records: readonly NewRecord[], bytes: number): void {
    const segments = this.#segments
    const index = indexOf(segment)
    const { start, end } = openActive(segment)
    let offset = end
    let nextSlotOffset = 0
    let { lastIngestMs } = segment
    for (const { payload, ingestTimeMs } of records) {
      if (offset >= nextSlotOffset) {
        index.note(segments.next, offset)
        nextSlotOffset = offset - (offset % INDEX_SLOT_BYTES) + INDEX_SLOT_BYTES
      }
      lastIngestMs = Math.max(lastIngestMs, ingestTimeMs)
      offset += RECORD_HEADER_BYTES + payload.length
      segments.next++
    }
    segment.lastIngestMs = lastIngestMs
    assert(offset === end + bytes, 'the written bytes are those of the records')
    segment.layout = { start, end: offset }
    segment.next = segments.next
    segment.bytes += bytes
    segments.totalBytes += bytes
    if (segment.bytes * 2 > this.#rollBytes) this.#spare.prepare()
  }

  #needsSyncBeforeRoll(): boolean {
    if (!this.needsSync) return false
    return this.#segments.isAfterGap || this.#segments.unsynced().length > UNSYNCED_SEALED_MAX
  }

  async #rollSlowly(): Promise<void> {
    // Outside of the gate: after a failure the sync itself needs it.
    if (this.#needsSyncBeforeRoll()) await this.sync()
    await this.#gate.run(async () => {
      this.#requireOpen()
      const { active } = this.#segments
      if (active.bytes === 0 && !active.isClosedForWriting) return
      const made = await this.#spare.make(this.#segments.isAfterGap)
      this.#requireOpen()
      this.#startSegment(made)
    })
  }

  /** Gives a new file its name and makes it the active segment. */
  #startSegment(made: NewSegmentFile): void {
    const { disk, folder } = this.#context
    const { active: previous, next } = this.#segments
    disk.rename(made.path, segmentPath(folder, next))
    this.#spare.taken()
    this.#segments.startSegment(made)
    if (previous.bytes === 0 && previous.base !== next) removeQuietly(this.#context, segmentPath(folder, previous.base))
  }
}

/** Refused records must not be found by a later recovery: without their headers they are none. */
function eraseQuietly(file: DiskFile, start: number, records: readonly NewRecord[]): void {
  const nothing = Buffer.alloc(RECORD_HEADER_BYTES)
  let offset = start
  try {
    for (const { payload } of records) {
      file.write([nothing], offset)
      offset += RECORD_HEADER_BYTES + payload.length
    }
  } catch {
    // The failed truncation is reported; there is nothing else to be done with this file.
  }
}

function openActive(segment: Segment): {
  readonly file: DiskFile
  readonly start: number
  readonly end: number
} {
  assert(segment.file !== undefined && segment.layout !== undefined, 'the active segment is open')
  return { file: segment.file.file, ...segment.layout }
}
