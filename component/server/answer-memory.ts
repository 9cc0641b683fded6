import { createByteBudget, type ByteBudget } from '../base/byte-budget.ts'
import {
  ANSWER_MEMORY_BYTES_MAX,
  CONNECTION_ANSWER_BYTES_MAX,
  SMALL_ANSWER_BYTES_MAX,
  SMALL_ANSWER_MEMORY_BYTES_MAX
} from '../base/limits.ts'

/** Memory of answers with messages, from the reading of the messages until the operating system has taken them. */
export interface AnswerMemory {
  readonly small: ByteBudget
  readonly large: ByteBudget
}

/** @param targetBytes what the deployment allows at most; absent: the limits alone hold */
export function createAnswerMemory(targetBytes = Infinity): AnswerMemory {
  return {
    small: createByteBudget(Math.min(SMALL_ANSWER_MEMORY_BYTES_MAX, targetBytes)),
    large: createByteBudget(Math.min(ANSWER_MEMORY_BYTES_MAX, targetBytes))
  }
}

/** Memory that one answer waits for or holds. */
export interface Claim {
  /** Gives back what is held, or no longer waits. */
  release(): void
}

/** One connection's share: a client that takes no answers can hold up itself, and nobody else for long. */
export interface AnswerShare {
  /** Calls `ready` when `bytes` are set aside, at once if they are free. */
  claim(bytes: number, ready: () => void): Claim
}

/** The share of one connection in the memory of all. */
export function createAnswerShare(memory: AnswerMemory): AnswerShare {
  const own = createByteBudget(CONNECTION_ANSWER_BYTES_MAX)
  return {
    claim(bytes, ready) {
      const shared = bytes <= SMALL_ANSWER_BYTES_MAX ? memory.small : memory.large
      let stage: 'waits for the share' | 'waits for memory' | 'holds it' | 'released' = 'waits for the share'
      const withdrawals: (() => void)[] = []
      const claimMemory = (): void => {
        stage = 'waits for memory'
        const held = (): void => {
          stage = 'holds it'
          ready()
        }
        withdrawals.push(shared.reserve(bytes, held))
      }
      withdrawals.push(own.reserve(bytes, claimMemory))
      const release = (): void => {
        const from = stage
        stage = 'released'
        for (const withdraw of withdrawals) withdraw()
        if (from === 'waits for memory' || from === 'holds it') own.release(bytes)
        if (from === 'holds it') shared.release(bytes)
      }
      return { release }
    }
  }
}
