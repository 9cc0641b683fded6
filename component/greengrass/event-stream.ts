import { crc32 } from '../base/crc32.ts'
import { Fault } from '../base/fault.ts'

/*
 * Frames of application/vnd.amazon.event-stream (greengrass 5.1), all numbers big-endian:
 *
 *     total length u32 | headers length u32 | CRC-32 of these 8 bytes u32 | headers | payload | CRC-32 of all before u32
 *
 * A header: name length u8, name, type u8, value. https://docs.aws.amazon.com/transcribe/latest/dg/event-stream.html
 */
const PRELUDE_BYTES = 12
const CRC_BYTES = 4
const FRAME_BYTES_MIN = PRELUDE_BYTES + CRC_BYTES
const NAME_BYTES_MAX = 255
const STRING_BYTES_MAX = 32_767

const TYPE = {
  true: 0,
  false: 1,
  int8: 2,
  int16: 3,
  int32: 4,
  int64: 5,
  bytes: 6,
  string: 7,
  timestamp: 8,
  uuid: 9
} as const

/** int32 is a number, string a string; so are the shorter integers. The others are not used here and kept as bytes. */
export type HeaderValue = string | number | boolean | Buffer

export interface EventStreamFrame {
  readonly headers: ReadonlyMap<string, HeaderValue>
  readonly payload: Buffer
}

/** Receives the bytes of one direction of a connection, split anywhere. */
export interface EventStreamDecoder {
  /**
   * Takes bytes and hands every complete frame on.
   * @throws Fault when they are no event stream, or a frame is longer than allowed; nothing is decoded after that
   */
  push(chunk: Buffer): void
}

function encodeHeader(name: string, value: string | number): Buffer {
  const nameBytes = Buffer.from(name)
  if (nameBytes.length === 0 || nameBytes.length > NAME_BYTES_MAX) throw new Fault(`a header cannot be named ${name}`)
  const start = Buffer.concat([Buffer.of(nameBytes.length), nameBytes])
  if (typeof value === 'number') {
    const rest = Buffer.alloc(5)
    rest.writeUInt8(TYPE.int32, 0)
    rest.writeInt32BE(value, 1)
    return Buffer.concat([start, rest])
  }
  const text = Buffer.from(value)
  if (text.length > STRING_BYTES_MAX) throw new Fault(`the header ${name} is too long`)
  const rest = Buffer.alloc(3)
  rest.writeUInt8(TYPE.string, 0)
  rest.writeUInt16BE(text.length, 1)
  return Buffer.concat([start, rest, text])
}

/**
 * One frame.
 * @param headers in order; a number is sent as int32
 * @throws Fault when a name or a text is longer than the format allows
 */
export function encodeEventStreamFrame(
  headers: readonly (readonly [name: string, value: string | number])[],
  payload: Uint8Array
): Buffer {
  const encoded = Buffer.concat(headers.map(([name, value]) => encodeHeader(name, value)))
  const totalBytes = FRAME_BYTES_MIN + encoded.length + payload.length
  const frame = Buffer.alloc(totalBytes)
  frame.writeUInt32BE(totalBytes, 0)
  frame.writeUInt32BE(encoded.length, 4)
  frame.writeUInt32BE(crc32(frame.subarray(0, 8)), 8)
  frame.set(encoded, PRELUDE_BYTES)
  frame.set(payload, PRELUDE_BYTES + encoded.length)
  frame.writeUInt32BE(crc32(frame.subarray(0, totalBytes - CRC_BYTES)), totalBytes - CRC_BYTES)
  return frame
}

/** Value bytes of a header whose type has a fixed length. */
const FIXED_BYTES: ReadonlyMap<number, number> = new Map([
  [TYPE.true, 0],
  [TYPE.false, 0],
  [TYPE.int8, 1],
  [TYPE.int16, 2],
  [TYPE.int32, 4],
  [TYPE.int64, 8],
  [TYPE.timestamp, 8],
  [TYPE.uuid, 16]
])

function readHeaderValue(type: number, bytes: Buffer): HeaderValue {
  switch (type) {
    case TYPE.true:
      return true
    case TYPE.false:
      return false
    case TYPE.int8:
    case TYPE.int16:
    case TYPE.int32:
      return bytes.readIntBE(0, bytes.length)
    case TYPE.string:
      return bytes.toString()
    default:
      return bytes
  }
}

/** Takes exactly `count` bytes, so that no length field reaches beyond the headers. */
function createTaker(bytes: Buffer): { take: (count: number) => Buffer; isEmpty: () => boolean } {
  let offset = 0
  return {
    take(count) {
      if (count > bytes.length - offset) throw new Fault('a header of an event stream frame is cut off')
      offset += count
      return bytes.subarray(offset - count, offset)
    },
    isEmpty: () => offset === bytes.length
  }
}

function readHeaders(bytes: Buffer): ReadonlyMap<string, HeaderValue> {
  const headers = new Map<string, HeaderValue>()
  const { take, isEmpty } = createTaker(bytes)
  while (!isEmpty()) {
    const name = take(take(1).readUInt8()).toString()
    const type = take(1).readUInt8()
    const hasLength = type === TYPE.bytes || type === TYPE.string
    const valueBytes = hasLength ? take(2).readUInt16BE() : FIXED_BYTES.get(type)
    if (valueBytes === undefined) throw new Fault(`a header of an event stream frame has the unknown type ${type}`)
    if (headers.has(name)) throw new Fault('a header of an event stream frame comes twice')
    headers.set(name, readHeaderValue(type, take(valueBytes)))
  }
  return headers
}

/** Total length of the frame that begins with this prelude. */
function readPrelude(prelude: Buffer, frameBytesMax: number): number {
  if (crc32(prelude.subarray(0, 8)) !== prelude.readUInt32BE(8))
    throw new Fault('the prelude of an event stream frame has a wrong checksum')
  const totalBytes = prelude.readUInt32BE(0)
  if (totalBytes < FRAME_BYTES_MIN || totalBytes > frameBytesMax)
    throw new Fault(`an event stream frame of ${totalBytes} bytes is not possible here`)
  if (prelude.readUInt32BE(4) > totalBytes - FRAME_BYTES_MIN)
    throw new Fault('the headers of an event stream frame are longer than the frame')
  return totalBytes
}

function readFrame(frame: Buffer): EventStreamFrame {
  const payloadEnd = frame.length - CRC_BYTES
  if (crc32(frame.subarray(0, payloadEnd)) !== frame.readUInt32BE(payloadEnd))
    throw new Fault('an event stream frame has a wrong checksum')
  const payloadStart = PRELUDE_BYTES + frame.readUInt32BE(4)
  return {
    headers: readHeaders(frame.subarray(PRELUDE_BYTES, payloadStart)),
    payload: frame.subarray(payloadStart, payloadEnd)
  }
}

/**
 * A decoder that holds at most one incomplete frame.
 * @param frameBytesMax the longest frame accepted, in bytes
 * @param onFrame receives each frame; its bytes stay valid
 */
export function createEventStreamDecoder(
  frameBytesMax: number,
  onFrame: (frame: EventStreamFrame) => void
): EventStreamDecoder {
  let pending: Buffer = Buffer.alloc(0)
  let isBroken = false

  const decode = (): void => {
    while (pending.length >= PRELUDE_BYTES) {
      const totalBytes = readPrelude(pending.subarray(0, PRELUDE_BYTES), frameBytesMax)
      if (pending.length < totalBytes) return
      const frame = pending.subarray(0, totalBytes)
      pending = pending.subarray(totalBytes)
      onFrame(readFrame(frame))
    }
  }

  return {
    push(chunk) {
      if (isBroken) return
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
      try {
        decode()
      } catch (error) {
        isBroken = true
        throw error
      }
    }
  }
}
