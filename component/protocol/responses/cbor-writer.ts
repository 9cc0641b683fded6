/*
 * Writes CBOR into a buffer of known size, for the answers that are worth it. Heads are the shortest ones. Every function
 * returns the offset behind what it wrote.
 */

export const MAJOR_UNSIGNED = 0x00
export const MAJOR_NEGATIVE = 0x20
export const MAJOR_BYTES = 0x40
export const MAJOR_TEXT = 0x60
export const MAJOR_ARRAY = 0x80
export const MAJOR_MAP = 0xa0

/** Bytes of a head: `argument` is a value, a length or a count, 0 to 2^53 - 1. */
export function headBytes(argument: number): number {
  if (argument < 24) return 1
  if (argument < 2 ** 8) return 2
  if (argument < 2 ** 16) return 3
  return argument < 2 ** 32 ? 5 : 9
}

/** Writes byte by byte, which is cheaper than the checking methods of Buffer: there are several heads in every message. */
export function writeHead(target: Buffer, offset: number, major: number, argument: number): number {
  if (argument < 24) {
    target[offset] = major | argument
    return offset + 1
  }
  if (argument < 2 ** 8) {
    target[offset] = major | 24
    target[offset + 1] = argument
    return offset + 2
  }
  if (argument < 2 ** 16) {
    target[offset] = major | 25
    target[offset + 1] = argument >>> 8
    target[offset + 2] = argument
    return offset + 3
  }
  if (argument < 2 ** 32) {
    target[offset] = major | 26
    return writeUint32(target, offset + 1, argument)
  }
  target[offset] = major | 27
  return writeUint32(target, writeUint32(target, offset + 1, Math.floor(argument / 2 ** 32)), argument)
}

/** Writes the lower 32 bits of an integer. */
function writeUint32(target: Buffer, offset: number, value: number): number {
  target[offset] = value >>> 24
  target[offset + 1] = value >>> 16
  target[offset + 2] = value >>> 8
  target[offset + 3] = value
  return offset + 4
}

/** Bytes of an integer, exact in a number. */
export function integerBytes(value: number): number {
  return headBytes(value < 0 ? -1 - value : value)
}

export function writeInteger(target: Buffer, offset: number, value: number): number {
  return value < 0
    ? writeHead(target, offset, MAJOR_NEGATIVE, -1 - value)
    : writeHead(target, offset, MAJOR_UNSIGNED, value)
}

/** Writes ASCII text: ids and names, whose pattern allows nothing else. Its bytes are as many as its characters. */
export function writeAsciiText(target: Buffer, offset: number, text: string): number {
  const start = writeHead(target, offset, MAJOR_TEXT, text.length)
  return start + target.write(text, start, 'latin1')
}

/** Copies prepared bytes. */
export function writeRaw(target: Buffer, offset: number, raw: Uint8Array): number {
  target.set(raw, offset)
  return offset + raw.length
}

/** A text with its head, prepared once. */
export function preparedText(text: string): Buffer {
  const bytes = Buffer.from(text)
  const prepared = Buffer.alloc(headBytes(bytes.length) + bytes.length)
  prepared.set(bytes, writeHead(prepared, 0, MAJOR_TEXT, bytes.length))
  return prepared
}
