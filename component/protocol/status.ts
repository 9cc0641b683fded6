import type { FailureKind } from '../model/failure.ts'
import type { ProtocolVersion } from './versions.ts'

/** ResponseStatusCode of a request that worked (protocol 7). */
export const STATUS_SUCCESS = 0

/** ResponseStatusCode of each kind of failure (protocol 7, behaviour 5.1). */
const STATUS_OF = {
  unknownFailure: 1,
  unauthorized: 2,
  invalidRequest: 3,
  requestPayloadTooLarge: 4,
  resourceNotFound: 5,
  serverTimeout: 6,
  responsePayloadTooLarge: 7,
  unsupportedConnectVersion: 8,
  unexpectedOperation: 9,
  unsupportedProtocolVersion: 10,
  invalidProtocolVersion: 11,
  failedToConnect: 12,
  notEnoughMessages: 13,
  messageStoreReadError: 14,
  outOfMemory: 15,
  updateFailed: 16,
  updateNotAllowed: 17,
  unknownOperation: 18
} as const satisfies Record<FailureKind, number>

/** Codes 15 to 18 end the reader of a protocol 1.0.0 client for good, so it gets their nearest relative (protocol 3.3). */
const STATUS_OF_1_0_0: Partial<Record<FailureKind, number>> = {
  outOfMemory: STATUS_OF.unknownFailure,
  updateFailed: STATUS_OF.unknownFailure,
  updateNotAllowed: STATUS_OF.invalidRequest,
  unknownOperation: STATUS_OF.invalidRequest
}

/** The status code that tells a client of this protocol version about a failure. */
export function statusOf(kind: FailureKind, protocolVersion: ProtocolVersion): number {
  return (protocolVersion === '1.0.0' ? STATUS_OF_1_0_0[kind] : undefined) ?? STATUS_OF[kind]
}

/** The kind of failure that a status code tells of; undefined for success and for codes that do not exist. */
export function failureKindOf(status: number): FailureKind | undefined {
  for (const kind in STATUS_OF) if (STATUS_OF[kind as FailureKind] === status) return kind as FailureKind
  return undefined
}
