import { NAME_RULES, type Fields } from '../fields.ts'
import { decodeUsualAppend, type AppendMessageRequest } from './append-fast-path.ts'
import { parseRequest, type ParsedRequest } from './request.ts'

/** Parses AppendMessage: the shape that all clients send is decoded by hand, everything else in the general way. */
export function parseAppendMessage(payload: Buffer): ParsedRequest<AppendMessageRequest> {
  return decodeUsualAppend(payload) ?? parseAnyAppendMessage(payload)
}

/** The general way alone; a property test holds both against each other. */
export function parseAnyAppendMessage(payload: Buffer): ParsedRequest<AppendMessageRequest> {
  return parseRequest(payload, readAppendMessage)
}

function readAppendMessage(fields: Fields): AppendMessageRequest {
  return { streamName: fields.requiredText('name', NAME_RULES), payload: fields.requiredBytes('payload') }
}
