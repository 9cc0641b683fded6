import { assert } from '../base/assert.ts'
import { crc32 } from '../base/crc32.ts'
import { Fault } from '../base/fault.ts'
import { MIB } from '../base/limits.ts'
import type { DiskFile } from './disk.ts'
import { readUint64, writeUint64 } from './record.ts'

/**
 * The head of a segment file, all numbers little-endian:
 *
 *   offset  bytes
 *        0      8  magic
 *        8      2  format version
 *       10      2  flags
 *       12      4  header length: the first record stands there
 *       16      4  CRC-32 of the header without this field
 *       20      8  creation time, milliseconds since the epoch
 *       28      4  length of the stream id
 *       32         stream id, UTF-8
 *        …      4  length of the metadata
 *        …         metadata: opaque here, the definition of the stream for rebuilding a lost catalogue
 *
 * The first 20 bytes are the same in all versions to come, so an older program can tell a newer file from a damaged one.
 */
const MAGIC = Buffer.from('ESMLOG\r\n', 'latin1')
const FORMAT_VERSION = 1
const VERSION_AT = 8
const FLAGS_AT = 10
const LENGTH_AT = 12
const CHECKSUM_AT = 16
const CREATED_AT = 20
const STREAM_ID_AT = 32
const FIXED_BYTES = 36
/** Numbers between the segment before and this one were given up: they are no sign of loss. */
const FLAG_AFTER_GAP = 1

const HEADER_BYTES_MAX = 2 * MIB
const FIRST_READ_BYTES = 4096

export interface SegmentHeader {
  readonly streamId: string
  readonly createdMs: number
  readonly metadata: Buffer
  /** The numbers between the end of the segment before and this one's base were never stored. */
  readonly isAfterGap: boolean
}

/** A file of a newer format version: it must stay untouched (reliability ST25). */
export class NewerFormatFault extends Fault {}

/** What the start of a file turned out to be. */
export type HeaderResult =
  | { readonly kind: 'valid'; readonly header: SegmentHeader; readonly bytes: number }
  | { readonly kind: 'damaged' }
  | { readonly kind: 'newer'; readonly version: number }

/** The bytes of a header. */
export function encodeSegmentHeader(header: SegmentHeader): Buffer {
  const streamId = Buffer.from(header.streamId, 'utf8')
  const bytes = Buffer.alloc(FIXED_BYTES + streamId.length + header.metadata.length)
  assert(bytes.length <= HEADER_BYTES_MAX, 'a segment header fits into its bound')
  MAGIC.copy(bytes)
  bytes.writeUInt16LE(FORMAT_VERSION, VERSION_AT)
  bytes.writeUInt16LE(header.isAfterGap ? FLAG_AFTER_GAP : 0, FLAGS_AT)
  bytes.writeUInt32LE(bytes.length, LENGTH_AT)
  writeUint64(bytes, CREATED_AT, header.createdMs)
  bytes.writeUInt32LE(streamId.length, STREAM_ID_AT - 4)
  streamId.copy(bytes, STREAM_ID_AT)
  bytes.writeUInt32LE(header.metadata.length, STREAM_ID_AT + streamId.length)
  header.metadata.copy(bytes, FIXED_BYTES + streamId.length)
  bytes.writeUInt32LE(headerChecksum(bytes), CHECKSUM_AT)
  return bytes
}

function headerChecksum(bytes: Buffer): number {
  return crc32(bytes.subarray(CHECKSUM_AT + 4), crc32(bytes.subarray(0, CHECKSUM_AT)))
}

/** The announced header length, or undefined when the start of the file is no header. */
function announcedBytes(start: Buffer): number | undefined {
  if (start.length < CHECKSUM_AT + 4 || !start.subarray(0, MAGIC.length).equals(MAGIC)) return undefined
  const bytes = start.readUInt32LE(LENGTH_AT)
  return bytes < CHECKSUM_AT + 4 || bytes > HEADER_BYTES_MAX ? undefined : bytes
}

/** Parses a header of exactly the announced length. */
export function parseSegmentHeader(bytes: Buffer): HeaderResult {
  if (announcedBytes(bytes) !== bytes.length) return { kind: 'damaged' }
  if (headerChecksum(bytes) !== bytes.readUInt32LE(CHECKSUM_AT)) return { kind: 'damaged' }
  // Only a header that checks is believed to be of another version: a flipped bit is damage, not a newer program.
  const version = bytes.readUInt16LE(VERSION_AT)
  if (version > FORMAT_VERSION) return { kind: 'newer', version }
  if (version !== FORMAT_VERSION || bytes.length < FIXED_BYTES) return { kind: 'damaged' }
  const idBytes = bytes.readUInt32LE(STREAM_ID_AT - 4)
  if (FIXED_BYTES + idBytes > bytes.length) return { kind: 'damaged' }
  const metadata = bytes.subarray(FIXED_BYTES + idBytes)
  const createdMs = readUint64(bytes, CREATED_AT)
  const isWhole = bytes.readUInt32LE(STREAM_ID_AT + idBytes) === metadata.length && !Number.isNaN(createdMs)
  if (!isWhole) return { kind: 'damaged' }
  return {
    kind: 'valid',
    bytes: bytes.length,
    header: {
      streamId: bytes.toString('utf8', STREAM_ID_AT, STREAM_ID_AT + idBytes),
      createdMs,
      metadata: Buffer.from(metadata),
      isAfterGap: (bytes.readUInt16LE(FLAGS_AT) & FLAG_AFTER_GAP) !== 0
    }
  }
}

/**
 * Reads the header of a segment file. A file that cannot be read there counts as damaged: its records may still be good.
 * @throws NewerFormatFault
 */
export function readSegmentHeader(file: DiskFile, path: string): HeaderResult & { readonly kind: 'valid' | 'damaged' } {
  const result = parseFileStart(file)
  if (result.kind === 'newer') {
    throw new NewerFormatFault(
      `${path} has format version ${result.version}, this program knows ${FORMAT_VERSION}: it is left untouched`
    )
  }
  return result
}

function parseFileStart(file: DiskFile): HeaderResult {
  let start: Buffer
  try {
    start = file.read(0, FIRST_READ_BYTES)
    const bytes = announcedBytes(start)
    if (bytes === undefined || bytes > file.size()) return { kind: 'damaged' }
    start = bytes <= start.length ? start.subarray(0, bytes) : file.read(0, bytes)
  } catch {
    return { kind: 'damaged' }
  }
  return parseSegmentHeader(start)
}
