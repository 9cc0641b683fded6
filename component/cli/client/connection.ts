import { connect, type Socket } from 'node:net'
import type { Clock } from '../../base/clock.ts'
import { describeError, Fault } from '../../base/fault.ts'
import { FRAME_LENGTH_MAX } from '../../base/limits.ts'
import type { FailureKind } from '../../model/failure.ts'
import { decodeCborMap, type CborMap } from '../../protocol/cbor-decoder.ts'
import { encodeCborMap, type WireMap } from '../../protocol/cbor-encoder.ts'
import { FrameDecoder, encodeFrame } from '../../protocol/frame.ts'
import { OPERATION, responseOperationOf } from '../../protocol/operations.ts'
import { failureKindOf } from '../../protocol/status.ts'
import { CONNECT_VERSION, PROTOCOL_VERSIONS } from '../../protocol/versions.ts'

/** The server said no; the message is its own. */
export class RequestRefused extends Fault {
  /** Undefined for a status that this version does not know. */
  readonly kind: FailureKind | undefined

  constructor(kind: FailureKind | undefined, message: string) {
    super(message)
    this.kind = kind
  }
}

/** There is no connection, or none any more: trying again may help. */
export class ConnectionLost extends Fault {}

export interface ConnectOptions {
  readonly clock: Clock
  readonly host: string
  readonly port: number
  readonly token: string | undefined
  /** What this program calls itself, for the log of the server. */
  readonly sdkVersion: string
  /** For the connection, and for each answer. */
  readonly timeoutMs: number
}

/** A connection to the server, over which any number of requests may be under way. */
export interface Connection {
  /** What the server calls itself. */
  readonly serverVersion: string
  /**
   * Sends a request and waits for its answer.
   * @param waitMs beyond the usual time, for a read that waits
   * @throws RequestRefused, ConnectionLost
   */
  request(operation: number, fields: WireMap, waitMs?: number): Promise<CborMap>
  close(): void
}

interface Waiting {
  readonly operation: number
  resolve(map: CborMap): void
  reject(error: Error): void
}

const WITHOUT_BUDGET = { reserve: () => true, release: () => undefined }

/** The text of an answer's field, or nothing. */
function textOf(map: CborMap, key: string): string | undefined {
  const value = map.get(key)
  return typeof value === 'string' ? value : undefined
}

/** @throws RequestRefused */
function requireSuccess(map: CborMap): CborMap {
  const status = map.get('status')
  if (status === 0) return map
  const message = textOf(map, 'errorMessage') ?? ''
  throw new RequestRefused(
    typeof status === 'number' ? failureKindOf(status) : undefined,
    message === '' ? `the server answered with status ${typeof status === 'number' ? status : 'none'}` : message
  )
}

function openSocket({ clock, host, port, timeoutMs }: ConnectOptions): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true })
    const where = `${host}:${port}`
    const timer = clock.after(timeoutMs, () => socket.destroy(new Error('no answer in time')))
    socket.once('connect', () => {
      timer.cancel()
      socket.removeAllListeners('error')
      resolve(socket)
    })
    socket.once('error', (error) => {
      timer.cancel()
      reject(
        new ConnectionLost(
          `there is no server at ${where} (${describeError(error)}): is it running, and is this its port?`,
          error
        )
      )
    })
  })
}

/** The server's side of a connection, one frame after another. */
function createExchange(socket: Socket, { clock, timeoutMs }: ConnectOptions) {
  const waiting = new Map<string, Waiting>()
  let nextId = 0
  let lost: Error | undefined

  const fail = (error: Error): void => {
    lost ??= error
    for (const { reject } of waiting.values()) reject(lost)
    waiting.clear()
    socket.destroy()
  }
  const take = (operation: number, payload: Buffer): void => {
    const decoded = decodeCborMap(payload)
    if (!decoded.ok) {
      fail(new ConnectionLost(`the answer cannot be decoded: ${decoded.reason}`))
      return
    }
    const id = textOf(decoded.map, 'requestId') ?? ''
    // The answer to Connect need not repeat the id (protocol 3.2).
    const key = operation === OPERATION.connectResponse ? '0' : id
    const found = waiting.get(key)
    if (found === undefined) return
    waiting.delete(key)
    const isExpected =
      operation === responseOperationOf(found.operation) || operation === OPERATION.unknownOperationError
    if (isExpected) found.resolve(decoded.map)
    else fail(new ConnectionLost(`the server answered with the operation ${operation}`))
  }
  const decoder = new FrameDecoder(
    {
      connectVersion: (version) => {
        if (version !== CONNECT_VERSION) fail(new ConnectionLost('what listens there is not a stream manager'))
      },
      // The bytes of a chunk are not used again by Node.js: views into them stay valid.
      frame: (operation, bytes, start, end) => take(operation, bytes.subarray(start, end)),
      refused: () => undefined,
      violation: () => fail(new ConnectionLost('what listens there is not a stream manager'))
    },
    WITHOUT_BUDGET,
    FRAME_LENGTH_MAX
  )
  socket.on('data', (chunk: Buffer) => decoder.push(chunk))
  socket.on('error', (error) => fail(new ConnectionLost(`the connection broke (${describeError(error)})`, error)))
  socket.on('close', () => fail(new ConnectionLost('the server has closed the connection')))

  return {
    send: (operation: number, fields: WireMap, waitMs = 0): Promise<CborMap> =>
      new Promise((resolve, reject) => {
        if (lost !== undefined) {
          reject(lost)
          return
        }
        const id = String(nextId++)
        const timer = clock.after(timeoutMs + waitMs, () =>
          fail(new ConnectionLost('the server does not answer in time'))
        )
        waiting.set(id, {
          operation,
          resolve: (map) => {
            timer.cancel()
            resolve(map)
          },
          reject: (error) => {
            timer.cancel()
            reject(error)
          }
        })
        socket.write(encodeFrame(operation, encodeCborMap({ requestId: id, ...fields })))
      })
  }
}

/**
 * Connects as an official client does (protocol 3).
 * @throws ConnectionLost, RequestRefused with `unauthorized` where a token is wanted
 */
export async function openConnection(options: ConnectOptions): Promise<Connection> {
  const socket = await openSocket(options)
  const exchange = createExchange(socket, options)
  socket.write(Buffer.from([CONNECT_VERSION]))
  const [protocolVersion, ...others] = PROTOCOL_VERSIONS
  try {
    const answer = requireSuccess(
      await exchange.send(OPERATION.connect, {
        protocolVersion,
        otherSupportedProtocolVersions: others,
        sdkVersion: options.sdkVersion,
        ...(options.token === undefined ? {} : { authToken: options.token })
      })
    )
    return {
      serverVersion: textOf(answer, 'serverVersion') ?? 'unknown',
      request: async (operation, fields, waitMs) => requireSuccess(await exchange.send(operation, fields, waitMs)),
      close: () => socket.end()
    }
  } catch (error) {
    socket.end()
    throw error
  }
}
