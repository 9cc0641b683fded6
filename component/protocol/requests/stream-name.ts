import { NAME_RULES, type Fields } from '../fields.ts'
import { parseRequest, type ParsedRequest } from './request.ts'

/** DeleteMessageStream, operation 3, or DescribeMessageStream, operation 13 (protocol 5.2). */
export interface StreamNameRequest {
  readonly streamName: string
}

export function parseDeleteMessageStream(payload: Buffer): ParsedRequest<StreamNameRequest> {
  return parseRequest(payload, readRequest)
}

export const parseDescribeMessageStream = parseDeleteMessageStream

function readRequest(fields: Fields): StreamNameRequest {
  return { streamName: fields.requiredText('name', NAME_RULES) }
}
