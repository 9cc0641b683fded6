import { connect, type Socket } from 'node:net'
import { Fault } from '../base/fault.ts'
import { createEventStreamDecoder } from './event-stream.ts'
import {
  ConnectRefused,
  NucleusError,
  Unsent,
  type Identity,
  type IpcConnection,
  type NucleusRequest,
  type NucleusResponse,
  type OpenConnection
} from './ipc.ts'
import {
  decodeMessage,
  encodeConnect,
  encodePingResponse,
  encodeRequest,
  encodeStreamEnd,
  parseResponse,
  type IncomingMessage
} from './ipc-messages.ts'

/** Nucleus lite sends frames of at most 10,000 bytes, and the answers that we ask for have some hundred. */
const FRAME_BYTES_MAX = 64 * 1024
/** Requests without an answer on one connection; the callers stay far below. */
const REQUESTS_MAX = 64
/** Stream ids are int32 and never used twice; after the last one the connection is made anew. */
const STREAM_ID_MAX = 2 ** 31 - 1

interface PendingRequest {
  readonly operation: NucleusRequest['operation']
  readonly resolve: (response: NucleusResponse) => void
  readonly reject: (error: Fault) => void
}

/**
 * One connection from its first byte to its last:
 *
 *     connecting ──▶ awaiting acknowledgement ──▶ open ──▶ ended
 *          └────────────────────┴─────────────────────────▲
 */
class SocketConnection implements IpcConnection {
  readonly ended: Promise<Fault>
  /** Resolves when the nucleus has accepted the identity, rejects when the connection ends before. */
  readonly opened: Promise<void>
  readonly #socket: Socket
  readonly #pending = new Map<number, PendingRequest>()
  #state: 'connecting' | 'awaiting acknowledgement' | 'open' | 'ended' = 'connecting'
  #lastStreamId = 0
  #token: string | undefined
  #tellOpened: () => void = () => undefined
  #tellEnded: (reason: Fault) => void = () => undefined

  constructor(socketPath: string, identity: Identity) {
    this.ended = new Promise((resolve) => (this.#tellEnded = resolve))
    this.opened = new Promise((resolve, reject) => {
      this.#tellOpened = resolve
      void this.ended.then(reject)
    })
    const decoder = createEventStreamDecoder(FRAME_BYTES_MAX, (frame) => {
      if (this.#state !== 'ended') this.#receive(decodeMessage(frame))
    })
    this.#socket = connect(socketPath)
    this.#socket.on('connect', () => {
      this.#state = 'awaiting acknowledgement'
      this.#socket.write(encodeConnect(identity))
    })
    this.#socket.on('data', (chunk: Buffer) => this.#guard(() => decoder.push(chunk)))
    this.#socket.on('error', (error) =>
      this.#onLost(new Fault(`the nucleus cannot be reached: ${error.message}`, error))
    )
    this.#socket.on('close', () => this.#onLost(new Fault('the nucleus closed the connection')))
  }

  get token(): string | undefined {
    return this.#token
  }

  request(request: NucleusRequest): Promise<NucleusResponse> {
    if (this.#state !== 'open') return Promise.reject(new Unsent('the connection to the nucleus has ended'))
    if (this.#pending.size >= REQUESTS_MAX) return Promise.reject(new Unsent('too many requests wait for the nucleus'))
    this.#lastStreamId += 1
    const streamId = this.#lastStreamId
    const response = new Promise<NucleusResponse>((resolve, reject) => {
      this.#pending.set(streamId, { operation: request.operation, resolve, reject })
    })
    this.#socket.write(encodeRequest(streamId, request))
    if (streamId === STREAM_ID_MAX) this.#end(new Fault('the connection to the nucleus has no more stream ids'))
    return response
  }

  close(): void {
    this.#end(new Fault('the connection to the nucleus was closed'))
  }

  #end(reason: Fault): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    this.#socket.destroy()
    for (const { reject } of this.#pending.values()) reject(reason)
    this.#pending.clear()
    this.#tellEnded(reason)
  }

  /** Nucleus lite says nothing to an identity that it does not know, it closes (greengrass 5.1). */
  #onLost(reason: Fault): void {
    this.#end(this.#state === 'awaiting acknowledgement' ? refused() : reason)
  }

  /** What the nucleus sends may be wrong: that ends the connection, not the process. */
  #guard(action: () => void): void {
    try {
      action()
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      this.#end(error)
    }
  }

  #receive(message: IncomingMessage): void {
    switch (message.kind) {
      case 'connectAck':
        this.#onConnectAck(message)
        return
      case 'response': {
        const response = parseResponse(message.payload)
        const request = this.#take(message.streamId)
        request?.resolve(response)
        if (request !== undefined && !message.isLast) this.#socket.write(encodeStreamEnd(message.streamId))
        return
      }
      case 'error': {
        const request = this.#take(message.streamId)
        request?.reject(new NucleusError(request.operation, message.code))
        return
      }
      case 'ping':
        this.#socket.write(encodePingResponse(message.payload))
        return
      case 'pingResponse':
        return
      case 'connectionError':
        throw new Fault('the nucleus reported an error of the connection')
    }
  }

  #onConnectAck({ isAccepted, token }: IncomingMessage & { kind: 'connectAck' }): void {
    if (this.#state !== 'awaiting acknowledgement') throw new Fault('the nucleus acknowledged a connection twice')
    if (!isAccepted) {
      this.#end(refused())
      return
    }
    this.#state = 'open'
    this.#token = token
    this.#tellOpened()
  }

  /** Undefined for a stream that is closed already: its late messages are of no interest. */
  #take(streamId: number): PendingRequest | undefined {
    const request = this.#pending.get(streamId)
    this.#pending.delete(streamId)
    return request
  }
}

function refused(): ConnectRefused {
  return new ConnectRefused('the nucleus does not accept this component')
}

/**
 * Connects to the socket of the nucleus with Node.js alone: no native code, any architecture (greengrass 5.1).
 * @param socketPath path of the Unix stream socket
 */
export function openSocketConnection(socketPath: string): OpenConnection {
  return async (identity, signal) => {
    const connection = new SocketConnection(socketPath, identity)
    const abort = (): void => connection.close()
    signal.addEventListener('abort', abort)
    try {
      if (signal.aborted) abort()
      await connection.opened
      return connection
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }
}
