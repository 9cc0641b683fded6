import type { Clock } from '../base/clock.ts'
import { HANDSHAKE_TIMEOUT_MS } from '../base/limits.ts'
import { fail, success, type Failure, type Result } from '../model/failure.ts'
import {
  encodeConnectResponse,
  negotiateProtocolVersion,
  OPERATION,
  parseConnect,
  recoverRequestId,
  type ConnectRequest,
  type ProtocolVersion
} from '../protocol/index.ts'

/** Whether a token belongs to a component of this device. Rejects when that cannot be found out. */
export type Authenticate = (token: string | undefined) => Promise<boolean>

/** Admits every local process. */
export const admitEveryone: Authenticate = () => Promise.resolve(true)

/** How a handshake ended: with an answer and, if the client is admitted, the version it speaks. */
export interface HandshakeOutcome {
  /** Absent when no answer can be given; the connection is then just closed. */
  readonly answer?: Buffer
  readonly protocolVersion?: ProtocolVersion
  /** Why the client was refused, for the log. */
  readonly refusal?: Failure
}

export interface HandshakeOptions {
  readonly serverVersion: string
  readonly authenticate: Authenticate
  readonly clock: Clock
}

/** An answer that refuses a client; it is closed afterwards, never before, as JavaScript clients wait for one (protocol 3.2). */
export function refuseClient(options: HandshakeOptions, failure: Failure, requestId = ''): HandshakeOutcome {
  const answer = encodeConnectResponse({ requestId, failure, serverVersion: options.serverVersion })
  return { answer, refusal: failure }
}

/** A client waits ten seconds for the handshake (protocol 9), so a verdict later than this does not reach it. */
const AUTHENTICATION_TIMEOUT_MS = HANDSHAKE_TIMEOUT_MS / 2

/** Fails closed: no verdict is a refusal (behaviour 2, rule 10). */
function authenticate(token: string | undefined, options: HandshakeOptions): Promise<Result<void>> {
  const unavailable = fail('unauthorized', 'Unauthorized: the token could not be validated')
  return new Promise((resolve) => {
    const timer = options.clock.after(AUTHENTICATION_TIMEOUT_MS, () => resolve(unavailable))
    const finish = (result: Result<void>): void => {
      timer.cancel()
      resolve(result)
    }
    options.authenticate(token).then(
      (isValid) => finish(isValid ? success(undefined) : fail('unauthorized', 'Unauthorized')),
      () => finish(unavailable)
    )
  })
}

async function admit(requestId: string, request: ConnectRequest, options: HandshakeOptions): Promise<HandshakeOutcome> {
  const version = negotiateProtocolVersion(request)
  if (!version.ok) return refuseClient(options, version.failure, requestId)
  const verdict = await authenticate(request.authToken, options)
  if (!verdict.ok) return refuseClient(options, verdict.failure, requestId)
  const { serverVersion } = options
  const answer = encodeConnectResponse({ requestId, protocolVersion: version.value, serverVersion })
  return { answer, protocolVersion: version.value }
}

/** Decides about the first frame of a connection (protocol 3.3, reliability 7.1). */
export async function performHandshake(
  operation: number,
  payload: Buffer,
  options: HandshakeOptions
): Promise<HandshakeOutcome> {
  if (operation !== OPERATION.connect) {
    const failure: Failure = { kind: 'unexpectedOperation', message: 'the first operation must be Connect' }
    const requestId = recoverRequestId(payload)
    return requestId === undefined ? { refusal: failure } : refuseClient(options, failure, requestId)
  }
  const parsed = parseConnect(payload)
  switch (parsed.kind) {
    case 'unanswerable':
      return { refusal: { kind: 'invalidRequest', message: 'the Connect request has no readable request id' } }
    case 'invalid':
      return refuseClient(options, parsed.failure, parsed.requestId)
    case 'parsed':
      return admit(parsed.requestId, parsed.request, options)
  }
}
