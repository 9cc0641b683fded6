import { NAME_RULES, type Fields } from '../fields.ts'
import { parseRequest, type ParsedRequest } from './request.ts'

/** AppendMessage, operation 4 (protocol 5.3). */
export interface AppendMessageRequest {
  readonly streamName: string
  /** One byte or more; a view into the payload of the frame. */
  readonly payload: Buffer
}

/** Parses AppendMessage of any shape; the usual one is read by hand (append-fast-path.ts). */
export function parseAppendMessage(payload: Buffer): ParsedRequest<AppendMessageRequest> {
  return parseRequest(payload, readAppendMessage)
}

function readAppendMessage(fields: Fields): AppendMessageRequest {
  return { streamName: fields.requiredText('name', NAME_RULES), payload: fields.requiredBytes('payload') }
}
