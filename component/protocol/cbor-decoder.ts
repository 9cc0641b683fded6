import { isUtf8 } from 'node:buffer'
import { CBOR_DEPTH_MAX, CBOR_ITEMS_MAX, CBOR_TEXT_BYTES_MAX } from '../base/limits.ts'

/**
 * What a request can hold. Integers beyond 2^53 - 1 are bigint, so a number beyond it was a float. Byte strings are
 * views into the decoded bytes, unless they came in chunks.
 */
export type CborValue = number | bigint | string | boolean | null | undefined | Buffer | readonly CborValue[] | CborMap
export type CborMap = ReadonlyMap<string, CborValue>

export type DecodedMap =
  | { readonly ok: true; readonly map: CborMap }
  /** `requestId` is there when the outermost map's requestId came before what is wrong, also in a map that is cut short. */
  | { readonly ok: false; readonly requestId: string | undefined; readonly reason: string }

const MAJOR = { unsigned: 0, negative: 1, bytes: 2, text: 3, array: 4, map: 5, tag: 6, simple: 7 } as const
const INDEFINITE = 31
const BREAK = 0xff
/** Below this length a loop is faster than the call into native code. */
const SHORT_TEXT_BYTES = 24

const FAILED = Symbol('not decodable')
type Failed = typeof FAILED

interface Decoding {
  readonly bytes: Buffer
  position: number
  items: number
  requestId: string | undefined
  reason: string
}

/**
 * Decodes one CBOR map, strictly (reliability 6.2 P1): one pass that checks the structure and builds the values, in a
 * time that grows with the bytes alone. Any well-formed encoding is accepted: indefinite lengths, chunked text, long
 * heads, floats (protocol 2.1). Refused are tags, keys that are not text, duplicate keys, invalid UTF-8, bytes behind
 * the map, and whatever exceeds the limits on depth, items and text. Never throws, whatever the bytes.
 */
export function decodeCborMap(bytes: Buffer): DecodedMap {
  const decoding: Decoding = { bytes, position: 0, items: 0, requestId: undefined, reason: '' }
  const map = decodeOutermost(decoding)
  return map === FAILED ? { ok: false, requestId: decoding.requestId, reason: decoding.reason } : { ok: true, map }
}

function decodeOutermost(decoding: Decoding): CborMap | Failed {
  const { bytes } = decoding
  if (bytes.length === 0) return fail(decoding, 'it is empty')
  if (bytes.readUInt8(0) >> 5 !== MAJOR.map) return fail(decoding, 'it is not a map')
  const map = decodeItem(decoding, 1)
  if (!(map instanceof Map)) return FAILED
  return decoding.position === bytes.length ? map : fail(decoding, 'bytes follow the map')
}

function fail(decoding: Decoding, problem: string): Failed {
  decoding.reason = `${problem} (at byte ${decoding.position})`
  return FAILED
}

function failCut(decoding: Decoding): Failed {
  return fail(decoding, 'it is cut short')
}

/** @param depth 1 for the outermost map */
function decodeItem(decoding: Decoding, depth: number): CborValue | Failed {
  const initial = decoding.bytes[decoding.position]
  if (initial === undefined) return failCut(decoding)
  if (++decoding.items > CBOR_ITEMS_MAX) return fail(decoding, `it has more than ${CBOR_ITEMS_MAX} items`)
  const major = initial >> 5
  const info = initial & 31
  if (major === MAJOR.tag) return fail(decoding, 'tags are not supported')
  if (depth > CBOR_DEPTH_MAX && (major === MAJOR.array || major === MAJOR.map)) {
    return fail(decoding, `it is nested deeper than ${CBOR_DEPTH_MAX}`)
  }
  decoding.position += 1
  if (major === MAJOR.simple) return decodeSimple(decoding, info)
  if (info === INDEFINITE) return decodeIndefinite(decoding, major, depth)
  const argument = readArgument(decoding, info)
  if (argument === FAILED) return FAILED
  if (major === MAJOR.unsigned) return argument
  if (major === MAJOR.negative) return negativeOf(argument)
  // An announced length or count is compared to what is there before anything is done with it.
  if (argument > decoding.bytes.length - decoding.position) return failCut(decoding)
  return decodeSized(decoding, major, Number(argument), depth)
}

function decodeSized(decoding: Decoding, major: number, size: number, depth: number): CborValue | Failed {
  switch (major) {
    case MAJOR.bytes:
      return takeBytes(decoding, size)
    case MAJOR.text:
      return decodeText(decoding, takeBytes(decoding, size))
    case MAJOR.array:
      return decodeArray(decoding, size, depth)
    default:
      return decodeMap(decoding, size, depth)
  }
}

function decodeIndefinite(decoding: Decoding, major: number, depth: number): CborValue | Failed {
  switch (major) {
    case MAJOR.bytes:
      return joinChunks(decoding, major)
    case MAJOR.text: {
      const joined = joinChunks(decoding, major)
      return joined === FAILED ? FAILED : decodeText(decoding, joined)
    }
    case MAJOR.array:
      return decodeArray(decoding, undefined, depth)
    case MAJOR.map:
      return decodeMap(decoding, undefined, depth)
    default:
      return fail(decoding, 'an integer has no length')
  }
}

/** The number in or behind an initial byte: a value, a length in bytes or a count. */
function readArgument(decoding: Decoding, info: number): number | bigint | Failed {
  if (info < 24) return info
  if (info > 27) return fail(decoding, 'an initial byte is reserved')
  const argumentBytes = 1 << (info - 24)
  const { bytes, position } = decoding
  if (position + argumentBytes > bytes.length) return failCut(decoding)
  decoding.position += argumentBytes
  if (argumentBytes < 8) return bytes.readUIntBE(position, argumentBytes)
  const high = bytes.readUInt32BE(position)
  return high < 2 ** 21 ? high * 2 ** 32 + bytes.readUInt32BE(position + 4) : bytes.readBigUInt64BE(position)
}

function negativeOf(argument: number | bigint): number | bigint {
  return argument < Number.MAX_SAFE_INTEGER ? -1 - Number(argument) : -1n - BigInt(argument)
}

function decodeSimple(decoding: Decoding, info: number): CborValue | Failed {
  const { bytes, position } = decoding
  switch (info) {
    case 20:
      return false
    case 21:
      return true
    case 22:
      return null
    case 23:
      return undefined
    case 25:
    case 26:
    case 27: {
      const floatBytes = 1 << (info - 24)
      if (position + floatBytes > bytes.length) return failCut(decoding)
      decoding.position += floatBytes
      if (info === 25) return float16Of(bytes.readUInt16BE(position))
      return info === 26 ? bytes.readFloatBE(position) : bytes.readDoubleBE(position)
    }
    case INDEFINITE:
      return fail(decoding, 'a break stands where an item is due')
    default:
      return fail(decoding, 'a simple value is unknown')
  }
}

/** IEEE 754 binary16: 1 bit sign, 5 bits exponent, 10 bits fraction. */
function float16Of(bits: number): number {
  const sign = bits >= 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

function takeBytes(decoding: Decoding, size: number): Buffer {
  const start = decoding.position
  decoding.position += size
  return decoding.bytes.subarray(start, decoding.position)
}

function decodeText(decoding: Decoding, bytes: Buffer): string | Failed {
  if (bytes.length <= SHORT_TEXT_BYTES && isShortAscii(bytes)) return bytes.toString('latin1')
  if (bytes.length > CBOR_TEXT_BYTES_MAX) return fail(decoding, `a text is longer than ${CBOR_TEXT_BYTES_MAX} bytes`)
  return isUtf8(bytes) ? bytes.toString('utf8') : fail(decoding, 'a text is not valid UTF-8')
}

function isShortAscii(bytes: Buffer): boolean {
  for (const byte of bytes) if (byte > 0x7f) return false
  return true
}

/**
 * Joins the chunks of an indefinite byte or text string. Each chunk must have a length and the same major type.
 * UTF-8 is checked over the whole, so a character cut between two chunks does no harm.
 */
function joinChunks(decoding: Decoding, major: number): Buffer | Failed {
  const { bytes } = decoding
  /** Where each chunk starts and ends, in turn: many tiny chunks are not worth an object each. */
  const bounds: number[] = []
  let joinedBytes = 0
  while (!takeBreak(decoding)) {
    const initial = bytes[decoding.position]
    if (initial === undefined) return failCut(decoding)
    if (++decoding.items > CBOR_ITEMS_MAX) return fail(decoding, `it has more than ${CBOR_ITEMS_MAX} items`)
    if (initial >> 5 !== major || (initial & 31) === INDEFINITE) return fail(decoding, 'a chunk has another type')
    decoding.position += 1
    const size = readArgument(decoding, initial & 31)
    if (size === FAILED) return FAILED
    if (size > bytes.length - decoding.position) return failCut(decoding)
    bounds.push(decoding.position, (decoding.position += Number(size)))
    joinedBytes += Number(size)
  }
  const joined = Buffer.allocUnsafe(joinedBytes)
  for (let index = 0, offset = 0; index < bounds.length; index += 2) {
    offset += bytes.copy(joined, offset, bounds[index], bounds[index + 1])
  }
  return joined
}

/** Steps over the break that ends an indefinite item, if it is next. */
function takeBreak(decoding: Decoding): boolean {
  if (decoding.bytes[decoding.position] !== BREAK) return false
  decoding.position += 1
  return true
}

/** @param count undefined for an array that a break ends */
function decodeArray(decoding: Decoding, count: number | undefined, depth: number): CborValue[] | Failed {
  const values: CborValue[] = []
  while (count === undefined ? !takeBreak(decoding) : values.length < count) {
    const value = decodeItem(decoding, depth + 1)
    if (value === FAILED) return FAILED
    values.push(value)
  }
  return values
}

/** @param count undefined for a map that a break ends */
function decodeMap(decoding: Decoding, count: number | undefined, depth: number): CborMap | Failed {
  const map = new Map<string, CborValue>()
  while (count === undefined ? !takeBreak(decoding) : map.size < count) {
    const key = decodeKey(decoding, depth)
    if (key === FAILED) return FAILED
    if (map.has(key)) return fail(decoding, 'a map has the same key twice')
    const value = decodeItem(decoding, depth + 1)
    if (value === FAILED) return FAILED
    map.set(key, value)
    if (depth === 1 && key === 'requestId' && typeof value === 'string') decoding.requestId = value
  }
  return map
}

function decodeKey(decoding: Decoding, depth: number): string | Failed {
  const initial = decoding.bytes[decoding.position]
  if (initial !== undefined && initial >> 5 !== MAJOR.text) return fail(decoding, 'a key is not text')
  const key = decodeItem(decoding, depth + 1)
  return typeof key === 'string' ? key : FAILED
}
