import { REQUEST_ID_CHARS_MAX } from '../../base/limits.ts'
import { NAME_PATTERN } from '../fields.ts'
import { createNameCache } from './name-cache.ts'

/*
 * The append as all official clients send it (protocol 2.1, 5.3):
 *
 *     A3 or BF                     map of 3, or indefinite (Java)
 *     69 requestId  <text head>    id
 *     64 name       <text head>    name
 *     67 payload    <bytes head>   payload
 *     FF                           after BF only
 *
 * Heads of 1 to 5 bytes are read here, keys in this order and no others. Whatever differs, whatever is invalid, and
 * whatever does not end where the frame ends is left to the general decoder and its messages.
 */

/** Where the parts of a decoded append are. One such object serves all appends of a connection, one after the other. */
export interface AppendParts {
  idStart: number
  idEnd: number
  /** `hashId` of the request id. */
  idHash: number
  streamName: string
  payloadStart: number
  payloadEnd: number
}

export function emptyAppendParts(): AppendParts {
  return { idStart: 0, idEnd: 0, idHash: 0, streamName: '', payloadStart: 0, payloadEnd: 0 }
}

const MAP_OF_3 = 0xa3
const INDEFINITE_MAP = 0xbf
const BREAK = 0xff
const TEXT = 0x60
const BYTES = 0x40
const REQUEST_ID_KEY = keyBytes('requestId')
const NAME_KEY = keyBytes('name')
const PAYLOAD_KEY = keyBytes('payload')
const NAME_CHARS_MAX = 255

/** 1 for the bytes of which ids and names are made, all ASCII. */
const IS_NAME_BYTE = Uint8Array.from({ length: 256 }, (_, byte) =>
  Number(byte < 128 && NAME_PATTERN.test(String.fromCharCode(byte)))
)

/** Streams are few and appends many: the names of recent ones are kept, which also saves hashing them anew. */
const nameOf = createNameCache(256, isName)

function keyBytes(key: string): Uint8Array {
  return Uint8Array.from([TEXT | key.length, ...Buffer.from(key)])
}

/** A number by which to look for a request id; equal ids have equal ones. */
export function hashId(id: string): number {
  let hash = 0
  for (let index = 0; index < id.length; index++) hash = (Math.imul(hash, 31) + id.charCodeAt(index)) | 0
  return hash
}

/**
 * Where the value behind the last head that was read begins, and its length. Two numbers per head in an object each
 * would be most of the garbage of an append.
 */
let valueStart = 0
let valueBytes = 0

/**
 * Decodes the append in `bytes[start, end)` if it has the usual shape, without making anything but numbers.
 * @returns false when it has another shape or anything is wrong with it; `parts` is then undefined
 */
export function readUsualAppend(bytes: Buffer, start: number, end: number, parts: AppendParts): boolean {
  const isIndefinite = bytes[start] === INDEFINITE_MAP
  if (!isIndefinite && bytes[start] !== MAP_OF_3) return false

  if (!readKeyAndHead(bytes, start + 1, REQUEST_ID_KEY, TEXT) || valueBytes > REQUEST_ID_CHARS_MAX) return false
  const idStart = valueStart
  const idEnd = idStart + valueBytes
  let idHash = 0
  for (let index = idStart; index < idEnd; index++) {
    // A byte beyond the end reads as undefined, which is no name byte either.
    const byte = bytes[index] ?? 0
    if (IS_NAME_BYTE[byte] !== 1) return false
    idHash = (Math.imul(idHash, 31) + byte) | 0
  }

  if (!readKeyAndHead(bytes, idEnd, NAME_KEY, TEXT) || valueBytes > NAME_CHARS_MAX) return false
  const nameStart = valueStart
  const nameEnd = nameStart + valueBytes

  if (!readKeyAndHead(bytes, nameEnd, PAYLOAD_KEY, BYTES)) return false
  const payloadEnd = valueStart + valueBytes
  // Every part lies before this one, so the check keeps all of them within the frame.
  if (payloadEnd + Number(isIndefinite) !== end || (isIndefinite && bytes[payloadEnd] !== BREAK)) return false

  const streamName = nameOf(bytes, nameStart, nameEnd)
  if (streamName === undefined) return false
  parts.idStart = idStart
  parts.idEnd = idEnd
  parts.idHash = idHash
  parts.streamName = streamName
  parts.payloadStart = valueStart
  parts.payloadEnd = payloadEnd
  return true
}

/**
 * Reads a key and the head of its value, and sets `valueStart` and `valueBytes`.
 * @param major the expected major type, in the upper three bits
 * @returns false when it is another key or type, or the value is empty
 */
function readKeyAndHead(bytes: Buffer, offset: number, key: Uint8Array, major: number): boolean {
  for (let index = 0; index < key.length; index++) if (bytes[offset + index] !== key[index]) return false
  const headStart = offset + key.length
  const initial = bytes[headStart] ?? 0
  const info = initial & 31
  if ((initial & 0xe0) !== major || info > 26) return false
  const argumentBytes = info < 24 ? 0 : 1 << (info - 24)
  if (headStart + 1 + argumentBytes > bytes.length) return false
  valueStart = headStart + 1 + argumentBytes
  valueBytes = argumentBytes === 0 ? info : readNumber(bytes, headStart + 1, argumentBytes)
  return valueBytes > 0
}

function readNumber(bytes: Buffer, start: number, count: number): number {
  let value = 0
  for (let index = start; index < start + count; index++) value = value * 256 + (bytes[index] ?? 0)
  return value
}

function isName(bytes: Buffer, start: number, end: number): boolean {
  for (let index = start; index < end; index++) if (IS_NAME_BYTE[bytes[index] ?? 0] !== 1) return false
  return true
}
