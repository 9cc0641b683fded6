import type { Socket } from 'node:net'
import type { BufferPool, FramePool } from '../base/buffer-pool.ts'
import type { ByteBudget } from '../base/byte-budget.ts'
import type { Clock } from '../base/clock.ts'
import type { InputTurns } from '../base/input-turns.ts'
import {
  CONNECTION_REQUEST_BYTES_MAX,
  FRAME_LENGTH_MAX,
  HANDSHAKE_FRAME_LENGTH_MAX,
  IN_FLIGHT_REQUESTS_MAX,
  UNSENT_REPLY_BYTES_MAX
} from '../base/limits.ts'
import type { Logger } from '../base/log.ts'
import { dispatch, dispatchFailure, type Services } from '../handlers/index.ts'
import type { Failure } from '../model/failure.ts'
import {
  CONNECT_VERSION,
  FrameDecoder,
  hashId,
  OPERATION,
  type FrameViolation,
  type ProtocolVersion
} from '../protocol/index.ts'
import { createAnswerShare, type AnswerMemory } from './answer-memory.ts'
import { createAnswers, type Answers } from './answers.ts'
import { createAppendLane, type AppendLane } from './append-lane.ts'
import { createDeadlines, type ConnectionState, type Deadlines } from './deadlines.ts'
import { createDeparture } from './departure.ts'
import { performHandshake, refuseClient, type HandshakeOptions, type HandshakeOutcome } from './handshake.ts'
import { OpenAnswer, type RequestContext } from './open-answer.ts'
import { createOutbox, type Outbox } from './outbox.ts'
import type { Standing } from './places.ts'
import { createRequestMemory, type RequestMemory } from './request-memory.ts'
import { createTurnTaking, type TurnTaking } from './turn-taking.ts'

/*
 * One connection:
 *
 *     awaiting Connect ──admitted──▶ established ──peer's FIN, stop, violation──▶ closing ──▶ closed
 *            └──────────refused, time-out, violation──────────────────────────────▲
 *
 * Closing answers what is in flight, then half-closes and discards input until the peer closes too. It never resets the
 * connection, because a Python client is dead for good after that (protocol 11.3).
 */
/** What all connections share. */
export interface ConnectionOptions {
  readonly services: Services
  readonly handshake: HandshakeOptions
  /** Memory of frames that are being received. */
  readonly frameBudget: ByteBudget
  /** That of large ones, to be used again. */
  readonly framePool: FramePool
  /** Memory of answers that carry messages. */
  readonly answerMemory: AnswerMemory
  /** Memory in which messages are read and answers are gathered. */
  readonly buffers: BufferPool
  /** Told of all input, so that appends that arrive together share a write. */
  readonly inputTurns: InputTurns
  readonly clock: Clock
  readonly logger: Logger
}

const VERSION_BYTE = Buffer.from([CONNECT_VERSION])
/** A client of which nothing is known yet is answered so that every version understands it. */
const OLDEST_VERSION: ProtocolVersion = '1.0.0'

/** Serves one client from its first byte to its last. */
export class Connection {
  protocolVersion: ProtocolVersion = OLDEST_VERSION
  readonly #socket: Socket
  readonly #options: ConnectionOptions
  readonly #decoder: FrameDecoder
  readonly #outbox: Outbox
  readonly #answers: Answers
  readonly #deadlines: Deadlines
  readonly #departure = createDeparture()
  readonly #memory: RequestMemory
  readonly #request: RequestContext
  readonly #appends: AppendLane
  readonly #turns: TurnTaking
  #state: ConnectionState = 'awaiting Connect'
  #isAuthenticating = false
  #isAdmitted = false
  /** Neither the socket is read nor what is read decoded. */
  #isPaused = false
  /** The peer has sent all it will send; some of it may still wait to be decoded. */
  #hasPeerEnded = false
  /** No answer leaves any more, because it would come too late. */
  #isAbandoned = false
  #frameCount = 0
  /** A request that has arrived waits for memory. */
  #isWaitingForMemory = false
  /** Monotonic time at which the bytes being decoded came; that of a request is not needed more exactly. */
  #nowMs: number
  /** Held by the request that is being dispatched. */
  #heldBytes = 0

  constructor(socket: Socket, options: ConnectionOptions) {
    this.#socket = socket
    this.#options = options
    const memory = createRequestMemory(options.frameBudget)
    this.#memory = memory
    const budget = {
      reserve: (bytes: number) => memory.tryHold(bytes),
      release: (bytes: number) => memory.release(bytes)
    }
    this.#decoder = new FrameDecoder(
      {
        connectVersion: (version) => this.#onConnectVersion(version),
        frame: (operation, bytes, start, end, reservedBytes) =>
          this.#onFrame(operation, bytes, start, end, reservedBytes),
        refused: (operation, payloadStart) => this.#onRefusedFrame(operation, payloadStart),
        violation: (violation) => this.#onViolation(violation)
      },
      budget,
      HANDSHAKE_FRAME_LENGTH_MAX,
      options.framePool
    )
    this.#outbox = createOutbox(socket, options.buffers, () => this.#onProgress())
    this.#turns = createTurnTaking(options.clock, () => this.#resumeIfPossible())
    this.#answers = createAnswers()
    this.#nowMs = options.clock.monotonicMs()
    this.#deadlines = createDeadlines(this.#nowMs)
    this.#appends = createAppendLane({
      services: options.services,
      answers: this.#answers,
      outbox: this.#outbox,
      memory,
      protocolVersion: () => this.protocolVersion
    })
    this.#request = {
      answers: this.#answers,
      answerShare: createAnswerShare(options.answerMemory),
      memory,
      outbox: this.#outbox,
      buffers: options.buffers,
      departure: this.#departure,
      monotonicMs: () => options.clock.monotonicMs()
    }
    socket.setNoDelay(true)
    socket.setKeepAlive(true, 60_000)
    socket.on('data', (chunk: Buffer) => {
      this.#nowMs = options.clock.monotonicMs()
      this.#turns.begin(this.#nowMs)
      options.inputTurns.begin(this, chunk.length)
      this.#decoder.push(chunk)
      options.inputTurns.end()
    })
    socket.on('end', () => this.#onEnd())
    socket.on('error', (error) => options.logger.debug('A connection failed', { error: error.message }))
    socket.on('close', () => this.#onClosed())
  }

  /** How far the client has got, for others who need its place. */
  get standing(): Standing {
    if (this.#isAdmitted) return 'admitted'
    if (this.#state !== 'awaiting Connect') return 'refused'
    return this.#isAuthenticating ? 'being judged' : 'silent'
  }

  /** Answers what is in flight, ends waiting reads, then ends the connection. */
  close(): void {
    if (this.#state === 'closing' || this.#state === 'closed') return
    this.#state = 'closing'
    this.#deadlines.closing(this.#options.clock.monotonicMs())
    this.#decoder.stop()
    this.#departure.announce()
    this.#socket.resume()
    this.#endWhenAnswered()
  }

  /** Refuses the client before it has said anything: there are too many connections. */
  refuse(failure: Failure): void {
    this.#finishHandshake(refuseClient(this.#options.handshake, failure))
  }

  /** Looks after everything that has a deadline; called about once a second. */
  checkDeadlines(): void {
    const { small, large } = this.#options.answerMemory
    const verdict = this.#deadlines.check({
      nowMs: this.#options.clock.monotonicMs(),
      state: this.#state,
      isAuthenticating: this.#isAuthenticating,
      frameBytes: this.#decoder.receivedBytes,
      frameCount: this.#frameCount,
      unsentBytes: this.#outbox.unsentBytes,
      isAnswerMemoryContended: small.isContended || large.isContended,
      oldestRequestMs: this.#answers.oldestWithDeadlineMs()
    })
    if (verdict === undefined) return
    this.#options.logger.debug('A connection is ended', { reason: verdict.reason })
    if (verdict.action === 'destroy') {
      this.#socket.destroy()
      return
    }
    this.#isAbandoned = verdict.action === 'abandon'
    if (this.#isAbandoned) this.#outbox.abandon()
    this.close()
  }

  /** The place of one request among the answers of this connection. */
  open(operation: number, requestId: string): OpenAnswer {
    const startedMs = operation === OPERATION.readMessages ? Infinity : this.#nowMs
    const open = new OpenAnswer(this.#request, hashId(requestId), startedMs, this.#heldBytes)
    this.#heldBytes = 0
    this.#answers.open(open)
    return open
  }

  #onConnectVersion(version: number): void {
    if (version === CONNECT_VERSION) return
    this.refuse({ kind: 'unsupportedConnectVersion', message: `connect version ${version} is not supported` })
  }

  #onFrame(operation: number, bytes: Buffer, start: number, end: number, reservedBytes: number): void {
    this.#frameCount += 1
    if (this.#state === 'awaiting Connect') {
      this.#memory.release(reservedBytes)
      void this.#onFirstFrame(operation, bytes.subarray(start, end))
    } else if (reservedBytes > 0) {
      this.#serve(operation, bytes, start, end, this.#options.framePool)
    } else if (this.#memory.tryHold(end - start)) {
      this.#serve(operation, bytes, start, end)
    } else {
      this.#serveWithMemory(operation, bytes, start, end)
    }
  }

  /** Serves a request whose payload is accounted for. @param owner of `bytes`, if they are of this request alone */
  #serve(operation: number, bytes: Buffer, start: number, end: number, owner?: BufferPool): void {
    const isServed = operation === OPERATION.appendMessage && this.#appends.serve(bytes, start, end, this.#nowMs, owner)
    if (!isServed) {
      this.#dispatch(operation, bytes.subarray(start, end))
      this.#turns.served()
    }
    this.#throttle()
  }

  #dispatch(operation: number, payload: Buffer): void {
    this.#heldBytes = payload.length
    if (dispatch(operation, payload, this.#options.services, this)) return
    this.#memory.release(this.#heldBytes)
    this.#heldBytes = 0
    this.#options.logger.debug('A request without a readable request id ends its connection', { operation })
    this.close()
  }

  /** Serves a request when its turn for memory has come, and takes in nothing else until then. */
  #serveWithMemory(operation: number, bytes: Buffer, start: number, end: number): void {
    this.#isWaitingForMemory = true
    this.#pause()
    this.#memory.hold(end - start, () => {
      this.#isWaitingForMemory = false
      if (this.#state !== 'established') {
        this.#memory.release(end - start)
        return
      }
      this.#nowMs = this.#options.clock.monotonicMs()
      this.#serve(operation, bytes, start, end)
      if (!this.#isOverloaded()) this.#resume()
    })
  }

  async #onFirstFrame(operation: number, payload: Buffer): Promise<void> {
    this.#isAuthenticating = true
    this.#pause()
    const outcome = await performHandshake(operation, payload, this.#options.handshake)
    this.#isAuthenticating = false
    if (this.#state === 'awaiting Connect') this.#finishHandshake(outcome)
  }

  #finishHandshake({ answer, protocolVersion, refusal }: HandshakeOutcome): void {
    if (answer !== undefined) this.#outbox.send(Buffer.concat([VERSION_BYTE, answer]))
    if (protocolVersion === undefined) {
      this.#options.logger.info('A client was refused', { reason: refusal?.message })
      this.close()
      return
    }
    this.#state = 'established'
    this.#isAdmitted = true
    this.protocolVersion = protocolVersion
    this.#decoder.lengthMax = FRAME_LENGTH_MAX
    this.#resume()
  }

  /** There is no memory for a large request; its start is enough to say so. */
  #onRefusedFrame(operation: number, payloadStart: Buffer): void {
    const failure: Failure = { kind: 'outOfMemory', message: 'the server has no memory for a request of this size now' }
    this.#options.logger.warn('A request was refused for lack of memory', { operation })
    if (this.#state !== 'established' || !dispatchFailure(operation, payloadStart, failure, this)) this.close()
  }

  #onViolation(violation: FrameViolation): void {
    this.#options.logger.info('A connection sent an impossible frame', { length: violation.length })
    if (violation.kind === 'lengthTooLarge' && this.#state === 'established') {
      const failure: Failure = {
        kind: 'requestPayloadTooLarge',
        message: `a request has at most ${FRAME_LENGTH_MAX} bytes`
      }
      dispatchFailure(violation.operation, violation.payloadStart, failure, this)
    }
    this.close()
  }

  #isOverloaded(): boolean {
    return (
      this.#turns.isYielding ||
      this.#isWaitingForMemory ||
      this.#answers.openCount >= IN_FLIGHT_REQUESTS_MAX ||
      this.#memory.heldBytes >= CONNECTION_REQUEST_BYTES_MAX ||
      this.#outbox.unsentBytes >= UNSENT_REPLY_BYTES_MAX
    )
  }

  /** Takes in no more requests than can be answered: the rest waits in the kernel, and so in the client. */
  #throttle(): void {
    if (this.#state === 'established' && this.#isOverloaded()) this.#pause()
  }

  #pause(): void {
    this.#isPaused = true
    this.#decoder.pause()
    this.#socket.pause()
  }

  /** Goes on with what has been read already, which may pause it again. */
  #resume(): void {
    this.#isPaused = false
    this.#nowMs = this.#options.clock.monotonicMs()
    this.#turns.begin(this.#nowMs)
    this.#socket.resume()
    this.#decoder.resume()
    if (this.#hasPeerEnded && !this.#isOverloaded()) this.close()
  }

  /** Requests that came before the end and wait to be decoded are served; nobody waits for messages any more. */
  #onEnd(): void {
    this.#hasPeerEnded = true
    if (this.#isPaused) this.#departure.announce()
    else this.close()
  }

  #onProgress(): void {
    this.#deadlines.progressed(this.#options.clock.monotonicMs())
    if (this.#state === 'closing') {
      this.#endWhenAnswered()
    } else {
      this.#resumeIfPossible()
    }
  }

  #resumeIfPossible(): void {
    if (this.#isPaused && this.#state === 'established' && !this.#isOverloaded()) this.#resume()
  }

  #endWhenAnswered(): void {
    const isAnswered = this.#isAbandoned || this.#answers.openCount === 0
    if (isAnswered && this.#outbox.isEmpty && !this.#socket.writableEnded) this.#socket.end()
  }

  #onClosed(): void {
    this.#state = 'closed'
    this.#decoder.stop()
    this.#departure.announce()
  }
}
