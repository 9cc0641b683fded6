import { Fault } from '../base/fault.ts'
import { encodeEventStreamFrame, type EventStreamFrame } from './event-stream.ts'
import type { Identity, NucleusRequest, NucleusResponse } from './ipc.ts'

/*
 * Messages of the IPC protocol, as headers and JSON payload of event stream frames (greengrass 5.1). Pure: bytes to values
 * and back.
 */
const MESSAGE_TYPE = {
  application: 0,
  applicationError: 1,
  ping: 2,
  pingResponse: 3,
  connect: 4,
  connectAck: 5,
  protocolError: 6,
  internalError: 7
} as const
const FLAG_CONNECTION_ACCEPTED = 1
const FLAG_TERMINATE_STREAM = 2
const SERVICE = 'aws.greengrass#'
const PROTOCOL_VERSION = '0.1.0'
const NO_PAYLOAD = Buffer.alloc(0)
/** Longest error code that is passed on; it may get into the log. */
const ERROR_CODE_CHARS_MAX = 64

/** A message of the nucleus. */
export type IncomingMessage =
  | { readonly kind: 'connectAck'; readonly isAccepted: boolean; readonly token: string | undefined }
  | { readonly kind: 'response'; readonly streamId: number; readonly isLast: boolean; readonly payload: Buffer }
  | { readonly kind: 'error'; readonly streamId: number; readonly code: string }
  | { readonly kind: 'ping'; readonly payload: Buffer }
  | { readonly kind: 'pingResponse' }
  /** The nucleus ends the connection. */
  | { readonly kind: 'connectionError' }

function encode(
  messageType: number,
  flags: number,
  streamId: number,
  others: readonly (readonly [string, string])[],
  payload: Uint8Array
): Buffer {
  const common = [
    [':message-type', messageType],
    [':message-flags', flags],
    [':stream-id', streamId]
  ] as const
  return encodeEventStreamFrame([...common, ...others], payload)
}

/** The first message of a connection. */
export function encodeConnect(identity: Identity): Buffer {
  return encode(MESSAGE_TYPE.connect, 0, 0, [[':version', PROTOCOL_VERSION]], Buffer.from(JSON.stringify(identity)))
}

/** @param streamId 1 or more, higher than all before on this connection */
export function encodeRequest(streamId: number, { operation, payload }: NucleusRequest): Buffer {
  const headers = [
    ['operation', `${SERVICE}${operation}`],
    ['service-model-type', `${SERVICE}${operation}Request`],
    [':content-type', 'application/json']
  ] as const
  return encode(MESSAGE_TYPE.application, 0, streamId, headers, Buffer.from(JSON.stringify(payload)))
}

/** Gives a stream back that the nucleus keeps open after its response. */
export function encodeStreamEnd(streamId: number): Buffer {
  return encode(MESSAGE_TYPE.application, FLAG_TERMINATE_STREAM, streamId, [], NO_PAYLOAD)
}

/** @param payload of the ping, which is returned */
export function encodePingResponse(payload: Buffer): Buffer {
  return encode(MESSAGE_TYPE.pingResponse, 0, 0, [], payload)
}

function int32(frame: EventStreamFrame, name: string): number {
  const value = frame.headers.get(name)
  if (typeof value !== 'number') throw new Fault(`a message of the nucleus has no ${name}`)
  return value
}

/** The fields of a JSON object. */
function parseObject(payload: Buffer): ReadonlyMap<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(payload.toString())
  } catch (error) {
    throw new Fault('a message of the nucleus has a payload that is not JSON', error)
  }
  if (typeof value !== 'object' || value === null)
    throw new Fault('a message of the nucleus has a payload that is no object')
  return new Map(Object.entries(value))
}

/** Nucleus lite tells a process that has shown its name which token that name has now (greengrass 5.1). */
function tokenOf(frame: EventStreamFrame): string | undefined {
  const token = frame.headers.get('svcuid')
  return typeof token === 'string' && token !== '' ? token : undefined
}

/** The code in the payload, or the name of the error's type; an answer without either is still an error. */
function errorCode(frame: EventStreamFrame): string {
  const type = frame.headers.get('service-model-type')
  const named = typeof type === 'string' && type.startsWith(SERVICE) ? type.slice(SERVICE.length) : 'UnknownError'
  const told = frame.payload.length === 0 ? undefined : parseObject(frame.payload).get('_errorCode')
  return (typeof told === 'string' && told !== '' ? told : named).slice(0, ERROR_CODE_CHARS_MAX)
}

/** @throws Fault when it is no message of the protocol */
export function decodeMessage(frame: EventStreamFrame): IncomingMessage {
  const type = int32(frame, ':message-type')
  const flags = int32(frame, ':message-flags')
  const streamId = int32(frame, ':stream-id')
  switch (type) {
    case MESSAGE_TYPE.connectAck:
      return { kind: 'connectAck', isAccepted: (flags & FLAG_CONNECTION_ACCEPTED) !== 0, token: tokenOf(frame) }
    case MESSAGE_TYPE.application:
      return { kind: 'response', streamId, isLast: (flags & FLAG_TERMINATE_STREAM) !== 0, payload: frame.payload }
    case MESSAGE_TYPE.applicationError:
      return { kind: 'error', streamId, code: errorCode(frame) }
    case MESSAGE_TYPE.ping:
      return { kind: 'ping', payload: frame.payload }
    case MESSAGE_TYPE.pingResponse:
      return { kind: 'pingResponse' }
    case MESSAGE_TYPE.protocolError:
    case MESSAGE_TYPE.internalError:
      return { kind: 'connectionError' }
    default:
      throw new Fault(`a message of the nucleus has the unknown type ${type}`)
  }
}

/**
 * The payload of a response.
 * @throws Fault when it is not a JSON object
 */
export function parseResponse(payload: Buffer): NucleusResponse {
  const isValid = payload.length === 0 ? undefined : parseObject(payload).get('isValid')
  return typeof isValid === 'boolean' ? { isValid } : {}
}
