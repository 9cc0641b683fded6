import { KIB, MIB } from './limits.ts'

/** Sizes of the buffers, ascending. */
const SIZES = [64 * KIB, 256 * KIB, MIB, 2 * MIB, 4 * MIB] as const
/** Free memory is kept up to this many bytes in all, unless a pool has another bound. */
const FREE_BYTES_MAX = 8 * MIB
const LARGE_SIZES = [...SIZES, 8 * MIB]
const LARGE_FREE_BYTES_MAX = 16 * MIB
/** Of a frame beside the payload of its message, with room for a long request id and a long stream name. */
const FRAME_ROOM_BYTES = 4 * KIB
/** Close to each other: a frame holds less than twice what it needs. */
const FRAME_SIZES = [64, 128, 256, 512, 1024, 2048, 4096].map((kib) => kib * KIB + FRAME_ROOM_BYTES)
const FRAME_FREE_BYTES_MAX = 16 * MIB

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

/** A pool whose user takes little by little what is not free. */
export interface FramePool extends MemoryPool<Buffer> {
  /** Like `take`, but only memory that was given back: undefined when there is none. */
  takeFree(bytesMin: number): Buffer | undefined
}

export type BufferPool = MemoryPool<Buffer>
export type ArrayBufferPool = MemoryPool<ArrayBuffer>

/** @param freeBytesMax free buffers are kept up to this many bytes in all */
export const createBufferPool = (freeBytesMax?: number): BufferPool =>
  createMemoryPool((bytes) => Buffer.allocUnsafeSlow(bytes), freeBytesMax)
/** For answers: enough for a client that reads thousands of messages at a time. */
export const createAnswerPool = (): BufferPool =>
  createMemoryPool((bytes) => Buffer.allocUnsafeSlow(bytes), LARGE_FREE_BYTES_MAX, LARGE_SIZES)
/** For large requests. */
export const createFramePool = (): FramePool =>
  createMemoryPool((bytes) => Buffer.allocUnsafeSlow(bytes), FRAME_FREE_BYTES_MAX, FRAME_SIZES)
/** For batches that cross threads. */
export const createBatchPool = (): ArrayBufferPool =>
  createMemoryPool((bytes) => new ArrayBuffer(bytes), LARGE_FREE_BYTES_MAX, LARGE_SIZES)

function createMemoryPool<Memory extends { readonly byteLength: number }>(
  allocate: (bytes: number) => Memory,
  freeBytesMax = FREE_BYTES_MAX,
  sizes: readonly number[] = SIZES
): MemoryPool<Memory> & { takeFree(bytesMin: number): Memory | undefined } {
  const free = new Map<number, Memory[]>(sizes.map((size) => [size, []]))
  let freeBytes = 0
  const sizeFor = (bytesMin: number): number | undefined => sizes.find((candidate) => candidate >= bytesMin)
  const takeFree = (size: number | undefined): Memory | undefined => {
    const kept = size === undefined ? undefined : free.get(size)?.pop()
    if (kept !== undefined) freeBytes -= kept.byteLength
    return kept
  }
  return {
    take(bytesMin) {
      const size = sizeFor(bytesMin)
      return takeFree(size) ?? allocate(size ?? bytesMin)
    },
    takeFree: (bytesMin) => takeFree(sizeFor(bytesMin)),
    giveBack(memory) {
      const kept = free.get(memory.byteLength)
      if (kept === undefined || freeBytes + memory.byteLength > freeBytesMax) return
      freeBytes += memory.byteLength
      kept.push(memory)
    }
  }
}
