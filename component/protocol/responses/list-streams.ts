import { FRAME_HEADER_BYTES, writeFrameHeader } from '../frame.ts'
import { OPERATION } from '../operations.ts'
import { headBytes, MAJOR_ARRAY, preparedText, writeAsciiText, writeHead, writeRaw } from './cbor-writer.ts'
import { SUCCESS_START, successMiddle } from './success-parts.ts'

const MIDDLE = successMiddle('streams')

/** What follows the request id, by the list that it tells: the same list is asked for again and again. */
const known = new WeakMap<readonly string[], Buffer>()

function encodeNames(streamNames: readonly string[]): Buffer {
  const count = Buffer.alloc(headBytes(streamNames.length))
  writeHead(count, 0, MAJOR_ARRAY, streamNames.length)
  return Buffer.concat([MIDDLE, count, ...streamNames.map(preparedText)])
}

/**
 * The answer to ListStreams. The list is there even when it is empty: Python programs search in it (behaviour 3.5).
 * @param requestId of a parsed request, so made of the characters of its pattern
 * @param streamNames does not change any more
 */
export function encodeListResponse(
  requestId: string,
  streamNames: readonly string[],
  allocate: (bytes: number) => Buffer = Buffer.allocUnsafe
): Buffer {
  const rest = known.get(streamNames) ?? encodeNames(streamNames)
  known.set(streamNames, rest)
  const idBytes = headBytes(requestId.length) + requestId.length
  const frame = allocate(FRAME_HEADER_BYTES + SUCCESS_START.length + idBytes + rest.length)
  writeFrameHeader(frame, OPERATION.listStreamsResponse)
  const idStart = writeRaw(frame, FRAME_HEADER_BYTES, SUCCESS_START)
  writeRaw(frame, writeAsciiText(frame, idStart, requestId), rest)
  return frame
}
