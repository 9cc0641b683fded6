import { crc32 } from '../../base/crc32.ts'

/**
 * A record of the database: `[CRC-32 of key and value, u32 little-endian][value]`. LMDB itself has no checksums and
 * returns flipped bits as they are (reliability F9); the key is covered so that a value cannot turn up elsewhere.
 */
const CHECKSUM_BYTES = 4

/** Records of the catalogue itself; keys of callers never start with this character. */
const RESERVED_PREFIX = '!'
/** Version of the catalogue's format, decimal. */
export const FORMAT_KEY = `${RESERVED_PREFIX}format`
/** Digest over all other records. */
export const DIGEST_KEY = `${RESERVED_PREFIX}digest`
export const FORMAT_VERSION = 1

export function isReservedKey(key: string): boolean {
  return key.startsWith(RESERVED_PREFIX)
}

/** CRC-32 over a key and its value. */
export function checksumOf(key: string, value: Uint8Array): number {
  return crc32(value, crc32(Buffer.from(key, 'latin1')))
}

/** The bytes to store for a value. */
export function encodeRecord(key: string, value: Uint8Array): Buffer {
  const record = Buffer.allocUnsafe(CHECKSUM_BYTES + value.length)
  record.writeUInt32LE(checksumOf(key, value))
  record.set(value, CHECKSUM_BYTES)
  return record
}

/** The value in stored bytes, a view, or undefined when its checksum does not fit. */
export function decodeRecord(key: string, record: Buffer): Buffer | undefined {
  if (record.length < CHECKSUM_BYTES) return undefined
  const value = record.subarray(CHECKSUM_BYTES)
  return record.readUInt32LE() === checksumOf(key, value) ? value : undefined
}
