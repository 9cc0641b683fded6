import { randomBytes } from 'node:crypto'

/** The only source of randomness. */
export interface Random {
  /** A number in [0, 1). */
  fraction(): number
  /** `length` random bytes. */
  bytes(length: number): Buffer
}

/** The random source of the machine. */
export const systemRandom: Random = {
  fraction: () => Math.random(),
  bytes: (length) => randomBytes(length)
}
