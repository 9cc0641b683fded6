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

/** CRC-32 in plain JavaScript, for a Node.js older than 20.15, which has none. */
export function createTableCrc32(): (bytes: Uint8Array, seed?: number) => number {
  const table = buildTable()
  return (bytes, seed = 0) => {
    let crc = ~seed
    for (const byte of bytes) crc = (crc >>> 8) ^ (table[(crc ^ byte) & 0xff] ?? 0)
    return ~crc >>> 0
  }
}

/**
 * CRC-32 of `bytes` as an unsigned number. `seed` is the result for the bytes before them, so that a checksum can be
 * taken over several buffers.
 */
export const crc32: (bytes: Uint8Array, seed?: number) => number =
  (zlib as Partial<typeof zlib>).crc32 ?? createTableCrc32()
