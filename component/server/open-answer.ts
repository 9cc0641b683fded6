import type { BufferPool } from '../base/buffer-pool.ts'
import { KIB } from '../base/limits.ts'
import type { OpenRequest } from '../handlers/index.ts'
import type { AnswerShare, Claim } from './answer-memory.ts'
import type { Answers } from './answers.ts'
import type { Departure } from './departure.ts'
import type { Outbox } from './outbox.ts'
import type { RequestMemory } from './request-memory.ts'
import { Turn } from './turn.ts'

/** Smaller frames are cut from memory that Node.js keeps for such, or gathered with others. */
const SMALL_FRAME_BYTES_MAX = 16 * KIB
/** Node.js keeps no memory at hand for more than this. */
const TINY_FRAME_BYTES_MAX = 4 * KIB

/** Where a small frame is written that leaves, and so is copied into the outbox, before anything else happens. */
const scratch = { memory: Buffer.alloc(SMALL_FRAME_BYTES_MAX), isLent: false }

/** What one request takes from its connection. */
export interface RequestContext {
  readonly answers: Answers
  readonly answerShare: AnswerShare
  readonly memory: RequestMemory
  readonly outbox: Outbox
  readonly buffers: BufferPool
  readonly departure: Departure
  readonly monotonicMs: () => number
}

/** One request in the hands of its operation, with the memory that it holds until its answer has left. */
export class OpenAnswer extends Turn implements OpenRequest {
  readonly #context: RequestContext
  #frameBytes: number
  #claimedBytes = 0
  #claim: Claim | undefined
  #answer: Buffer | undefined
  /** Where messages were read into. */
  #read: Buffer | undefined
  /** Where the answer was written. */
  #written: Buffer | undefined
  #isInScratch = false

  /**
   * @param startedMs see Turn
   * @param frameBytes what the request's payload holds of the memory for requests
   */
  constructor(context: RequestContext, idHash: number, startedMs: number, frameBytes: number) {
    super(idHash, startedMs)
    this.#context = context
    this.#frameBytes = frameBytes
  }

  get signal(): AbortSignal {
    return this.#context.departure.signal
  }

  async reserve(bytes: number): Promise<boolean> {
    if (bytes <= this.#claimedBytes) return true
    const { answerShare, departure, monotonicMs } = this.#context
    const { signal } = departure
    // Who held some while waiting for more could wait for another who does the same.
    this.#claim?.release()
    this.#claimedBytes = bytes
    this.startedMs = monotonicMs()
    await new Promise<void>((resolve) => {
      const finish = (): void => {
        signal.removeEventListener('abort', finish)
        resolve()
      }
      signal.addEventListener('abort', finish)
      this.#claim = answerShare.claim(bytes, finish)
      if (signal.aborted) finish()
    })
    this.startedMs = Infinity
    return !signal.aborted
  }

  memory(bytes: number): Buffer {
    this.#giveBackRead()
    this.#read = this.#context.buffers.take(bytes)
    return this.#read
  }

  allocate(bytes: number): Buffer {
    if (bytes <= SMALL_FRAME_BYTES_MAX) {
      const leavesAtOnce = this.previous === undefined && this.#claim === undefined
      if (bytes <= TINY_FRAME_BYTES_MAX || !leavesAtOnce || scratch.isLent) return Buffer.allocUnsafe(bytes)
      scratch.isLent = this.#isInScratch = true
      return scratch.memory.subarray(0, bytes)
    }
    this.#written = this.#context.buffers.take(bytes)
    return this.#written.subarray(0, bytes)
  }

  answer(frame: Buffer): void {
    this.#giveBackRead()
    if (this.#frameBytes > 0) this.#context.memory.release(this.#frameBytes)
    this.#frameBytes = 0
    this.#answer = frame
    this.#context.answers.answered(this)
  }

  leave(): void {
    const [answer, claim, written] = [this.#answer, this.#claim, this.#written]
    this.#answer = undefined
    if (answer === undefined) return
    if (claim === undefined && written === undefined) {
      this.#context.outbox.send(answer)
      if (this.#isInScratch) scratch.isLent = this.#isInScratch = false
      return
    }
    this.#context.outbox.send(answer, () => {
      if (written !== undefined) this.#context.buffers.giveBack(written)
      claim?.release()
    })
  }

  #giveBackRead(): void {
    if (this.#read !== undefined) this.#context.buffers.giveBack(this.#read)
    this.#read = undefined
  }
}
