import { assert } from '../../base/assert.ts'
import { REQUEST_ID_CHARS_MAX } from '../../base/limits.ts'
import { fail, type Failure } from '../../model/failure.ts'
import { decodeCborMap } from '../cbor-decoder.ts'
import { Fields, NAME_PATTERN } from '../fields.ts'

/** What the payload of a frame turned out to be. */
export type ParsedRequest<Request> =
  | { readonly kind: 'parsed'; readonly requestId: string; readonly request: Request }
  /** To be answered with this failure. */
  | { readonly kind: 'invalid'; readonly requestId: string; readonly failure: Failure }
  /** Without a request id any answer would end the client's reader: the connection is to be closed (protocol 11.2). */
  | { readonly kind: 'unanswerable' }

/**
 * Decodes the payload of a request and reads its fields.
 * @param read reads everything but the request id; may return undefined only when it leaves a problem
 */
export function parseRequest<Request>(
  payload: Buffer,
  read: (fields: Fields) => Request | undefined
): ParsedRequest<Request> {
  const decoded = decodeCborMap(payload)
  if (!decoded.ok) {
    const { requestId } = decoded
    if (!isAnswerable(requestId)) return { kind: 'unanswerable' }
    return invalidRequest(requestId, `the request cannot be decoded: ${decoded.reason}`)
  }
  const requestId = decoded.map.get('requestId')
  if (typeof requestId !== 'string' || !isAnswerable(requestId)) return { kind: 'unanswerable' }
  const fields = new Fields(decoded.map, '')
  fields.requiredText('requestId', { charsMin: 1, pattern: NAME_PATTERN })
  const request = read(fields)
  if (fields.problems.length > 0) return invalidRequest(requestId, fields.problems.join(' '))
  assert(request !== undefined, 'a request without problems has been read')
  return { kind: 'parsed', requestId, request }
}

/**
 * The request id in the payload of an operation the server does not know, or in the start of a frame it had no memory
 * for. Undefined when it cannot be told: the connection is then to be closed (protocol 4, 11.2).
 */
export function recoverRequestId(payload: Buffer): string | undefined {
  const decoded = decodeCborMap(payload)
  const requestId = decoded.ok ? decoded.map.get('requestId') : decoded.requestId
  return typeof requestId === 'string' && isAnswerable(requestId) ? requestId : undefined
}

/** Ids are echoed whatever their characters, but not beyond a length that no client uses (reliability 7.2). */
function isAnswerable(requestId: string | undefined): requestId is string {
  return requestId !== undefined && requestId.length <= REQUEST_ID_CHARS_MAX
}

function invalidRequest(requestId: string, message: string): ParsedRequest<never> {
  return { kind: 'invalid', requestId, failure: fail('invalidRequest', message).failure }
}
