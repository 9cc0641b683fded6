import type { ByteBudget } from '../base/byte-budget.ts'
import { systemError } from './system-error.ts'

const CHUNK_BYTES = 256 * 1024
const LAST_CHUNK_BYTES_MIN = 4 * 1024

/** Content of a file in memory. Chunk `i` holds the bytes from `i * CHUNK_BYTES` on; only the last may be shorter. */
export interface MemoryContent {
  readonly length: number
  /** @throws a system error with code ENOMEM when the budget is exceeded; nothing is changed then */
  write(buffers: readonly Uint8Array[], position: number): void
  /** A copy of up to `length` bytes. */
  read(position: number, length: number): Buffer
  truncate(length: number): void
  /** Gives all memory back. */
  free(): void
}

/** Bytes held for a content of this length: the last chunk doubles, so small contents stay small. */
function heldBytes(length: number): number {
  const full = Math.floor(length / CHUNK_BYTES)
  const rest = length - full * CHUNK_BYTES
  if (rest === 0) return full * CHUNK_BYTES
  return full * CHUNK_BYTES + Math.max(LAST_CHUNK_BYTES_MIN, 2 ** Math.ceil(Math.log2(rest)))
}

/** An empty content whose memory is taken from `budget`. */
export function createMemoryContent(budget: ByteBudget): MemoryContent {
  let chunks: Buffer[] = []
  let length = 0
  let held = 0

  const reserve = (end: number): void => {
    const needed = heldBytes(end) - held
    if (needed <= 0) return
    if (!budget.tryReserve(needed)) throw systemError('ENOMEM', 'the memory for memory streams is used up')
    held += needed
  }

  /** Chunk `index` with room for `bytes`; what was there is kept, the rest is zero. */
  const grow = (index: number, bytes: number): Buffer => {
    const present = chunks[index]
    if (present !== undefined && present.length >= bytes) return present
    const grown = Buffer.alloc(Math.min(CHUNK_BYTES, heldBytes(bytes)))
    present?.copy(grown)
    chunks[index] = grown
    return grown
  }

  /** Makes all chunks below `end`, so that a gap reads as zeros. */
  const extend = (end: number): void => {
    for (let index = Math.max(0, chunks.length - 1); index * CHUNK_BYTES < end; index++) {
      grow(index, Math.min(CHUNK_BYTES, end - index * CHUNK_BYTES))
    }
  }

  const put = (source: Uint8Array, position: number): void => {
    for (let done = 0; done < source.length;) {
      const at = position + done
      const offset = at % CHUNK_BYTES
      const count = Math.min(CHUNK_BYTES - offset, source.length - done)
      chunks[Math.floor(at / CHUNK_BYTES)]?.set(source.subarray(done, done + count), offset)
      done += count
    }
  }

  const shrink = (end: number): void => {
    chunks.length = Math.min(chunks.length, Math.ceil(end / CHUNK_BYTES))
    const last = chunks.at(-1)
    const rest = end - (chunks.length - 1) * CHUNK_BYTES
    if (last !== undefined) {
      const smaller = Buffer.alloc(heldBytes(rest))
      last.copy(smaller, 0, 0, rest)
      chunks[chunks.length - 1] = smaller
    }
    const kept = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
    budget.release(held - kept)
    held = kept
    length = end
  }

  return {
    get length() {
      return length
    },
    write(buffers, position) {
      const end = position + buffers.reduce((sum, buffer) => sum + buffer.length, 0)
      reserve(end)
      extend(end)
      let at = position
      for (const buffer of buffers) {
        put(buffer, at)
        at += buffer.length
      }
      length = Math.max(length, end)
    },
    read(position, wanted) {
      const count = Math.max(0, Math.min(wanted, length - position))
      const copy = Buffer.allocUnsafe(count)
      for (let done = 0; done < count;) {
        const at = position + done
        const offset = at % CHUNK_BYTES
        const part = Math.min(CHUNK_BYTES - offset, count - done)
        chunks[Math.floor(at / CHUNK_BYTES)]?.copy(copy, done, offset, offset + part)
        done += part
      }
      return copy
    },
    truncate(end) {
      if (end < length) shrink(end)
      else if (end > length) {
        reserve(end)
        extend(end)
        length = end
      }
    },
    free() {
      budget.release(held)
      held = 0
      chunks = []
      length = 0
    }
  }
}
