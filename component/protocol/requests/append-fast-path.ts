import { REQUEST_ID_CHARS_MAX } from '../../base/limits.ts'
import { NAME_PATTERN } from '../fields.ts'
import { createNameCache } from './name-cache.ts'
import type { ParsedRequest } from './request.ts'

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

/** AppendMessage, operation 4 (protocol 5.3). */
export interface AppendMessageRequest {
  readonly streamName: string
  /** One byte or more; a view into the payload of the frame. */
  readonly payload: Buffer
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
const nameOf = createNameCache(256)

function keyBytes(key: string): Uint8Array {
  return Uint8Array.from([TEXT | key.length, ...Buffer.from(key)])
}

/**
 * Where the value behind the last head that was read begins, and its length. Two numbers per head in an object each
 * would be most of the garbage of an append.
 */
let valueStart = 0
let valueBytes = 0

/** Decodes an append of the usual shape. Undefined when it has another shape or anything is wrong with it. */
export function decodeUsualAppend(bytes: Buffer): ParsedRequest<AppendMessageRequest> | undefined {
  const isIndefinite = bytes[0] === INDEFINITE_MAP
  if (!isIndefinite && bytes[0] !== MAP_OF_3) return undefined

  if (!readKeyAndHead(bytes, 1, REQUEST_ID_KEY, TEXT)) return undefined
  const idStart = valueStart
  const idEnd = idStart + valueBytes
  if (valueBytes > REQUEST_ID_CHARS_MAX || !isName(bytes, idStart, idEnd)) return undefined

  if (!readKeyAndHead(bytes, idEnd, NAME_KEY, TEXT)) return undefined
  const nameStart = valueStart
  const nameEnd = nameStart + valueBytes
  if (valueBytes > NAME_CHARS_MAX || !isName(bytes, nameStart, nameEnd)) return undefined

  if (!readKeyAndHead(bytes, nameEnd, PAYLOAD_KEY, BYTES)) return undefined
  const payloadStart = valueStart
  const payloadEnd = payloadStart + valueBytes
  const end = isIndefinite ? payloadEnd + 1 : payloadEnd
  if (end !== bytes.length || (isIndefinite && bytes[payloadEnd] !== BREAK)) return undefined

  return {
    kind: 'parsed',
    requestId: bytes.toString('latin1', idStart, idEnd),
    request: { streamName: nameOf(bytes, nameStart, nameEnd), payload: bytes.subarray(payloadStart, payloadEnd) }
  }
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
  valueBytes = argumentBytes === 0 ? info : bytes.readUIntBE(headStart + 1, argumentBytes)
  return valueBytes > 0
}

function isName(bytes: Buffer, start: number, end: number): boolean {
  // A byte beyond the end reads as undefined, which is no name byte either.
  for (let index = start; index < end; index++) if (IS_NAME_BYTE[bytes[index] ?? 0] !== 1) return false
  return true
}
