import { assert } from './assert.ts'

/** A bound on bytes held in memory by many parties together. */
export interface ByteBudget {
  /** Takes `bytes` if they are free now and nobody waits for some. */
  tryReserve(bytes: number): boolean
  /**
   * Calls `ready` once `bytes` are free and taken, at once if they are; first come, first served. A wish beyond the
   * whole budget is granted when nothing else is held.
   * @returns a function that withdraws the wish; after `ready` it does nothing
   */
  reserve(bytes: number, ready: () => void): () => void
  release(bytes: number): void
  /** Bytes taken now. */
  readonly used: number
  /** True when somebody waits for bytes. */
  readonly isContended: boolean
}

/** A budget of `bytesMax` bytes. */
export function createByteBudget(bytesMax: number): ByteBudget {
  let used = 0
  const waiting = new Set<{ readonly bytes: number; readonly ready: () => void }>()
  const fits = (bytes: number): boolean => used === 0 || used + bytes <= bytesMax

  const grantWaiting = (): void => {
    for (const wish of waiting) {
      if (!fits(wish.bytes)) return
      waiting.delete(wish)
      used += wish.bytes
      wish.ready()
    }
  }

  return {
    tryReserve(bytes) {
      if (waiting.size > 0 || used + bytes > bytesMax) return false
      used += bytes
      return true
    },
    reserve(bytes, ready) {
      if (waiting.size === 0 && fits(bytes)) {
        used += bytes
        ready()
        return () => undefined
      }
      const wish = { bytes, ready }
      waiting.add(wish)
      return () => {
        // Who waited behind it may fit.
        if (waiting.delete(wish)) grantWaiting()
      }
    },
    release(bytes) {
      used -= bytes
      assert(used >= 0, 'a byte budget gets back no more than it gave')
      grantWaiting()
    },
    get used() {
      return used
    },
    get isContended() {
      return waiting.size > 0
    }
  }
}
