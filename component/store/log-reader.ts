import { Fault } from '../base/fault.ts'
import { KIB, MIB } from '../base/limits.ts'
import { nextSlice, SLICE_BYTES, WHOLE_ANSWER_BYTES_MAX } from '../base/turn.ts'
import type { StoredMessage } from '../model/message.ts'
import type { DiskFile } from './disk.ts'
import type { LogContext } from './log-context.ts'
import type { LogSegments } from './log-segments.ts'
import { RECORD_HEADER_BYTES } from './record.ts'
import { RecordCursor } from './record-cursor.ts'
import { readSegmentHeader } from './segment-header.ts'
import { segmentPath } from './segment-name.ts'
import { READ_WINDOW_BYTES } from './read-windows.ts'
import { indexOf, type Segment, type SegmentLayout } from './segment.ts'
import { SharedFile } from './shared-file.ts'
import type { MessageOutput } from './stream-log.ts'
import { isMissingError } from './system-error.ts'

const WINDOW_BYTES_MIN = 4 * KIB
/** What was written last is still in the system's memory, but for a machine that is out of it. */
const CACHED_TAIL_BYTES = 4 * MIB
/** One window for a usual answer: the checksums of so much take about a millisecond. */
const FIRST_WINDOW_BYTES_MAX = 2 * MIB
/** Readers whose place is remembered, so that going on needs no search. */
const REMEMBERED_PLACES = 8
/** A reader that begins so few numbers behind a remembered place goes on from it, with requests that overtake each other. */
const NUMBERS_AHEAD_MAX = 16
/** Of a window that is read ahead must be enough for so many reads. */
const READS_PER_WINDOW_MIN = 4

/** What a message costs beside its bytes, as bytes whose checksum takes as long. */
const MESSAGE_COST_BYTES = 512

/** Where a record with this number, or the first behind it, starts. */
interface Place {
  readonly sequence: number
  readonly offset: number
}

/** What a read still wants and has. */
interface ReadProgress {
  readonly output: MessageOutput
  payloadBytes: number
  /** Bytes of records looked at since the last pause. */
  sliceBytes: number
  readonly from: number
  readonly limit: number
  readonly countMax: number
  readonly bytesMax: number
}

/** Reads of one log. At most one sealed segment stays open for them. */
export class LogReader {
  readonly #context: LogContext
  readonly #segments: LogSegments
  #opened: { readonly segment: Segment; readonly shared: SharedFile } | undefined
  readonly #places: (Place & { readonly segment: Segment })[] = []
  #nextPlace = 0

  constructor(context: LogContext, segments: LogSegments) {
    this.#context = context
    this.#segments = segments
  }

  /** See StreamLog.read. */
  async read(
    from: number,
    limit: number,
    countMax: number,
    bytesMax: number,
    memory?: Buffer
  ): Promise<readonly StoredMessage[]> {
    const output = new MessageList(memory)
    await this.readInto(output, from, limit, countMax, bytesMax)
    return output.messages
  }

  /** See StreamLog.readInto. */
  async readInto(
    output: MessageOutput,
    from: number,
    limit: number,
    countMax: number,
    bytesMax: number,
    wholeBytes = WHOLE_ANSWER_BYTES_MAX
  ): Promise<void> {
    const progress: ReadProgress = {
      output,
      payloadBytes: 0,
      // The first pause comes when this is no usual answer any more.
      sliceBytes: SLICE_BYTES - Math.max(SLICE_BYTES, wholeBytes),
      from,
      limit,
      countMax,
      bytesMax
    }
    let position = Math.max(from, this.#segments.oldest)
    while (position < Math.min(limit, this.#segments.next) && output.count < countMax) {
      const segment = this.#segments.find(position)
      if (segment === undefined) break
      const end = segment.next
      try {
        if (await this.#readSegment(segment, position, progress)) break
      } catch (error) {
        if (!(error instanceof Fault)) throw error
        if (output.count > 0) break
        throw error
      }
      position = end
    }
  }

  /** Lets go of the open file, or only if it is this segment's. */
  close(segment?: Segment): void {
    if (segment !== undefined) this.#context.windows.forget(segment)
    if (this.#opened === undefined || (segment !== undefined && this.#opened.segment !== segment)) return
    this.#opened.shared.retire()
    this.#opened = undefined
  }

  /** Reads what is wanted of one segment. True: the read is complete. */
  async #readSegment(segment: Segment, from: number, progress: ReadProgress): Promise<boolean> {
    const { windows } = this.#context
    const shared = this.#open(segment)
    if (shared === undefined) return false
    return shared.use(async (file) => {
      const layout = this.#layoutOf(segment, shared)
      const { isGoingOn, ...start } = this.#startOf(segment, from, layout)
      const isCached = segment === this.#segments.active && start.offset >= layout.end - CACHED_TAIL_BYTES
      const windowBytes = estimateWindow(segment, progress)
      const isSmall = windowBytes * READS_PER_WINDOW_MIN <= READ_WINDOW_BYTES && !this.#context.isVolatile
      const window = isSmall ? windows.find(segment, start.offset) : undefined
      const readsAhead = isSmall && isGoingOn && !isCached
      const cursor = new RecordCursor({
        file,
        seed: this.#context.seed,
        start: start.offset,
        end: layout.end,
        bounds: { sequenceMin: start.sequence, sequenceEnd: segment.next },
        windowBytes: readsAhead ? READ_WINDOW_BYTES : windowBytes,
        damage: segment.damage,
        isCached,
        window,
        ...(readsAhead ? {} : { memory: (bytes) => progress.output.memory(bytes) }),
        onDamage: (damageStart, damageEnd) => this.#reportDamage(segment, damageStart, damageEnd)
      })
      const isComplete = await this.#collect(segment, cursor, progress, layout.end)
      if (!isComplete && cursor.position >= layout.end) this.#reportCut(segment, layout, cursor.sequenceMin)
      this.#remember({ segment, sequence: cursor.sequenceMin, offset: cursor.validEnd })
      const isNew = cursor.window.bytes !== window?.bytes && !cursor.hasReadErrors
      if (readsAhead && isNew) windows.keep(segment, cursor.window)
      return isComplete
    })
  }

  /** Takes records until the answer is full (true) or the segment or the limit is reached (false). */
  async #collect(segment: Segment, cursor: RecordCursor, progress: ReadProgress, end: number): Promise<boolean> {
    const { output, from, limit, countMax, bytesMax } = progress
    const index = indexOf(segment)
    while (cursor.sequenceMin < limit) {
      if (output.count >= countMax) return true
      if (output.count > 0) cursor.payloadBytesMax = bytesMax - progress.payloadBytes
      // A record that is too long for this answer begins the next one.
      if (!cursor.nextInWindow() && !(await cursor.next())) return cursor.position < end
      index.note(cursor.sequence, cursor.offset)
      progress.sliceBytes += cursor.bytes + MESSAGE_COST_BYTES
      if (progress.sliceBytes >= SLICE_BYTES) {
        progress.sliceBytes = 0
        await nextSlice()
      }
      if (cursor.sequence < from) continue
      if (cursor.sequence >= limit) return true
      const { sequence, ingestTimeMs } = cursor
      const view = cursor.payload()
      const payload = view instanceof Promise ? await view : view
      output.take(sequence, ingestTimeMs, payload)
      progress.payloadBytes += payload.length
    }
    return false
  }

  /** The segment's file, opened if need be; undefined when it has vanished and counts as expired. */
  #open(segment: Segment): SharedFile | undefined {
    if (segment.file !== undefined) return segment.file
    if (this.#opened?.segment === segment) return this.#opened.shared
    if (segment.isVanished) return undefined
    const path = segmentPath(this.#context.folder, segment.base)
    try {
      const shared = new SharedFile(this.#context.disk.openFile(path, 'read'))
      this.close()
      this.#opened = { segment, shared }
      return shared
    } catch (error) {
      if (!isMissingError(error)) throw error
      segment.isVanished = true
      this.#context.logger.warn('A segment has disappeared, its messages count as expired', { path })
      return undefined
    }
  }

  #layoutOf(segment: Segment, { file }: SharedFile): SegmentLayout {
    segment.layout ??= readLayout(file, segmentPath(this.#context.folder, segment.base))
    return segment.layout
  }

  #startOf(segment: Segment, from: number, layout: SegmentLayout): Place & { readonly isGoingOn: boolean } {
    const first = { sequence: segment.base, offset: layout.start, isGoingOn: false }
    if (from <= segment.base) return first
    let nearest: Place | undefined
    for (const place of this.#places) {
      if (place.segment !== segment || place.sequence > from || from - place.sequence > NUMBERS_AHEAD_MAX) continue
      if (nearest === undefined || place.sequence > nearest.sequence) nearest = place
    }
    if (nearest !== undefined) return { sequence: nearest.sequence, offset: nearest.offset, isGoingOn: true }
    const indexed = segment.index?.find(from)
    return indexed === undefined ? first : { ...indexed, isGoingOn: false }
  }

  #remember(place: Place & { readonly segment: Segment }): void {
    const known = this.#places.findIndex(({ sequence }) => sequence === place.sequence)
    if (known !== -1) {
      this.#places[known] = place
      return
    }
    this.#places[this.#nextPlace] = place
    this.#nextPlace = (this.#nextPlace + 1) % REMEMBERED_PLACES
  }

  /** The file ends before its segment does, perhaps between two records: told once, like other damage. */
  #reportCut(segment: Segment, { start, end }: SegmentLayout, from: number): void {
    const bytes = segment.bytes - (end - start)
    if (bytes <= 0 || from >= segment.next || segment.damage.has(end)) return
    segment.damage.set(end, end)
    this.#context.logger.error('The end of a segment is missing, its messages are left out', {
      segment: segmentPath(this.#context.folder, segment.base),
      bytes,
      from,
      to: segment.next - 1
    })
  }

  #reportDamage(segment: Segment, from: number, to: number): void {
    this.#context.logger.error('Stored messages are damaged and are left out', {
      segment: segmentPath(this.#context.folder, segment.base),
      offset: from,
      bytes: to - from
    })
  }
}

/** The messages as they are, in memory that the caller may have given. */
class MessageList implements MessageOutput {
  readonly messages: StoredMessage[] = []
  #rest: Buffer | undefined

  constructor(memory: Buffer | undefined) {
    this.#rest = memory
  }

  get count(): number {
    return this.messages.length
  }

  /** Cuts pieces off, one behind the other: messages of earlier pieces are still wanted. */
  memory(bytes: number): Buffer | undefined {
    if (this.#rest === undefined || this.#rest.length < bytes) return undefined
    const piece = this.#rest.subarray(0, bytes)
    this.#rest = this.#rest.subarray(bytes)
    return piece
  }

  take(sequenceNumber: number, ingestTimeMs: number, payload: Buffer): void {
    this.messages.push({ sequenceNumber, ingestTimeMs, payload })
  }
}

/** Where the records of a sealed segment are: its numbers say which belong to it. */
function readLayout(file: DiskFile, path: string): SegmentLayout {
  const header = readSegmentHeader(file, path)
  return { start: header.kind === 'valid' ? header.bytes : 0, end: file.size() }
}

/** About what the answer will need, and some more: a second read costs more than a few bytes too many. */
function estimateWindow(segment: Segment, progress: ReadProgress): number {
  const records = Math.max(1, segment.next - segment.base)
  const recordBytes = segment.bytes / records
  const wanted = (progress.countMax - progress.output.count) * recordBytes
  const allowed = progress.bytesMax - progress.payloadBytes
  const estimate = Math.min(wanted, allowed) * 1.125 + recordBytes + RECORD_HEADER_BYTES
  return Math.max(WINDOW_BYTES_MIN, Math.min(FIRST_WINDOW_BYTES_MAX, Math.ceil(estimate)))
}
