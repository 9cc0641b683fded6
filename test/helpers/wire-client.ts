import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { decodeFrame, encodeFrame, OP, type RawFrame, type WireFrame, type WireMap } from './wire-frames.ts'

export { encodeFrame, OP, type RawFrame, type WireFrame, type WireMap }

export interface ConnectOptions {
  readonly port: number
  readonly host?: string
  /** Replaces or adds keys of the ConnectRequest; undefined removes one. */
  readonly request?: WireMap
  /** False: only the TCP connection is made, no byte is sent. */
  readonly handshake?: boolean
}

const CONNECT_VERSION = 1
/** Longest wait for anything: a test that would hang fails instead. */
const PATIENCE_MS = 20_000

function connectRequest(changes: WireMap = {}): WireMap {
  const request: WireMap = {
    requestId: 'connect',
    protocolVersion: '1.1.0',
    otherSupportedProtocolVersions: ['1.0.0'],
    sdkVersion: '1.1.1',
    ...changes
  }
  return Object.fromEntries(Object.entries(request).filter(([, value]) => value !== undefined))
}

/** A raw client of the protocol: it can do everything that an SDK does, and everything that none would. */
export class WireClient {
  /** The answer to the handshake, once there is one. */
  connectResponse: WireFrame | undefined
  /** All bytes received and not yet taken, oldest first. */
  #received: Buffer[] = []
  #receivedBytes = 0
  #wake: (() => void)[] = []
  #ended = false
  #closed = false
  #failure: Error | undefined
  #requestCount = 0
  #pumping = false
  readonly #waiting = new Map<string, (outcome: WireFrame | Error) => void>()
  /** Frames that `request` met and that nobody waits for. */
  readonly unexpected: WireFrame[] = []

  readonly socket: Socket

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.#received.push(chunk)
      this.#receivedBytes += chunk.length
      this.#notify()
    })
    socket.on('end', () => {
      this.#ended = true
      this.#notify()
    })
    socket.on('error', (error) => (this.#failure = error))
    socket.on('close', () => {
      this.#ended = true
      this.#closed = true
      this.#notify()
    })
  }

  /** Connects and, unless told otherwise, does the handshake. The answer's status is the caller's to check. */
  static async connect(options: ConnectOptions): Promise<WireClient> {
    const socket = connect({
      port: options.port,
      host: options.host ?? '127.0.0.1',
      allowHalfOpen: true,
      noDelay: true
    })
    const client = new WireClient(socket)
    await once(socket, 'connect')
    if (options.handshake !== false) await client.handshake(options.request)
    return client
  }

  /** Sends version byte and ConnectRequest, and takes the answer. */
  async handshake(changes?: WireMap): Promise<WireFrame> {
    this.send(Buffer.concat([Buffer.of(CONNECT_VERSION), encodeFrame(OP.connect, connectRequest(changes))]))
    return this.takeConnectResponse()
  }

  async takeConnectResponse(): Promise<WireFrame> {
    const version = await this.take(1)
    if (version[0] !== CONNECT_VERSION) throw new Error(`the server's connect version is ${String(version[0])}`)
    this.connectResponse = await this.takeFrame()
    return this.connectResponse
  }

  /** Sends bytes as they are. */
  send(bytes: Uint8Array): void {
    this.socket.write(bytes)
  }

  /**
   * Sends a request and resolves with the frame that carries its id, whatever its operation and order. Requests may be
   * sent before earlier ones are answered, with ids of their own. Rejects when the connection ends first. Not to be mixed
   * with `takeFrame` while an answer is awaited.
   * @param map `requestId` is made up unless given
   */
  request(operation: number, map: WireMap): Promise<WireFrame> {
    this.#requestCount += 1
    const requestId = typeof map['requestId'] === 'string' ? map['requestId'] : `request-${this.#requestCount}`
    const answer = new Promise<WireFrame>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no answer to ${requestId} in time`)), PATIENCE_MS)
      this.#waiting.set(requestId, (outcome) => {
        clearTimeout(timer)
        if (outcome instanceof Error) reject(outcome)
        else resolve(outcome)
      })
    })
    this.send(encodeFrame(operation, { requestId, ...map }))
    void this.#pump()
    return answer
  }

  /** The next frame, decoded. */
  async takeFrame(): Promise<WireFrame> {
    return decodeFrame(await this.takeRawFrame())
  }

  /** The next frame as bytes. */
  async takeRawFrame(): Promise<RawFrame> {
    const length = (await this.take(4)).readInt32BE(0)
    if (length < 1) throw new Error(`the server sent a frame of length ${length}`)
    const frame = await this.take(length)
    return { operation: frame.readInt8(0), payload: frame.subarray(1) }
  }

  /** Exactly `count` received bytes; rejects when the server's data ends before. */
  async take(count: number): Promise<Buffer> {
    await this.#until(() => this.#receivedBytes >= count || this.#ended, `${count} bytes`)
    if (this.#receivedBytes < count) {
      throw this.#failure ?? new Error(`the server ended its data ${count - this.#receivedBytes} bytes early`)
    }
    const all = this.#received.length === 1 ? this.#received[0]! : Buffer.concat(this.#received)
    this.#received = [all.subarray(count)]
    this.#receivedBytes -= count
    return all.subarray(0, count)
  }

  /** Sends FIN and goes on receiving. */
  halfClose(): void {
    this.socket.end()
  }

  /** Resolves once the server has sent FIN; with the bytes that came before it and were not taken. */
  async untilServerEnds(): Promise<Buffer> {
    await this.#until(() => this.#ended, 'the end of the server’s data')
    if (this.#failure !== undefined) throw this.#failure
    return Buffer.concat(this.#received)
  }

  /** Resolves once both directions are closed; rejects when that was by a reset. */
  async untilClosed(): Promise<void> {
    await this.#until(() => this.#closed, 'the close of the connection')
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Says goodbye like an SDK: FIN, then waits for the server's. */
  async close(): Promise<void> {
    this.halfClose()
    await this.#until(() => this.#closed, 'the close of the connection')
  }

  /** Ends the connection with RST. */
  reset(): void {
    this.socket.resetAndDestroy()
  }

  /** Stops reading from the socket, so that the server's answers pile up. */
  pauseReading(): void {
    this.socket.pause()
  }

  resumeReading(): void {
    this.socket.resume()
  }

  async #pump(): Promise<void> {
    if (this.#pumping) return
    this.#pumping = true
    try {
      while (this.#waiting.size > 0) {
        const frame = await this.takeFrame()
        const requestId = frame.map['requestId']
        const settle = typeof requestId === 'string' ? this.#waiting.get(requestId) : undefined
        if (settle === undefined) this.unexpected.push(frame)
        else settle(frame)
        this.#waiting.delete(String(requestId))
      }
    } catch (error) {
      const failure = error instanceof Error ? error : new Error(String(error))
      for (const settle of this.#waiting.values()) settle(failure)
      this.#waiting.clear()
    } finally {
      this.#pumping = false
    }
  }

  #notify(): void {
    const waking = this.#wake
    this.#wake = []
    for (const wake of waking) wake()
  }

  async #until(condition: () => boolean, what: string): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS
    while (!condition()) {
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(
          () => reject(new Error(`waited in vain for ${what}`)),
          Math.max(0, deadline - performance.now())
        )
        this.#wake.push(() => {
          clearTimeout(timer)
          resolve()
        })
      })
    }
  }
}
