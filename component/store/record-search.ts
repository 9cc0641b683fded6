import { crc32 } from '../base/crc32.ts'
import { KIB, MIB } from '../base/limits.ts'
import {
  checksumAt,
  headerChecksum,
  hasValidChecksum,
  isPlausibleHeader,
  payloadLengthAt,
  RECORD_HEADER_BYTES,
  sequenceAt
} from './record.ts'
import type { RecordBounds } from './record.ts'
import type { TolerantReader } from './tolerant-reader.ts'

const WINDOW_BYTES = MIB

/**
 * Checksum bytes that may be computed per searched byte, on top of once the searched range. Without this bound a payload
 * full of made-up headers would make the search quadratic.
 */
const CHECKSUM_BYTES_PER_BYTE = 4

/** So much of a file may have been written over another place of it at once, and is told from what belongs there. */
const STRAY_BYTES_MAX = 64 * KIB

/** Where records are looked for, and which. */
export interface RecordSearch {
  readonly reader: TolerantReader
  /** The records end here. */
  readonly end: number
  /** Sequence numbers that may come there. */
  readonly bounds: RecordBounds
  /** See recordSeed. */
  readonly seed: number
}

/** Verifies a record too large to be held, piece by piece. `header` holds its header at position 0. */
export async function isLargeRecordValid(
  reader: TolerantReader,
  header: Buffer,
  offset: number,
  seed: number
): Promise<boolean> {
  let checksum = headerChecksum(header, 0, seed)
  const end = offset + RECORD_HEADER_BYTES + payloadLengthAt(header, 0)
  for (let at = offset + RECORD_HEADER_BYTES; at < end;) {
    const piece = await reader.read(at, Math.min(WINDOW_BYTES, end - at))
    if (piece.length === 0) return false
    checksum = crc32(piece, checksum)
    at += piece.length
  }
  return checksum === checksumAt(header, 0)
}

/**
 * Finds the next valid record at or behind `start`: the way on after damage. Takes time linear in `end - start`.
 * @returns its offset, or `end` when there is none
 */
export async function findRecord({ reader, end, bounds, seed }: RecordSearch, start: number): Promise<number> {
  let credit = end - start
  const isValid = async (window: Buffer, position: number, offset: number): Promise<boolean> => {
    const bytes = RECORD_HEADER_BYTES + payloadLengthAt(window, position)
    if (bytes > credit) return false
    credit -= bytes
    if (position + bytes <= window.length) return hasValidChecksum(window, position, bytes, seed)
    return isLargeRecordValid(reader, window.subarray(position, position + RECORD_HEADER_BYTES), offset, seed)
  }

  for (let windowStart = start; windowStart + RECORD_HEADER_BYTES < end;) {
    const window = await reader.read(windowStart, Math.min(WINDOW_BYTES, end - windowStart))
    const candidates = window.length - RECORD_HEADER_BYTES + 1
    if (candidates <= 0) return end
    for (let position = 0; position < candidates; position++) {
      credit += CHECKSUM_BYTES_PER_BYTE
      if (!isPlausibleHeader(window, position, bounds, end - windowStart - position)) continue
      if (await isValid(window, position, windowStart + position)) return windowStart + position
    }
    windowStart += candidates
  }
  return end
}

/**
 * Finds the next valid record at or behind `start` that is where it belongs. A block of the same file that was written
 * over an earlier place holds valid records of too high numbers: those behind it go back to lower ones (reliability
 * ST14).
 * @returns its offset, or `end` when there is none
 */
export async function findRecordInOrder(search: RecordSearch, start: number): Promise<number> {
  const { reader, end, bounds } = search
  let found = await findRecord(search, start)
  while (found < end) {
    const first = sequenceAt(await reader.read(found, RECORD_HEADER_BYTES), 0)
    if (first === bounds.sequenceMin) return found
    const runEnd = await findRunEnd({ ...search, bounds: { ...bounds, sequenceMin: first } }, found)
    const behind = await findRecord(search, runEnd)
    if (behind === end || sequenceAt(await reader.read(behind, RECORD_HEADER_BYTES), 0) > first) return found
    found = behind
  }
  return end
}

/** The end of the valid records that follow each other from `start` on, as far as a stray block may reach. */
async function findRunEnd({ reader, end, bounds, seed }: RecordSearch, start: number): Promise<number> {
  const window = await reader.read(start, Math.min(STRAY_BYTES_MAX, end - start))
  let position = 0
  let { sequenceMin } = bounds
  while (position + RECORD_HEADER_BYTES < window.length) {
    const isPlausible = isPlausibleHeader(window, position, { ...bounds, sequenceMin }, window.length - position)
    const bytes = RECORD_HEADER_BYTES + payloadLengthAt(window, position)
    if (!isPlausible || !hasValidChecksum(window, position, bytes, seed)) break
    sequenceMin = sequenceAt(window, position) + 1
    position += bytes
  }
  return start + Math.max(position, 1)
}
