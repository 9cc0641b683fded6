import type { OpenRequest } from '../handlers/index.ts'
import type { AnswerShare, Claim } from './answer-memory.ts'
import type { Answers, PendingAnswer } from './answers.ts'
import type { RequestMemory } from './request-memory.ts'

/** What one request takes from its connection. */
export interface RequestContext {
  readonly answers: Answers
  readonly answerShare: AnswerShare
  readonly memory: RequestMemory
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal
  readonly monotonicMs: () => number
}

/** One request in the hands of its operation, with the memory that it holds until its answer has left. */
export class OpenAnswer implements OpenRequest {
  readonly #context: RequestContext
  readonly #pending: PendingAnswer
  #frameBytes: number
  #claimedBytes = 0
  #claim: Claim | undefined

  /** @param frameBytes what the request's payload holds of the memory for requests */
  constructor(context: RequestContext, pending: PendingAnswer, frameBytes: number) {
    this.#context = context
    this.#pending = pending
    this.#frameBytes = frameBytes
  }

  get signal(): AbortSignal {
    return this.#context.signal
  }

  async reserve(bytes: number): Promise<boolean> {
    if (bytes <= this.#claimedBytes) return true
    const { answers, answerShare, signal, monotonicMs } = this.#context
    // Who held some while waiting for more could wait for another who does the same.
    this.#claim?.release()
    this.#claimedBytes = bytes
    answers.setDeadline(this.#pending, monotonicMs())
    await new Promise<void>((resolve) => {
      const finish = (): void => {
        signal.removeEventListener('abort', finish)
        resolve()
      }
      signal.addEventListener('abort', finish)
      this.#claim = answerShare.claim(bytes, finish)
      if (signal.aborted) finish()
    })
    answers.setDeadline(this.#pending, undefined)
    return !signal.aborted
  }

  answer(frame: Buffer): void {
    if (this.#frameBytes > 0) this.#context.memory.release(this.#frameBytes)
    this.#frameBytes = 0
    const claim = this.#claim
    if (claim === undefined) this.#context.answers.answer(this.#pending, frame)
    else this.#context.answers.answer(this.#pending, frame, () => claim.release())
  }
}
