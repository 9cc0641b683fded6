import * as zlib from 'node:zlib'

/** The CRC-32 of zlib, reflected polynomial 0xEDB88320. */
function buildTable(): Uint32Array {
  const table = new Uint32Array(256)
  for (let byte = 0; byte < 256; byte++) {
    let remainder = byte
    for (let bit = 0; bit < 8; bit++) remainder = remainder & 1 ? (remainder >>> 1) ^ 0xedb88320 : remainder >>> 1
    table[byte] = remainder >>> 0
  }
  return table
}

const TABLE = buildTable()

/** Below this length a call into native code costs more than the table. */
const TABLE_BYTES_MAX = 32

/**
 * CRC-32 of `bytes[start, end)` in plain JavaScript: for a few bytes out of the middle of a buffer, where a view would
 * cost more than the checksum. `seed` as for `crc32`.
 */
export function crc32Within(bytes: Uint8Array, start: number, end: number, seed: number): number {
  let crc = ~seed
  for (let index = start; index < end; index++) crc = (crc >>> 8) ^ (TABLE[(crc ^ (bytes[index] ?? 0)) & 0xff] ?? 0)
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
