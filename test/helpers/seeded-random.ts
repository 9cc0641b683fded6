import type { Random } from '../../component/base/random.ts'

/** The same numbers for the same seed (mulberry32). */
export function createSeededRandom(seed: number): Random {
  let state = seed >>> 0
  const fraction = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    fraction,
    bytes: (length) => Buffer.from(Array.from({ length }, () => Math.floor(fraction() * 256)))
  }
}

/** Always the same fraction, for tests that compute exact delays. */
export function createFixedRandom(fraction: number): Random {
  return { fraction: () => fraction, bytes: (length) => Buffer.alloc(length, Math.floor(fraction * 256)) }
}
