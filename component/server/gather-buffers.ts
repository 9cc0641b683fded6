import { KIB } from '../base/limits.ts'

/** Room for the answers of a turn of a busy connection. */
const BUFFER_BYTES = 64 * KIB
/** Free buffers that are kept: more connections are rarely answered in one turn. */
const FREE_MAX = 32

/** Buffers in which small answers are gathered, lent to the connections that have some on their way. */
export interface GatherBuffers {
  take(): Buffer
  /** Nothing refers to its bytes any more. */
  giveBack(buffer: Buffer): void
}

export function createGatherBuffers(): GatherBuffers {
  const free: Buffer[] = []
  return {
    take: () => free.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES),
    giveBack(buffer) {
      if (free.length < FREE_MAX) free.push(buffer)
    }
  }
}
