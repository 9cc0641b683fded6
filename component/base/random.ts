import { randomBytes } from 'node:crypto'

/** The only source of randomness. */
export interface Random {
  /** A number in [0, 1). */
  fraction(): number
  /** `length` random bytes. */
  bytes(length: number): Buffer
}

/** Short wishes are served from a pool of this size: a call of the system costs more than its bytes. */
const POOL_BYTES = 8 * 1024
const POOLED_BYTES_MAX = 256

/** @param fill makes random bytes, many at a time; no byte is handed out twice */
export function createPooledBytes(fill: (length: number) => Buffer): (length: number) => Buffer {
  let pool: Buffer = Buffer.alloc(0)
  return (length) => {
    if (length > POOLED_BYTES_MAX) return fill(length)
    if (pool.length < length) pool = fill(POOL_BYTES)
    const bytes = pool.subarray(0, length)
    pool = pool.subarray(length)
    return bytes
  }
}

/** The random source of the machine. */
export const systemRandom: Random = {
  fraction: () => Math.random(),
  bytes: createPooledBytes(randomBytes)
}
