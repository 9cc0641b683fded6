import type { BufferPool } from '../base/buffer-pool.ts'
import type { Services } from '../handlers/index.ts'
import type { Failure } from '../model/failure.ts'
import {
  appendResponseBytes,
  emptyAppendParts,
  type AppendParts,
  encodeFailure,
  OPERATION,
  readUsualAppend,
  writeAppendResponse,
  type ProtocolVersion
} from '../protocol/index.ts'
import type { Append } from '../stream/index.ts'
import type { Answers } from './answers.ts'
import type { Outbox } from './outbox.ts'
import type { RequestMemory } from './request-memory.ts'
import { Turn } from './turn.ts'

/** What appends need of their connection. */
export interface AppendLaneOptions {
  readonly services: Services
  readonly answers: Answers
  readonly outbox: Outbox
  readonly memory: RequestMemory
  readonly protocolVersion: () => ProtocolVersion
}

/**
 * The short way for appends of the usual shape to existing streams, which are nearly all requests there are: no map, no
 * string and no closure is made for any of them. Everything else goes the general way, with the same results.
 */
export interface AppendLane {
  /**
   * Serves the request in `bytes[start, end)`, whose memory is held.
   * @param owner takes `bytes` back after the answer; undefined when they are not of this request alone
   * @returns false when nothing was done: it must go the general way
   */
  serve(bytes: Buffer, start: number, end: number, nowMs: number, owner?: BufferPool): boolean
}

/** One append between its arrival and its answer. */
class LaneAppend extends Turn implements Append {
  readonly payload: Buffer
  ingestTimeMs = 0
  readonly #lane: AppendLaneOptions
  readonly #frame: Buffer
  readonly #frameBytes: number
  readonly #owner: BufferPool | undefined
  readonly #idStart: number
  readonly #idEnd: number
  #failure: Failure | undefined = undefined
  #sequenceNumber = -1

  constructor(
    lane: AppendLaneOptions,
    frame: Buffer,
    frameBytes: number,
    parts: AppendParts,
    nowMs: number,
    owner: BufferPool | undefined
  ) {
    super(parts.idHash, nowMs)
    this.payload = frame.subarray(parts.payloadStart, parts.payloadEnd)
    this.#lane = lane
    this.#frame = frame
    this.#frameBytes = frameBytes
    this.#owner = owner
    this.#idStart = parts.idStart
    this.#idEnd = parts.idEnd
  }

  done(failure: Failure | undefined, sequenceNumber: number): void {
    const { memory, answers, services } = this.#lane
    this.#failure = failure
    this.#sequenceNumber = sequenceNumber
    memory.release(this.#frameBytes)
    if (failure === undefined) services.appended(this.payload.length)
    answers.answered(this)
  }

  leave(): void {
    this.#answer()
    // The answer repeats the request id, which lies in the frame; the stream has not looked at it since `done`.
    this.#owner?.giveBack(this.#frame)
  }

  #answer(): void {
    const { outbox, protocolVersion } = this.#lane
    if (this.#failure !== undefined) {
      const requestId = this.#frame.toString('latin1', this.#idStart, this.#idEnd)
      outbox.send(encodeFailure(OPERATION.appendMessage, requestId, this.#failure, protocolVersion()))
      return
    }
    const offset = outbox.reserve(appendResponseBytes(this.#idEnd - this.#idStart, this.#sequenceNumber))
    if (offset === undefined) return
    writeAppendResponse(outbox.target, offset, this.#frame, this.#idStart, this.#idEnd, this.#sequenceNumber)
  }
}

export function createAppendLane(options: AppendLaneOptions): AppendLane {
  const { services, answers } = options
  const parts = emptyAppendParts()
  return {
    serve(bytes, start, end, nowMs, owner) {
      if (!readUsualAppend(bytes, start, end, parts)) return false
      const stream = services.registry.get(parts.streamName)
      if (stream === undefined) return false
      const append = new LaneAppend(options, bytes, end - start, parts, nowMs, owner)
      answers.open(append)
      stream.enqueue(append)
      return true
    }
  }
}
