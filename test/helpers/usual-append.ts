import { hashId, type ParsedRequest } from '../../component/protocol/index.ts'
import { emptyAppendParts, readUsualAppend } from '../../component/protocol/requests/append-fast-path.ts'
import type { AppendMessageRequest } from '../../component/protocol/requests/append-message.ts'

/**
 * What the short way for appends makes of a payload, in the form of the general way; undefined when it leaves it to that.
 * The payload lies between other bytes, as in the chunk of a socket.
 */
export function decodeUsualAppend(payload: Buffer): ParsedRequest<AppendMessageRequest> | undefined {
  const start = 3
  const chunk = Buffer.concat([Buffer.alloc(start, 0xa3), payload, Buffer.from('69726571756573744964', 'hex')])
  const parts = emptyAppendParts()
  if (!readUsualAppend(chunk, start, start + payload.length, parts)) return undefined
  const requestId = chunk.toString('latin1', parts.idStart, parts.idEnd)
  if (parts.idHash !== hashId(requestId)) throw new Error('equal ids have different hashes')
  return {
    kind: 'parsed',
    requestId,
    request: { streamName: parts.streamName, payload: chunk.subarray(parts.payloadStart, parts.payloadEnd) }
  }
}
