import type { Failure } from '../../model/failure.ts'
import { encodeCborMap } from '../cbor-encoder.ts'
import { encodeFrame } from '../frame.ts'
import { OPERATION } from '../operations.ts'
import { STATUS_SUCCESS, statusOf } from '../status.ts'
import { PROTOCOL_VERSIONS, type ProtocolVersion } from '../versions.ts'

/** The outcome of a handshake (protocol 3.2). */
export type ConnectResponse = {
  /** '' when there is none, as with a wrong connect version; clients do not look at it. */
  readonly requestId: string
  readonly serverVersion: string
} & (
  | {
      /** What `negotiateProtocolVersion` chose. */
      readonly protocolVersion: ProtocolVersion
      readonly failure?: undefined
    }
  | { readonly failure: Failure; readonly protocolVersion?: undefined }
)

/**
 * The frame of a ConnectResponse. The connect version byte goes before it, in the same write (protocol 3). A refusal is
 * sent too before the connection is closed: JavaScript clients would wait for ever (protocol 3.2).
 */
export function encodeConnectResponse(response: ConnectResponse): Buffer {
  const { requestId, protocolVersion, failure, serverVersion } = response
  const answer = {
    requestId,
    // No version is settled when a client is refused, so the code must suit the oldest one.
    status: failure === undefined ? STATUS_SUCCESS : statusOf(failure.kind, '1.0.0'),
    errorMessage: failure?.message ?? '',
    ...(protocolVersion === undefined ? {} : { protocolVersion }),
    supportedProtocolVersions: [...PROTOCOL_VERSIONS],
    serverVersion
  }
  return encodeFrame(OPERATION.connectResponse, encodeCborMap(answer))
}
