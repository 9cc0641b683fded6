import { OPERATION } from '../operations.ts'
import { FRAME_HEADER_BYTES, writeHeaderAt } from '../frame.ts'
import { headBytes, integerBytes, MAJOR_TEXT, writeHead, writeInteger } from './cbor-writer.ts'
import { SUCCESS_START, successMiddle } from './success-parts.ts'

const MIDDLE = successMiddle('sequenceNumber')

/** Bytes of the frame that acknowledges an append. @param idBytes length of the request id */
export function appendResponseBytes(idBytes: number, sequenceNumber: number): number {
  const idPartBytes = headBytes(idBytes) + idBytes
  return FRAME_HEADER_BYTES + SUCCESS_START.length + idPartBytes + MIDDLE.length + integerBytes(sequenceNumber)
}

/**
 * Writes the frame that acknowledges an append (protocol 5.3) to where it is sent from. There is one per message, so
 * short runs of bytes are copied one by one: a call into native code costs more.
 * @param id holds the request id of a parsed request at [idStart, idEnd)
 */
export function writeAppendResponse(
  target: Buffer,
  start: number,
  id: Uint8Array,
  idStart: number,
  idEnd: number,
  sequenceNumber: number
): void {
  const idBytes = idEnd - idStart
  writeHeaderAt(
    target,
    start,
    OPERATION.appendMessageResponse,
    appendResponseBytes(idBytes, sequenceNumber) - FRAME_HEADER_BYTES
  )
  let offset = copyBytes(target, start + FRAME_HEADER_BYTES, SUCCESS_START, 0, SUCCESS_START.length)
  offset = writeHead(target, offset, MAJOR_TEXT, idBytes)
  offset = copyBytes(target, offset, id, idStart, idEnd)
  offset = copyBytes(target, offset, MIDDLE, 0, MIDDLE.length)
  writeInteger(target, offset, sequenceNumber)
}

function copyBytes(target: Uint8Array, at: number, source: Uint8Array, start: number, end: number): number {
  let offset = at
  for (let index = start; index < end; index++) target[offset++] = source[index] ?? 0
  return offset
}

/**
 * The same as a frame of its own.
 * @param requestId of a parsed request, so made of the characters of its pattern
 */
export function encodeAppendResponse(requestId: string, sequenceNumber: number): Buffer {
  const id = Buffer.from(requestId, 'latin1')
  const frame = Buffer.allocUnsafe(appendResponseBytes(id.length, sequenceNumber))
  writeAppendResponse(frame, 0, id, 0, id.length, sequenceNumber)
  return frame
}
