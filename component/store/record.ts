import { crc32, crc32Within } from '../base/crc32.ts'

/**
 * One record of a segment, all numbers little-endian:
 *
 *   offset  bytes
 *        0      4  CRC-32 of everything behind it, payload included, started with the stream's seed
 *        4      4  payload length, 1 or more: a file that was extended without data reads as length 0
 *        8      8  sequence number
 *       16      8  ingest time, milliseconds since the epoch
 *       24         payload
 *
 * The seed comes from the stream id, which clients do not know. So a payload that holds the image of a record is never
 * taken for one when the reader looks for the next record behind damage.
 */
export const RECORD_HEADER_BYTES = 24

/** The smallest record that can be valid. */
export const RECORD_BYTES_MIN = RECORD_HEADER_BYTES + 1

const LENGTH_AT = 4
const SEQUENCE_AT = 8
const INGEST_AT = 16
const TWO_TO_32 = 2 ** 32
/** Upper halves of numbers beyond 2^53 - 1 are no numbers of ours. */
const UPPER_HALF_MAX = 0x1fffff

/** The start value of all record checksums of a stream. */
export function recordSeed(streamId: string): number {
  return crc32(Buffer.from(streamId, 'utf8'))
}

/** Every message of a read comes here several times: the method of Buffer, with its checks, would take twice as long. */
function readUint32(buffer: Buffer, position: number): number {
  const lower = (buffer[position] ?? 0) | ((buffer[position + 1] ?? 0) << 8)
  return (lower | ((buffer[position + 2] ?? 0) << 16) | ((buffer[position + 3] ?? 0) << 24)) >>> 0
}

/** Reads an unsigned 64-bit number; NaN when it is beyond 2^53 - 1. */
export function readUint64(buffer: Buffer, position: number): number {
  const upper = readUint32(buffer, position + 4)
  return upper > UPPER_HALF_MAX ? Number.NaN : upper * TWO_TO_32 + readUint32(buffer, position)
}

/** Writes an integer of 0 to 2^53 - 1 as unsigned 64-bit number. */
export function writeUint64(buffer: Buffer, position: number, value: number): void {
  // The shift takes the remainder of a division by 2^32.
  buffer.writeUInt32LE(value >>> 0, position)
  buffer.writeUInt32LE(Math.floor(value / TWO_TO_32), position + 4)
}

/** Payload length that the header at `position` claims; not to be trusted before the checksum was compared. */
export function payloadLengthAt(buffer: Buffer, position: number): number {
  return readUint32(buffer, position + LENGTH_AT)
}

/** Sequence number in the header at `position`; NaN when it cannot be one. */
export function sequenceAt(buffer: Buffer, position: number): number {
  return readUint64(buffer, position + SEQUENCE_AT)
}

/** Ingest time in the header at `position`, milliseconds since the epoch; NaN when it cannot be one. */
export function ingestTimeAt(buffer: Buffer, position: number): number {
  return readUint64(buffer, position + INGEST_AT)
}

/** Which headers may be genuine at a place in a segment. */
export interface RecordBounds {
  /** Lowest sequence number, inclusive. */
  readonly sequenceMin: number
  /** Highest sequence number, exclusive. */
  readonly sequenceEnd: number
}

/**
 * The cheap part of the check: could there be a record at `position`?
 * @param bytesLeft from `position` to the end of the segment
 */
export function isPlausibleHeader(buffer: Buffer, position: number, bounds: RecordBounds, bytesLeft: number): boolean {
  const ingestTimeMs = ingestTimeAt(buffer, position)
  return arePlausible(sequenceAt(buffer, position), payloadLengthAt(buffer, position), ingestTimeMs, bounds, bytesLeft)
}

/** The same of fields that have been read from the header already. */
export function arePlausible(
  sequence: number,
  payloadLength: number,
  ingestTimeMs: number,
  bounds: RecordBounds,
  bytesLeft: number
): boolean {
  if (!(sequence >= bounds.sequenceMin && sequence < bounds.sequenceEnd)) return false
  if (payloadLength === 0 || payloadLength > bytesLeft - RECORD_HEADER_BYTES) return false
  return !Number.isNaN(ingestTimeMs)
}

/** The checksum that the header at `position` claims. */
export function checksumAt(buffer: Buffer, position: number): number {
  return readUint32(buffer, position)
}

/** The checksum of the header part alone: the seed for the payload's. */
export function headerChecksum(buffer: Buffer, position: number, seed: number): number {
  return crc32Within(buffer, position + LENGTH_AT, position + RECORD_HEADER_BYTES, seed)
}

/** The expensive part of the check. The whole record of `bytes` must lie in the buffer. */
export function hasValidChecksum(buffer: Buffer, position: number, bytes: number, seed: number): boolean {
  return crc32(buffer.subarray(position + LENGTH_AT, position + bytes), seed) === checksumAt(buffer, position)
}

/** Writes all of a header but the checksum. */
function writeFields(target: Buffer, position: number, length: number, sequence: number, ingestTimeMs: number): void {
  target.writeUInt32LE(length, position + LENGTH_AT)
  writeUint64(target, position + SEQUENCE_AT, sequence)
  writeUint64(target, position + INGEST_AT, ingestTimeMs)
}

/**
 * Writes a whole record at `position`.
 * @returns the position behind it
 */
export function writeRecord(
  target: Buffer,
  position: number,
  payload: Buffer,
  sequence: number,
  ingestTimeMs: number,
  seed: number
): number {
  writeFields(target, position, payload.length, sequence, ingestTimeMs)
  target.set(payload, position + RECORD_HEADER_BYTES)
  target.writeUInt32LE(crc32(payload, headerChecksum(target, position, seed)), position)
  return position + RECORD_HEADER_BYTES + payload.length
}

/**
 * Writes the header of a record whose payload stays where it is.
 * @param checksumOfPayload continues a checksum over the payload
 */
export function writeRecordHeader(
  target: Buffer,
  position: number,
  payloadLength: number,
  sequence: number,
  ingestTimeMs: number,
  seed: number
): number {
  writeFields(target, position, payloadLength, sequence, ingestTimeMs)
  return headerChecksum(target, position, seed)
}

/** Completes a header with its checksum. */
export function writeChecksum(target: Buffer, position: number, checksum: number): void {
  target.writeUInt32LE(checksum, position)
}
