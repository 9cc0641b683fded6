import { createHash } from 'node:crypto'
import type { Clock, Timer } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'

/** Tokens that the nucleus is asked about at a time. */
const CONCURRENT_VALIDATIONS_MAX = 16
/** Tokens that wait to be asked about; more than that many strangers at a time are refused. */
const WAITING_VALIDATIONS_MAX = 256
/** From the arrival of a token to the verdict; after that the client is refused (reliability 5.5, AU3). */
const VALIDATION_TIMEOUT_MS = 5_000
/** Wrong tokens in a second after which further ones wait for the next second (reliability 6.2, N4). */
const WRONG_TOKENS_PER_SECOND_MAX = 100
/** How long a token counts as valid without asking again (reliability 5.5, AU4). */
const VALID_FOR_MS = 60_000
const INVALID_FOR_MS = 1_000
/** Remembered verdicts of either kind, so that wrong tokens cannot drive out valid ones. */
const VERDICTS_MAX = 512
/**
 * What may be a token at all. The real ones have 16 characters; whoever sends more than fits into a frame of nucleus lite
 * would end its connection, and so keep everybody else out.
 */
const TOKEN_PATTERN = /^[\x21-\x7e]{1,1024}$/
const SECOND_MS = 1_000

export interface TokenValidatorOptions {
  readonly clock: Clock
  /** Asks the nucleus. Rejects when there is no verdict. */
  readonly ask: (token: string) => Promise<boolean>
}

/** Asks the nucleus about tokens, no more often than necessary. Tokens are kept as SHA-256 only, but for those being asked. */
export interface TokenValidator {
  /**
   * Whether a token is valid.
   * @throws Fault when there is no verdict in time
   */
  validate(token: string): Promise<boolean>
  /** Asks anew about every token from now on. */
  forget(): void
}

interface Validation {
  readonly token: string
  readonly settle: (verdict: boolean) => void
  readonly fail: (error: unknown) => void
}

/** Verdicts of one kind with their expiry, the oldest first: all live equally long. */
function createVerdicts(
  clock: Clock,
  livesMs: number
): { has: (key: string) => boolean; add: (key: string) => void; clear: () => void } {
  const expiries = new Map<string, number>()
  return {
    has(key) {
      const expiryMs = expiries.get(key)
      if (expiryMs === undefined) return false
      if (clock.monotonicMs() < expiryMs) return true
      expiries.delete(key)
      return false
    },
    add(key) {
      expiries.delete(key)
      expiries.set(key, clock.monotonicMs() + livesMs)
      const [oldest] = expiries.keys()
      if (expiries.size > VERDICTS_MAX && oldest !== undefined) expiries.delete(oldest)
    },
    clear: () => expiries.clear()
  }
}

/** A validator that has not asked anything yet. */
export function createTokenValidator({ clock, ask }: TokenValidatorOptions): TokenValidator {
  const valid = createVerdicts(clock, VALID_FOR_MS)
  const invalid = createVerdicts(clock, INVALID_FOR_MS)
  /** By SHA-256, so that a token is asked about once at a time. */
  const underWay = new Map<string, Promise<boolean>>()
  const waiting = new Set<Validation>()
  let asking = 0
  let generation = 0
  let secondStartMs = -Infinity
  let wrongInSecond = 0
  let resumeTimer: Timer | undefined

  /** Milliseconds until the next token may be asked about: 0 unless there were too many wrong ones. */
  const pauseMs = (): number => {
    const elapsedMs = clock.monotonicMs() - secondStartMs
    if (elapsedMs >= SECOND_MS) wrongInSecond = 0
    return wrongInSecond < WRONG_TOKENS_PER_SECOND_MAX ? 0 : SECOND_MS - elapsedMs
  }

  const countWrong = (): void => {
    if (clock.monotonicMs() - secondStartMs >= SECOND_MS) {
      secondStartMs = clock.monotonicMs()
      wrongInSecond = 0
    }
    wrongInSecond += 1
  }

  const run = async (validation: Validation): Promise<void> => {
    asking += 1
    try {
      const verdict = await ask(validation.token)
      if (!verdict) countWrong()
      validation.settle(verdict)
    } catch (error) {
      validation.fail(error)
    }
    asking -= 1
    pump()
  }

  const pump = (): void => {
    for (const validation of waiting) {
      if (asking >= CONCURRENT_VALIDATIONS_MAX) return
      const delayMs = pauseMs()
      if (delayMs > 0) {
        resumeTimer ??= clock.after(delayMs, () => {
          resumeTimer = undefined
          pump()
        })
        return
      }
      waiting.delete(validation)
      void run(validation)
    }
  }

  /** Rejects at the time limit even if the nucleus is still being asked. */
  const start = (token: string): Promise<boolean> =>
    new Promise((resolve, reject) => {
      const timer = clock.after(VALIDATION_TIMEOUT_MS, () => {
        waiting.delete(validation)
        reject(new Fault('the nucleus has not been heard about a token in time'))
      })
      const validation: Validation = {
        token,
        settle: (verdict) => {
          timer.cancel()
          resolve(verdict)
        },
        fail: (error) => {
          timer.cancel()
          reject(error instanceof Error ? error : new Fault(String(error)))
        }
      }
      waiting.add(validation)
      pump()
    })

  const decide = async (token: string, key: string): Promise<boolean> => {
    const asked = generation
    try {
      const verdict = await start(token)
      if (asked === generation) (verdict ? valid : invalid).add(key)
      return verdict
    } finally {
      underWay.delete(key)
    }
  }

  return {
    validate(token) {
      if (!TOKEN_PATTERN.test(token)) return Promise.resolve(false)
      const key = createHash('sha256').update(token).digest('base64')
      if (valid.has(key)) return Promise.resolve(true)
      if (invalid.has(key)) return Promise.resolve(false)
      const verdict = underWay.get(key)
      if (verdict !== undefined) return verdict
      if (waiting.size >= WAITING_VALIDATIONS_MAX)
        return Promise.reject(new Fault('too many tokens wait for the verdict of the nucleus'))
      const decision = decide(token, key)
      underWay.set(key, decision)
      return decision
    },
    forget() {
      generation += 1
      valid.clear()
      invalid.clear()
    }
  }
}
