import { crc32 } from '../../base/crc32.ts'

/**
 * The snapshot: a copy of all entries beside the database, little-endian.
 *
 *     magic "ESMCATSN", format version u32, entry count u32, CRC-32 of these 16 bytes u32
 *     entries: key length u16, value length u32, key, value
 *     CRC-32 of everything before u32
 *
 * The header has a checksum of its own so that a flipped bit in the version does not look like a newer format.
 */
const MAGIC = Buffer.from('ESMCATSN', 'latin1')
const SNAPSHOT_VERSION = 1
const HEADER_BYTES = 20
const ENTRY_HEADER_BYTES = 6
const CHECKSUM_BYTES = 4
/** Entries are encoded in pieces of about this size, while the piece before is being written. */
const CHUNK_BYTES = 128 * 1024

export type DecodedSnapshot =
  | { readonly kind: 'entries'; readonly entries: ReadonlyMap<string, Buffer> }
  | { readonly kind: 'damaged'; readonly reason: string }
  | { readonly kind: 'newerFormat'; readonly version: number }

function encodeHeader(version: number, count: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES)
  MAGIC.copy(header)
  header.writeUInt32LE(version, 8)
  header.writeUInt32LE(count, 12)
  header.writeUInt32LE(crc32(header.subarray(0, 16)), 16)
  return header
}

function encodeEntry(key: string, value: Buffer): Buffer[] {
  const header = Buffer.alloc(ENTRY_HEADER_BYTES)
  header.writeUInt16LE(key.length)
  header.writeUInt32LE(value.length, 2)
  return [header, Buffer.from(key, 'latin1'), value]
}

/** The snapshot of `entries` piece by piece; each is encoded when it is asked for. */
export function* encodeSnapshot(entries: readonly (readonly [string, Buffer])[]): Generator<Buffer> {
  let checksum = 0
  let parts: Buffer[] = [encodeHeader(SNAPSHOT_VERSION, entries.length)]
  let partBytes = 0
  const take = (): Buffer => {
    const chunk = Buffer.concat(parts)
    checksum = crc32(chunk, checksum)
    parts = []
    partBytes = 0
    return chunk
  }
  for (const [key, value] of entries) {
    parts.push(...encodeEntry(key, value))
    partBytes += ENTRY_HEADER_BYTES + key.length + value.length
    if (partBytes >= CHUNK_BYTES) yield take()
  }
  yield take()
  const trailer = Buffer.alloc(CHECKSUM_BYTES)
  trailer.writeUInt32LE(checksum)
  yield trailer
}

function decodeEntries(bytes: Buffer, count: number): ReadonlyMap<string, Buffer> | undefined {
  const entries = new Map<string, Buffer>()
  let at = HEADER_BYTES
  const end = bytes.length - CHECKSUM_BYTES
  while (at + ENTRY_HEADER_BYTES <= end) {
    const keyBytes = bytes.readUInt16LE(at)
    const valueStart = at + ENTRY_HEADER_BYTES + keyBytes
    const next = valueStart + bytes.readUInt32LE(at + 2)
    if (next > end) return undefined
    const key = bytes.toString('latin1', at + ENTRY_HEADER_BYTES, valueStart)
    // Copied, so that one entry that lives long does not keep the whole file in memory.
    entries.set(key, Buffer.from(bytes.subarray(valueStart, next)))
    at = next
  }
  return at === end && entries.size === count ? entries : undefined
}

/** Reads a snapshot; anything that is not exactly as written is damaged. */
export function decodeSnapshot(bytes: Buffer): DecodedSnapshot {
  const damaged = (reason: string): DecodedSnapshot => ({ kind: 'damaged', reason })
  if (bytes.length < HEADER_BYTES + CHECKSUM_BYTES) return damaged('it is too short')
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) return damaged('it has no magic number')
  if (bytes.readUInt32LE(16) !== crc32(bytes.subarray(0, 16))) return damaged('its header fails the checksum')
  const version = bytes.readUInt32LE(8)
  if (version > SNAPSHOT_VERSION) return { kind: 'newerFormat', version }
  const end = bytes.length - CHECKSUM_BYTES
  if (bytes.readUInt32LE(end) !== crc32(bytes.subarray(0, end))) return damaged('it fails the checksum')
  const entries = decodeEntries(bytes, bytes.readUInt32LE(12))
  return entries === undefined ? damaged('its entries do not add up') : { kind: 'entries', entries }
}
