import type { BufferPool } from '../base/buffer-pool.ts'
import type { ByteBudget } from '../base/byte-budget.ts'
import { KIB } from '../base/limits.ts'
import { systemError } from './system-error.ts'

/** A size of which the pool keeps buffers. */
const CHUNK_BYTES = 256 * KIB
const FIRST_CHUNK_BYTES_MIN = 4 * KIB

/** Content of a file in memory. Chunk `i` holds the bytes from `i * CHUNK_BYTES` on; one that is alone may be shorter. */
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

/** Bytes held for a content of this length: a first chunk doubles, so small contents stay small. */
function heldBytes(length: number): number {
  if (length === 0) return 0
  if (length > CHUNK_BYTES) return Math.ceil(length / CHUNK_BYTES) * CHUNK_BYTES
  return Math.max(FIRST_CHUNK_BYTES_MIN, 2 ** Math.ceil(Math.log2(length)))
}

/**
 * An empty content whose memory is accounted for in `budget`. Whole chunks come from `pool` and go back there: a stream
 * that drops its oldest messages for new ones then needs no new memory.
 */
export function createMemoryContent(budget: ByteBudget, pool: BufferPool): MemoryContent {
  const chunks: Buffer[] = []
  let length = 0
  let held = 0

  const reserve = (end: number): void => {
    const needed = heldBytes(end) - held
    if (needed <= 0) return
    if (!budget.tryReserve(needed)) throw systemError('ENOMEM', 'the memory for memory streams is used up')
    held += needed
  }

  const allocate = (bytes: number): Buffer => (bytes === CHUNK_BYTES ? pool.take(bytes) : Buffer.allocUnsafeSlow(bytes))
  const giveBack = (chunk: Buffer): void => {
    if (chunk.length === CHUNK_BYTES) pool.giveBack(chunk)
  }

  /** Gives chunk `index` room for `bytes`; what was there is kept, and anything may be behind it. */
  const grow = (index: number, bytes: number): void => {
    const present = chunks[index]
    if (present !== undefined && present.length >= bytes) return
    const grown = allocate(index > 0 ? CHUNK_BYTES : heldBytes(bytes))
    present?.copy(grown)
    chunks[index] = grown
  }

  /** Makes all chunks below `end`. */
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

  /** What nobody wrote reads as zeros. */
  const clear = (start: number, end: number): void => {
    for (let at = start; at < end;) {
      const offset = at % CHUNK_BYTES
      const count = Math.min(CHUNK_BYTES - offset, end - at)
      chunks[Math.floor(at / CHUNK_BYTES)]?.fill(0, offset, offset + count)
      at += count
    }
  }

  const shrink = (end: number): void => {
    for (const chunk of chunks.splice(Math.ceil(end / CHUNK_BYTES))) giveBack(chunk)
    const [first] = chunks
    if (first !== undefined && end <= CHUNK_BYTES && heldBytes(end) < first.length) {
      const smaller = allocate(heldBytes(end))
      first.copy(smaller, 0, 0, end)
      chunks[0] = smaller
      giveBack(first)
    }
    budget.release(held - heldBytes(end))
    held = heldBytes(end)
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
      clear(length, position)
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
        clear(length, end)
        length = end
      }
    },
    free: () => shrink(0)
  }
}
