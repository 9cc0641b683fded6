import * as zlib from 'node:zlib'

/** Of the CRC-32 of zlib, reflected. */
const POLYNOMIAL = 0xedb88320
/** Tables of 256 entries, one behind the other. */
const SECOND = 256
const THIRD = 512
const FOURTH = 768

/**
 * The remainders of all bytes; in the second table of all bytes with a zero byte behind them, and so on: with four of them
 * four bytes are taken in one step.
 */
function buildTables(): Int32Array {
  const tables = new Int32Array(4 * 256)
  for (let byte = 0; byte < 256; byte++) {
    let remainder = byte
    for (let bit = 0; bit < 8; bit++) remainder = remainder & 1 ? (remainder >>> 1) ^ POLYNOMIAL : remainder >>> 1
    tables[byte] = remainder
  }
  for (let index = SECOND; index < tables.length; index++) {
    const shorter = tables[index - SECOND] ?? 0
    tables[index] = (shorter >>> 8) ^ (tables[shorter & 0xff] ?? 0)
  }
  return tables
}

const TABLES = buildTables()

/** Below this length a call into native code costs more than the table. */
const TABLE_BYTES_MAX = 64

/**
 * CRC-32 of `bytes[start, end)` in plain JavaScript: for a few bytes out of the middle of a buffer, where a view would
 * cost more than the checksum. `seed` as for `crc32`.
 */
export function crc32Within(bytes: Uint8Array, start: number, end: number, seed: number): number {
  let crc = ~seed
  let index = start
  for (; index + 4 <= end; index += 4) {
    crc ^= (bytes[index] ?? 0) | ((bytes[index + 1] ?? 0) << 8)
    crc ^= ((bytes[index + 2] ?? 0) << 16) | ((bytes[index + 3] ?? 0) << 24)
    const lower = (TABLES[FOURTH + (crc & 0xff)] ?? 0) ^ (TABLES[THIRD + ((crc >>> 8) & 0xff)] ?? 0)
    crc = lower ^ (TABLES[SECOND + ((crc >>> 16) & 0xff)] ?? 0) ^ (TABLES[crc >>> 24] ?? 0)
  }
  for (; index < end; index++) crc = (crc >>> 8) ^ (TABLES[(crc ^ (bytes[index] ?? 0)) & 0xff] ?? 0)
  return ~crc >>> 0
}

/** CRC-32 in plain JavaScript, for a Node.js older than 20.15, which has none. */
export function tableCrc32(bytes: Uint8Array, seed = 0): number {
  return crc32Within(bytes, 0, bytes.length, seed)
}

const nativeCrc32 = (zlib as Partial<typeof zlib>).crc32 ?? tableCrc32

/**
 * CRC-32 of `bytes` as an unsigned number. `seed` is the result for the bytes before them, so that a checksum can be
 * taken over several buffers.
 */
export function crc32(bytes: Uint8Array, seed = 0): number {
  return bytes.length > TABLE_BYTES_MAX ? nativeCrc32(bytes, seed) : crc32Within(bytes, 0, bytes.length, seed)
}
