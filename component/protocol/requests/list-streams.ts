import { parseRequest, type ParsedRequest } from './request.ts'

/** Parses ListStreams, operation 11: nothing but the request id (protocol 5.5). */
export function parseListStreams(payload: Buffer): ParsedRequest<object> {
  return parseRequest(payload, () => ({}))
}
