import type { ByteBudget } from '../base/byte-budget.ts'
import type { OpenRequest } from '../handlers/index.ts'
import type { Answers, PendingAnswer } from './answers.ts'

/** The budgets that a request draws on. */
export interface RequestBudgets {
  readonly frameBudget: ByteBudget
  readonly answerBudget: ByteBudget
}

/** One request in the hands of its operation, with the memory that it holds until its answer has left. */
export class OpenAnswer implements OpenRequest {
  readonly signal: AbortSignal
  readonly #answers: Answers
  readonly #pending: PendingAnswer
  readonly #budgets: RequestBudgets
  #frameBytes: number
  #answerBytes = 0

  constructor(
    answers: Answers,
    pending: PendingAnswer,
    signal: AbortSignal,
    budgets: RequestBudgets,
    frameBytes: number
  ) {
    this.#answers = answers
    this.#pending = pending
    this.signal = signal
    this.#budgets = budgets
    this.#frameBytes = frameBytes
  }

  reserve(bytes: number): Promise<void> | undefined {
    if (bytes <= this.#answerBytes) return undefined
    const { answerBudget } = this.#budgets
    // Who held some while waiting for more could wait for another who does the same.
    answerBudget.release(this.#answerBytes)
    this.#answerBytes = 0
    if (answerBudget.tryReserve(bytes)) {
      this.#answerBytes = bytes
      return undefined
    }
    return new Promise((resolve) => {
      answerBudget.reserve(bytes, () => {
        this.#answerBytes = bytes
        resolve()
      })
    })
  }

  answer(frame: Buffer): void {
    if (this.#frameBytes > 0) this.#budgets.frameBudget.release(this.#frameBytes)
    this.#frameBytes = 0
    const held = this.#answerBytes
    if (held === 0) this.#answers.answer(this.#pending, frame)
    else this.#answers.answer(this.#pending, frame, () => this.#budgets.answerBudget.release(held))
  }
}
