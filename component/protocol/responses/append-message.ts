import { OPERATION } from '../operations.ts'
import { FRAME_HEADER_BYTES, writeFrameHeader } from '../frame.ts'
import { STATUS_SUCCESS } from '../status.ts'
import {
  headBytes,
  integerBytes,
  MAJOR_MAP,
  MAJOR_UNSIGNED,
  preparedText,
  writeAsciiText,
  writeInteger,
  writeRaw
} from './cbor-writer.ts'

/** A map of four, up to the request id. */
const START = Buffer.concat([Buffer.from([MAJOR_MAP | 4]), preparedText('requestId')])
/** From behind the request id to the sequence number. */
const MIDDLE = Buffer.concat([
  preparedText('status'),
  Buffer.from([MAJOR_UNSIGNED | STATUS_SUCCESS]),
  preparedText('errorMessage'),
  preparedText(''),
  preparedText('sequenceNumber')
])

/**
 * The frame that acknowledges an append (protocol 5.3). Written by hand: there is one per message.
 * @param requestId of a parsed request, so made of the characters of its pattern
 */
export function encodeAppendResponse(requestId: string, sequenceNumber: number): Buffer {
  const idBytes = headBytes(requestId.length) + requestId.length
  const payloadBytes = START.length + idBytes + MIDDLE.length + integerBytes(sequenceNumber)
  const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + payloadBytes)
  writeFrameHeader(frame, OPERATION.appendMessageResponse)
  let offset = writeRaw(frame, FRAME_HEADER_BYTES, START)
  offset = writeAsciiText(frame, offset, requestId)
  offset = writeRaw(frame, offset, MIDDLE)
  writeInteger(frame, offset, sequenceNumber)
  return frame
}
