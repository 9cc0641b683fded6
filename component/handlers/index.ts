import type { Failure } from '../model/failure.ts'
import { encodeFailure, OPERATION, recoverRequestId, type ProtocolVersion } from '../protocol/index.ts'
import { appendMessage } from './append-message.ts'
import { createMessageStream, deleteMessageStream, updateMessageStream } from './define-streams.ts'
import { describeMessageStream, listStreams } from './inspect-streams.ts'
import type { Caller, Operation, Services } from './operation.ts'
import { readMessages } from './read-messages.ts'

export type { Caller, Services } from './operation.ts'

/** A request that has been taken in and must be answered with exactly one frame. */
export interface OpenRequest extends Caller {
  /** Memory for the frame of the answer, of just this size. */
  allocate(bytes: number): Buffer
  answer(frame: Buffer): void
}

/** What dispatching needs of a connection. */
export interface RequestOrigin {
  readonly protocolVersion: ProtocolVersion
  /** Registers a request. Called at most once per dispatch, before anything is answered. */
  open(operation: number, requestId: string): OpenRequest
}

type Dispatch = (payload: Buffer, services: Services, origin: RequestOrigin) => boolean

function bind<Request, Value>(code: number, operation: Operation<Request, Value>): [number, Dispatch] {
  const dispatch: Dispatch = (payload, services, origin) => {
    const parsed = operation.parse(payload, services)
    if (parsed.kind === 'unanswerable') return false
    const { requestId } = parsed
    const open = origin.open(code, requestId)
    const answerFailure = (failure: Failure): void => {
      open.answer(encodeFailure(code, requestId, failure, origin.protocolVersion))
    }
    if (parsed.kind === 'invalid') {
      answerFailure(parsed.failure)
      return true
    }
    operation.handle(parsed.request, services, open, (result) => {
      if (!result.ok) {
        answerFailure(result.failure)
        return
      }
      const frame = operation.encode(requestId, result.value, (bytes) => open.allocate(bytes))
      if (frame instanceof Promise) void frame.then((written) => open.answer(written))
      else open.answer(frame)
    })
    return true
  }
  return [code, dispatch]
}

/** The operations of the server, by code (protocol 4). */
const operations: ReadonlyMap<number, Dispatch> = new Map([
  bind(OPERATION.createMessageStream, createMessageStream),
  bind(OPERATION.deleteMessageStream, deleteMessageStream),
  bind(OPERATION.appendMessage, appendMessage),
  bind(OPERATION.readMessages, readMessages),
  bind(OPERATION.listStreams, listStreams),
  bind(OPERATION.describeMessageStream, describeMessageStream),
  bind(OPERATION.updateMessageStream, updateMessageStream)
])

/**
 * Answers a frame that cannot be served at all.
 * @returns false when its request id cannot be recovered: the connection must be closed without an answer
 */
export function dispatchFailure(operation: number, payload: Buffer, failure: Failure, origin: RequestOrigin): boolean {
  const requestId = recoverRequestId(payload)
  if (requestId === undefined) return false
  origin.open(operation, requestId).answer(encodeFailure(operation, requestId, failure, origin.protocolVersion))
  return true
}

/**
 * Serves one frame of an established connection.
 * @returns false when it cannot be answered: the connection must be closed (protocol 11.2)
 */
export function dispatch(operation: number, payload: Buffer, services: Services, origin: RequestOrigin): boolean {
  const serve = operations.get(operation)
  if (serve !== undefined) return serve(payload, services, origin)
  const failure: Failure =
    operation === OPERATION.connect
      ? { kind: 'unexpectedOperation', message: 'this connection is already connected' }
      : { kind: 'unknownOperation', message: `unknown operation ${operation}` }
  return dispatchFailure(operation, payload, failure, origin)
}
