import type { OpenRequest } from '../handlers/index.ts'
import type { AnswerShare, Claim } from './answer-memory.ts'
import type { Answers } from './answers.ts'
import type { Outbox } from './outbox.ts'
import type { RequestMemory } from './request-memory.ts'
import { Turn } from './turn.ts'

/** What one request takes from its connection. */
export interface RequestContext {
  readonly answers: Answers
  readonly answerShare: AnswerShare
  readonly memory: RequestMemory
  readonly outbox: Outbox
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal
  readonly monotonicMs: () => number
}

/** One request in the hands of its operation, with the memory that it holds until its answer has left. */
export class OpenAnswer extends Turn implements OpenRequest {
  readonly #context: RequestContext
  #frameBytes: number
  #claimedBytes = 0
  #claim: Claim | undefined
  #answer: Buffer | undefined

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
    return this.#context.signal
  }

  async reserve(bytes: number): Promise<boolean> {
    if (bytes <= this.#claimedBytes) return true
    const { answerShare, signal, monotonicMs } = this.#context
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

  answer(frame: Buffer): void {
    if (this.#frameBytes > 0) this.#context.memory.release(this.#frameBytes)
    this.#frameBytes = 0
    this.#answer = frame
    this.#context.answers.answered(this)
  }

  leave(): void {
    const claim = this.#claim
    if (this.#answer !== undefined) this.#context.outbox.send(this.#answer, claim && (() => claim.release()))
    this.#answer = undefined
  }
}
