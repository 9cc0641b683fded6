import type { Failure } from '../../model/failure.ts'
import { encodeCborMap, type WireMap } from '../cbor-encoder.ts'
import { encodeFrame } from '../frame.ts'
import { responseOperationOf } from '../operations.ts'
import { STATUS_SUCCESS, statusOf } from '../status.ts'
import type { ProtocolVersion } from '../versions.ts'

/** The frame of an answer that says the request worked. errorMessage is empty, not absent, as the original sends it (protocol 13). */
export function encodeSuccess(requestOperation: number, requestId: string, data: WireMap = {}): Buffer {
  const answer = { requestId, status: STATUS_SUCCESS, errorMessage: '', ...data }
  return encodeFrame(responseOperationOf(requestOperation), encodeCborMap(answer))
}

/**
 * The frame that tells a client about a failure: in the answer of its request, or as UnknownOperationError for an
 * operation that is no request (protocol 4).
 */
export function encodeFailure(
  requestOperation: number,
  requestId: string,
  failure: Failure,
  protocolVersion: ProtocolVersion
): Buffer {
  const status = statusOf(failure.kind, protocolVersion)
  const answer = { requestId, status, errorMessage: failure.message }
  return encodeFrame(responseOperationOf(requestOperation), encodeCborMap(answer))
}
