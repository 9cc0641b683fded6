import type { ByteBudget } from '../base/byte-budget.ts'

/** What the requests of one connection hold of the memory that all connections share, from their arrival to their answer. */
export interface RequestMemory {
  readonly heldBytes: number
  /** False when they are not to be had now. */
  tryHold(bytes: number): boolean
  /** Calls `ready` once `bytes` are held, in turn with other connections. */
  hold(bytes: number, ready: () => void): void
  release(bytes: number): void
}

export function createRequestMemory(shared: ByteBudget): RequestMemory {
  let heldBytes = 0
  return {
    get heldBytes() {
      return heldBytes
    },
    tryHold(bytes) {
      const isHeld = shared.tryReserve(bytes)
      if (isHeld) heldBytes += bytes
      return isHeld
    },
    hold(bytes, ready) {
      shared.reserve(bytes, () => {
        heldBytes += bytes
        ready()
      })
    },
    release(bytes) {
      heldBytes -= bytes
      shared.release(bytes)
    }
  }
}
