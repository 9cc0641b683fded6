import { OPERATION } from '../operations.ts'
import { encodeSuccess } from './result.ts'

/** The answer to ListStreams. The list is there even when it is empty: Python programs search in it (behaviour 3.5). */
export function encodeListResponse(requestId: string, streamNames: readonly string[]): Buffer {
  return encodeSuccess(OPERATION.listStreams, requestId, { streams: streamNames })
}
