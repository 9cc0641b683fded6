import { KIB, MIB } from './limits.ts'

/** Sizes of the buffers, ascending. */
const SIZES = [64 * KIB, 256 * KIB, MIB, 2 * MIB, 4 * MIB] as const
/** Free memory is kept up to this many bytes in all, unless a pool has another bound. */
const FREE_BYTES_MAX = 8 * MIB
const ANSWER_SIZES = [...SIZES, 8 * MIB]
const ANSWER_FREE_BYTES_MAX = 16 * MIB

/**
 * Memory that is used for a moment and then again: new memory of this size costs a page fault for every 4 KiB of it, which
 * is more than filling it, and hastens the next collection of the whole heap.
 */
export interface MemoryPool<Memory> {
  /** Memory of `bytesMin` or more, with anything in it. */
  take(bytesMin: number): Memory
  /** Takes back memory to which nothing refers any more; what is of another origin is let go. */
  giveBack(memory: Memory): void
}

export type BufferPool = MemoryPool<Buffer>
export type ArrayBufferPool = MemoryPool<ArrayBuffer>

/** @param freeBytesMax free buffers are kept up to this many bytes in all */
export const createBufferPool = (freeBytesMax?: number): BufferPool =>
  createMemoryPool((bytes) => Buffer.allocUnsafeSlow(bytes), freeBytesMax)
/** For answers: enough for a client that reads thousands of messages at a time. */
export const createAnswerPool = (): BufferPool =>
  createMemoryPool((bytes) => Buffer.allocUnsafeSlow(bytes), ANSWER_FREE_BYTES_MAX, ANSWER_SIZES)
/** For what crosses threads. */
export const createArrayBufferPool = (): ArrayBufferPool => createMemoryPool((bytes) => new ArrayBuffer(bytes))

function createMemoryPool<Memory extends { readonly byteLength: number }>(
  allocate: (bytes: number) => Memory,
  freeBytesMax = FREE_BYTES_MAX,
  sizes: readonly number[] = SIZES
): MemoryPool<Memory> {
  const free = new Map<number, Memory[]>(sizes.map((size) => [size, []]))
  let freeBytes = 0
  return {
    take(bytesMin) {
      const size = sizes.find((candidate) => candidate >= bytesMin)
      const kept = size === undefined ? undefined : free.get(size)?.pop()
      if (kept !== undefined) freeBytes -= kept.byteLength
      return kept ?? allocate(size ?? bytesMin)
    },
    giveBack(memory) {
      const kept = free.get(memory.byteLength)
      if (kept === undefined || freeBytes + memory.byteLength > freeBytesMax) return
      freeBytes += memory.byteLength
      kept.push(memory)
    }
  }
}
