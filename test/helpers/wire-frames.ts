import { Decoder, Encoder } from 'cbor-x'

/**
 * Frames of the protocol for tests, written down a second time on purpose: nothing here is shared with the server
 * (protocol 1, 2 and 4).
 */

/** Operation numbers of protocol 4 that tests send or expect. */
export const OP = {
  connect: 1,
  createMessageStream: 2,
  deleteMessageStream: 3,
  appendMessage: 4,
  readMessages: 5,
  connectResponse: 6,
  createMessageStreamResponse: 7,
  deleteMessageStreamResponse: 8,
  appendMessageResponse: 9,
  readMessagesResponse: 10,
  listStreams: 11,
  listStreamsResponse: 12,
  describeMessageStream: 13,
  describeMessageStreamResponse: 14,
  updateMessageStream: 15,
  updateMessageStreamResponse: 16,
  unknownOperationError: 17
} as const

/** A frame's payload as plain data. What the server sends is only looked at with assertions. */
export type WireMap = Record<string, unknown>

export interface WireFrame {
  readonly operation: number
  readonly map: WireMap
}

const encoder = new Encoder({ useRecords: false, tagUint8Array: false, variableMapSize: true })
const decoder = new Decoder({ useRecords: false, mapsAsObjects: true })

/** A frame ready to send; `payload` is a map to encode or bytes to send as they are. */
export function encodeFrame(operation: number, payload: WireMap | Uint8Array): Buffer {
  const body = payload instanceof Uint8Array ? payload : encoder.encode(payload)
  const head = Buffer.alloc(5)
  head.writeInt32BE(body.length + 1, 0)
  head.writeInt8(operation, 4)
  return Buffer.concat([head, body])
}

/** A frame as it came, without its length. */
export interface RawFrame {
  readonly operation: number
  readonly payload: Buffer
}

/** Integers come out as bigint only where a number would not be exact, whatever width they were sent in. */
function withNumbers(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value
  if (Array.isArray(value)) return value.map(withNumbers)
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withNumbers(item)]))
}

export function decodeFrame({ operation, payload }: RawFrame): WireFrame {
  return { operation, map: withNumbers(decoder.decode(payload)) as WireMap }
}
