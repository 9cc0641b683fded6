import { assert } from '../../base/assert.ts'
import type { StoredMessage } from '../../model/message.ts'
import { OPERATION } from '../operations.ts'
import { FRAME_HEADER_BYTES, writeFrameHeader } from '../frame.ts'
import {
  headBytes,
  integerBytes,
  MAJOR_ARRAY,
  MAJOR_BYTES,
  MAJOR_MAP,
  preparedText,
  writeAsciiText,
  writeHead,
  writeInteger,
  writeRaw
} from './cbor-writer.ts'
import { SUCCESS_START, successMiddle } from './success-parts.ts'

const MIDDLE = successMiddle('messages')
const INGEST_TIME = preparedText('ingestTime')
const PAYLOAD = preparedText('payload')

/** The start of each message, the same for all of one answer: a map of four, up to the sequence number. */
function messageStart(streamName: string): Buffer {
  const name = [preparedText('streamName'), preparedText(streamName), preparedText('sequenceNumber')]
  return Buffer.concat([Buffer.from([MAJOR_MAP | 4]), ...name])
}

/** A message up to its payload, to be copied at once: only the numbers differ from one message to the next. */
interface MessageForm {
  readonly bytes: Buffer
  readonly sequenceBytes: number
  readonly ingestTimeAt: number
  readonly ingestTimeBytes: number
}

/** The form of all messages whose numbers take as many bytes as these. */
function messageForm(start: Buffer, sequenceNumber: number, ingestTimeMs: number): MessageForm {
  const sequenceBytes = integerBytes(sequenceNumber)
  const ingestTimeBytes = integerBytes(ingestTimeMs)
  const ingestTimeAt = start.length + sequenceBytes + INGEST_TIME.length
  const bytes = Buffer.alloc(ingestTimeAt + ingestTimeBytes + PAYLOAD.length)
  const sequenceAt = writeRaw(bytes, 0, start)
  writeRaw(bytes, sequenceAt + sequenceBytes, INGEST_TIME)
  writeRaw(bytes, ingestTimeAt + ingestTimeBytes, PAYLOAD)
  return { bytes, sequenceBytes, ingestTimeAt, ingestTimeBytes }
}

function fits(form: MessageForm, sequenceNumber: number, ingestTimeMs: number): boolean {
  return integerBytes(sequenceNumber) === form.sequenceBytes && integerBytes(ingestTimeMs) === form.ingestTimeBytes
}

/** Bytes of the frame that `encodeReadResponse` makes, header included. */
export function readResponseBytes(requestId: string, streamName: string, messages: readonly StoredMessage[]): number {
  const idBytes = headBytes(requestId.length) + requestId.length
  let frameBytes = FRAME_HEADER_BYTES + SUCCESS_START.length + idBytes + MIDDLE.length + headBytes(messages.length)
  frameBytes += messages.length * (messageStart(streamName).length + INGEST_TIME.length + PAYLOAD.length)
  for (const { sequenceNumber, ingestTimeMs, payload } of messages) {
    frameBytes += integerBytes(sequenceNumber) + integerBytes(ingestTimeMs) + headBytes(payload.length) + payload.length
  }
  return frameBytes
}

/** An answer that is being written. */
export interface ReadResponse {
  /** All of it once `write` has returned true. */
  readonly frame: Buffer
  /** Writes messages of about so many bytes. @returns true when none is left */
  write(bytesMax: number): boolean
}

/**
 * Begins the frame with the messages that were read (protocol 5.4): its size is computed first, then every payload is
 * copied once, from where it is stored to where it is sent.
 * @param requestId of a parsed request, so made of the characters of its pattern; likewise `streamName`
 */
export function beginReadResponse(
  requestId: string,
  streamName: string,
  messages: readonly StoredMessage[],
  allocate: (bytes: number) => Buffer = Buffer.allocUnsafe
): ReadResponse {
  const frame = allocate(readResponseBytes(requestId, streamName, messages))
  writeFrameHeader(frame, OPERATION.readMessagesResponse)
  let offset = writeRaw(frame, FRAME_HEADER_BYTES, SUCCESS_START)
  offset = writeAsciiText(frame, offset, requestId)
  offset = writeRaw(frame, offset, MIDDLE)
  offset = writeHead(frame, offset, MAJOR_ARRAY, messages.length)
  const start = messageStart(streamName)
  let form: MessageForm | undefined
  let index = 0

  const write = (bytesMax: number): boolean => {
    const pauseAt = offset + bytesMax
    for (; offset < pauseAt; index += 1) {
      const message = messages[index]
      if (message === undefined) break
      const { sequenceNumber, ingestTimeMs, payload } = message
      if (form === undefined || !fits(form, sequenceNumber, ingestTimeMs))
        form = messageForm(start, sequenceNumber, ingestTimeMs)
      const end = writeRaw(frame, offset, form.bytes)
      writeInteger(frame, offset + start.length, sequenceNumber)
      writeInteger(frame, offset + form.ingestTimeAt, ingestTimeMs)
      offset = writeHead(frame, end, MAJOR_BYTES, payload.length)
      offset = writeRaw(frame, offset, payload)
    }
    if (index < messages.length) return false
    assert(offset === frame.length, 'the size of a read answer was computed exactly')
    return true
  }
  return { frame, write }
}
