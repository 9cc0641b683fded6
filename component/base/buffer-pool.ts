import { KIB, MIB } from './limits.ts'

/** Sizes of the buffers, ascending. */
const SIZES = [64 * KIB, 256 * KIB, MIB, 2 * MIB, 4 * MIB] as const
/** Free buffers are kept up to this many bytes in all. */
const FREE_BYTES_MAX = 8 * MIB

/**
 * Buffers that are used for a moment and then again: a new one of this size costs a page fault for every 4 KiB of it,
 * which is more than filling it.
 */
export interface BufferPool {
  /** A buffer of `bytesMin` or more, with anything in it. */
  take(bytesMin: number): Buffer
  /** Takes back a buffer to which nothing refers any more; one of another origin is let go. */
  giveBack(buffer: Buffer): void
}

export function createBufferPool(): BufferPool {
  const free = new Map<number, Buffer[]>(SIZES.map((size) => [size, []]))
  let freeBytes = 0
  return {
    take(bytesMin) {
      const size = SIZES.find((candidate) => candidate >= bytesMin)
      const kept = size === undefined ? undefined : free.get(size)?.pop()
      if (kept !== undefined) freeBytes -= kept.length
      return kept ?? Buffer.allocUnsafeSlow(size ?? bytesMin)
    },
    giveBack(buffer) {
      const kept = free.get(buffer.length)
      if (kept === undefined || freeBytes + buffer.length > FREE_BYTES_MAX) return
      freeBytes += buffer.length
      kept.push(buffer)
    }
  }
}
