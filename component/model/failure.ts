/** The kinds of failure a client can be told of; protocol/status.ts maps each to one status code. */
export type FailureKind =
  | 'unknownFailure'
  | 'unauthorized'
  | 'invalidRequest'
  | 'requestPayloadTooLarge'
  | 'resourceNotFound'
  | 'serverTimeout'
  | 'responsePayloadTooLarge'
  | 'unsupportedConnectVersion'
  | 'unexpectedOperation'
  | 'unsupportedProtocolVersion'
  | 'invalidProtocolVersion'
  | 'failedToConnect'
  | 'notEnoughMessages'
  | 'messageStoreReadError'
  | 'outOfMemory'
  | 'updateFailed'
  | 'updateNotAllowed'
  | 'unknownOperation'

/** Something the client caused or must hear of. A value, never thrown. */
export interface Failure {
  readonly kind: FailureKind
  /** The text of the answer's errorMessage. */
  readonly message: string
}

/** The value, or the failure that took its place. */
export type Result<Value> =
  { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly failure: Failure }

export function success<Value>(value: Value): Result<Value> {
  return { ok: true, value }
}

export function fail(kind: FailureKind, message: string): { readonly ok: false; readonly failure: Failure } {
  return { ok: false, failure: { kind, message } }
}

/**
 * Texts of failures that client programs compare literally or that users search for (behaviour 5.2).
 * The first three are matched by existing programs and must not change by a byte.
 */
export const FAILURES = {
  streamExists: { kind: 'invalidRequest', message: 'the message stream already exists' },
  readTimedOut: { kind: 'notEnoughMessages', message: 'not enough messages to return before time out' },
  readBeyondEnd: {
    kind: 'notEnoughMessages',
    message: 'desired starting sequence number is greater than the last sequence number of the stream'
  },
  streamMissing: { kind: 'resourceNotFound', message: 'the message stream does not exist' },
  streamFull: { kind: 'invalidRequest', message: 'the message stream is full' },
  messageTooLarge: { kind: 'invalidRequest', message: 'the message is larger than the maximum size of the stream' },
  persistenceChanged: { kind: 'updateNotAllowed', message: 'persistence of a message stream cannot be updated' }
} as const satisfies Record<string, Failure>
