import { KIB, MIB } from '../base/limits.ts'
import { Fault } from '../base/fault.ts'
import { crc32 } from '../base/crc32.ts'
import type { DiskFile } from './disk.ts'
import {
  arePlausible,
  checksumAt,
  headerChecksum,
  ingestTimeAt,
  isPlausibleHeader,
  payloadLengthAt,
  RECORD_HEADER_BYTES,
  sequenceAt,
  type RecordBounds
} from './record.ts'
import type { ReadWindow } from './read-windows.ts'
import { findRecordInOrder, isLargeRecordValid } from './record-search.ts'
import { createTolerantReader } from './tolerant-reader.ts'

const WINDOW_BYTES_MAX = MIB
/** To have another thread read so little from memory costs more than reading it. */
const DIRECT_READ_BYTES_MAX = 128 * KIB
/** A larger record is verified piece by piece before memory is set aside for it: its length may be damaged. */
const LARGE_RECORD_BYTES = 8 * MIB
/** Damaged places of a segment that are remembered; others are searched again by every reader. */
const REMEMBERED_DAMAGE_MAX = 1024

export interface CursorOptions {
  readonly file: DiskFile
  /** See recordSeed. */
  readonly seed: number
  /** Offset of a record, or of anything: what is no record there is skipped like damage. */
  readonly start: number
  /** The records end here. */
  readonly end: number
  /** Numbers that records may have; the lower bound rises with every record. */
  readonly bounds: RecordBounds
  /** First read; later ones grow up to 1 MiB, unless it is larger. */
  readonly windowBytes: number
  /** Damage that is known already, from offset to the offset of the next record. New damage is added to it. */
  readonly damage: Map<number, number>
  /** Asked before damage is skipped: true ends the scan there. */
  readonly stopsAtDamage?: (sequenceMin: number) => boolean
  /** The records are sure to be in the system's memory: a short window is then read without a detour. */
  readonly isCached?: boolean
  /** What has been read already and holds the start. */
  readonly window?: ReadWindow | undefined
  /** Memory for a window, if there is some; it is kept until the walk is over. */
  readonly memory?: (bytes: number) => Buffer | undefined
  /** Told of newly found damage. */
  readonly onDamage?: (from: number, to: number) => void
}

/**
 * Walks over the verified records of a segment. `while (cursor.nextInWindow() || (await cursor.next()))` visits them;
 * the fields describe the current record until the next step. Only the cursor's window is in memory.
 */
export class RecordCursor implements RecordBounds {
  /** Number of the current record. */
  sequence = -1
  /** Its wall clock, milliseconds since the epoch. */
  ingestTimeMs = 0
  /** Where it starts in the file. */
  offset = 0
  /** Its length, header included. */
  bytes = 0
  /** The end of the last valid record; the start of the scan before the first. */
  validEnd: number
  /** The lowest number that the next record can have. */
  sequenceMin: number
  /** All numbers are lower. */
  readonly sequenceEnd: number
  /** A longer payload ends the walk before it. */
  payloadBytesMax = Infinity

  readonly #options: CursorOptions
  readonly #reader
  #position: number
  #window: Buffer = Buffer.alloc(0)
  #windowStart = 0
  #windowBytes: number
  /** A valid record stands at the position, but not the next one: it may have been written over that place. */
  #isAhead = false
  /** Where such a record turned out to be in order: what lies before it was lost on purpose, or is damaged. */
  #inOrderAt = -1
  /** Payload of the current record, if it lies in the window. */
  #payload: Buffer | undefined

  constructor(options: CursorOptions) {
    this.#options = options
    this.#reader = createTolerantReader(options.file)
    this.#position = options.start
    this.validEnd = options.start
    this.sequenceMin = options.bounds.sequenceMin
    this.sequenceEnd = options.bounds.sequenceEnd
    this.#windowBytes = options.windowBytes
    if (options.window !== undefined) {
      this.#window = options.window.bytes
      this.#windowStart = options.window.start
    }
  }

  /** What was read last. */
  get window(): ReadWindow {
    return { start: this.#windowStart, bytes: this.#window }
  }

  /** Offset at which the next step looks. */
  get position(): number {
    return this.#position
  }

  /** True when blocks were left out because the disk could not read them. */
  get hasReadErrors(): boolean {
    return this.#reader.fault !== undefined
  }

  /** Steps to the next record if all of it has been read already; false says nothing about what comes. */
  nextInWindow(): boolean {
    this.#isAhead = false
    const window = this.#window
    const position = this.#position - this.#windowStart
    const available = window.length - position
    if (available < RECORD_HEADER_BYTES) return false
    // Each field is read once: with a thousand messages in an answer this is a part of its time.
    const sequence = sequenceAt(window, position)
    const payloadBytes = payloadLengthAt(window, position)
    const ingestTimeMs = ingestTimeAt(window, position)
    if (!arePlausible(sequence, payloadBytes, ingestTimeMs, this, this.#options.end - this.#position)) return false
    const bytes = RECORD_HEADER_BYTES + payloadBytes
    if (bytes > available || payloadBytes > this.payloadBytesMax) return false
    const payload = window.subarray(position + RECORD_HEADER_BYTES, position + bytes)
    const checksum = crc32(payload, headerChecksum(window, position, this.#options.seed))
    if (checksum !== checksumAt(window, position)) return false
    this.#isAhead = sequence !== this.sequenceMin && this.#position !== this.#inOrderAt
    if (this.#isAhead) return false
    this.#accept(sequence, ingestTimeMs, bytes, payload)
    return true
  }

  /**
   * Steps to the next record wherever it is. False: there is none, or the scan was stopped by its options.
   * @throws Fault when the disk cannot be read
   */
  async next(): Promise<boolean> {
    while (this.#position < this.#options.end) {
      if (this.nextInWindow()) return true
      const obstacle = this.#obstacle()
      if (typeof obstacle === 'number') {
        const before = this.#window.length - (this.#position - this.#windowStart)
        await this.#load(obstacle)
        // A file shorter than its records should be has nothing more to give: what is missing is damage.
        if (this.#window.length <= before && !(await this.#skipDamage())) return false
      } else if (obstacle === 'too long') {
        return false
      } else if (obstacle === 'large' && (await this.#verifyLarge())) {
        return true
      } else if (!(await this.#skipDamage())) {
        return false
      }
    }
    return false
  }

  /** The payload of the current record: a view into the window, or read now when the record is large. */
  payload(): Buffer | Promise<Buffer> {
    if (this.#payload !== undefined) return this.#payload
    return this.#options.file.readAsync(this.offset + RECORD_HEADER_BYTES, this.bytes - RECORD_HEADER_BYTES)
  }

  #accept(sequence: number, ingestTimeMs: number, bytes: number, payload: Buffer | undefined): void {
    this.sequence = sequence
    this.ingestTimeMs = ingestTimeMs
    this.offset = this.#position
    this.bytes = bytes
    this.sequenceMin = sequence + 1
    this.#position += bytes
    this.validEnd = this.#position
    this.#payload = payload
  }

  /** Why the record at the position cannot be taken from the window: bytes that must be read, its size, or damage. */
  #obstacle(): number | 'too long' | 'large' | 'damage' {
    const position = this.#position - this.#windowStart
    const available = this.#window.length - position
    if (this.#options.end - this.#position <= RECORD_HEADER_BYTES) return 'damage'
    if (available < RECORD_HEADER_BYTES) return RECORD_HEADER_BYTES
    if (!isPlausibleHeader(this.#window, position, this, this.#options.end - this.#position)) return 'damage'
    const bytes = RECORD_HEADER_BYTES + payloadLengthAt(this.#window, position)
    if (bytes - RECORD_HEADER_BYTES > this.payloadBytesMax) return 'too long'
    if (bytes <= available) return 'damage'
    return bytes > LARGE_RECORD_BYTES ? 'large' : bytes
  }

  async #load(bytesMin: number): Promise<void> {
    const { end, memory } = this.#options
    const length = Math.min(end - this.#position, Math.max(bytesMin, this.#windowBytes))
    this.#window = this.#readDirectly(length) ?? (await this.#reader.read(this.#position, length, memory?.(length)))
    this.#windowStart = this.#position
    this.#windowBytes = Math.max(this.#windowBytes, Math.min(WINDOW_BYTES_MAX, this.#windowBytes * 2))
  }

  /** Undefined when it is not the way, or fails: the other one knows how to read around bad blocks. */
  #readDirectly(length: number): Buffer | undefined {
    if (this.#options.isCached !== true || length > DIRECT_READ_BYTES_MAX) return undefined
    try {
      return this.#options.file.read(this.#position, length)
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      return undefined
    }
  }

  async #verifyLarge(): Promise<boolean> {
    const position = this.#position - this.#windowStart
    const header = this.#window.subarray(position, position + RECORD_HEADER_BYTES)
    if (!(await isLargeRecordValid(this.#reader, header, this.#position, this.#options.seed))) return false
    const bytes = RECORD_HEADER_BYTES + payloadLengthAt(header, 0)
    this.#accept(sequenceAt(header, 0), ingestTimeAt(header, 0), bytes, undefined)
    return true
  }

  /** Moves behind damage, or finds that there is none. False when the options end the scan here. */
  async #skipDamage(): Promise<boolean> {
    const { damage, stopsAtDamage, onDamage } = this.#options
    const from = this.#position
    if (!this.#isAhead && stopsAtDamage?.(this.sequenceMin) === true) return false
    const remembered = damage.get(from)
    // What was read and in order once may be damaged now.
    const known = remembered === from && !this.#isAhead ? undefined : remembered
    const to = known ?? (await this.#findNext(from))
    if (to > from && this.#isAhead && stopsAtDamage?.(this.sequenceMin) === true) return false
    this.#position = to
    this.#inOrderAt = to
    if (known !== undefined) return true
    // What the disk refused to read today it may give tomorrow.
    if (!this.hasReadErrors && damage.size < REMEMBERED_DAMAGE_MAX) damage.set(from, to)
    if (to > from) onDamage?.(from, to)
    return true
  }

  #findNext(from: number): Promise<number> {
    const { end, seed } = this.#options
    const start = this.#isAhead ? from : from + 1
    const bounds = { sequenceMin: this.sequenceMin, sequenceEnd: this.sequenceEnd }
    return findRecordInOrder({ reader: this.#reader, end, bounds, seed }, start)
  }
}
