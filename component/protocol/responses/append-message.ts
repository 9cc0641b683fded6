import { OPERATION } from '../operations.ts'
import { FRAME_HEADER_BYTES, writeFrameHeader } from '../frame.ts'
import { headBytes, integerBytes, writeAsciiText, writeInteger, writeRaw } from './cbor-writer.ts'
import { SUCCESS_START, successMiddle } from './success-parts.ts'

const MIDDLE = successMiddle('sequenceNumber')

/**
 * The frame that acknowledges an append (protocol 5.3). Written by hand: there is one per message.
 * @param requestId of a parsed request, so made of the characters of its pattern
 */
export function encodeAppendResponse(requestId: string, sequenceNumber: number): Buffer {
  const idBytes = headBytes(requestId.length) + requestId.length
  const payloadBytes = SUCCESS_START.length + idBytes + MIDDLE.length + integerBytes(sequenceNumber)
  const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + payloadBytes)
  writeFrameHeader(frame, OPERATION.appendMessageResponse)
  let offset = writeRaw(frame, FRAME_HEADER_BYTES, SUCCESS_START)
  offset = writeAsciiText(frame, offset, requestId)
  offset = writeRaw(frame, offset, MIDDLE)
  writeInteger(frame, offset, sequenceNumber)
  return frame
}
