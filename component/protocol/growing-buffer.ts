import { assert } from '../base/assert.ts'
import type { FramePool } from '../base/buffer-pool.ts'
import { KIB } from '../base/limits.ts'

/** A buffer up to this size is allocated at once. */
const FIRST_BLOCK_BYTES_MAX = 64 * KIB
/** A buffer below this size would waste most of what a pool has. */
const POOLED_BYTES_MIN = 32 * KIB

/** Bytes moved out of the old block for each byte that arrives: more than 1 makes the move end before the new one is full. */
const MOVED_PER_APPENDED = 2

/**
 * Collects a known number of bytes into one Buffer without allocating what has not arrived (reliability CL4).
 *
 * Memory that a pool has free is there already, and is taken for all of it. Otherwise the block doubles until it has the
 * final size. A full block is not copied at once, which would hold up the event loop for large frames, but a little with
 * every append:
 *
 *     old block   [ moved | still to move ]
 *     new block   [ moved |   (a gap)     | appended | free ]
 *
 * Sizes are the final one divided by powers of two, so the last doubling leaves as much room for appends as the others
 * and no append copies more than three times its own length.
 */
export class GrowingBuffer {
  readonly #finalBytes: number
  readonly #pool: FramePool | undefined
  #block: Buffer
  #usedBytes = 0
  #oldBlock: Buffer | undefined
  #movedBytes = 0

  /** @param pool where the finished memory may be given back to; undefined when nobody will */
  constructor(finalBytes: number, pool?: FramePool) {
    this.#finalBytes = finalBytes
    this.#pool = finalBytes < POOLED_BYTES_MIN ? undefined : pool
    this.#block = this.#pool?.takeFree(finalBytes) ?? this.#firstBlock()
  }

  #firstBlock(): Buffer {
    let firstBytes = this.#finalBytes
    for (let parts = 2; firstBytes > FIRST_BLOCK_BYTES_MAX; parts *= 2) firstBytes = Math.ceil(this.#finalBytes / parts)
    return firstBytes < this.#finalBytes ? Buffer.allocUnsafe(firstBytes) : this.#finalBlock()
  }

  #finalBlock(): Buffer {
    return this.#pool?.take(this.#finalBytes) ?? Buffer.allocUnsafe(this.#finalBytes)
  }

  get usedBytes(): number {
    return this.#usedBytes
  }

  /** Appends `source[start, end)`; all appends together may not exceed the final size. */
  append(source: Buffer, start: number, end: number): void {
    assert(this.#usedBytes + end - start <= this.#finalBytes, 'a growing buffer is not filled beyond its final size')
    for (let position = start; position < end;) {
      if (this.#usedBytes === this.#block.length) this.#grow()
      const copiedBytes = source.copy(this.#block, this.#usedBytes, position, end)
      this.#usedBytes += copiedBytes
      position += copiedBytes
      this.#move(copiedBytes * MOVED_PER_APPENDED)
    }
  }

  #grow(): void {
    assert(this.#oldBlock === undefined, 'the old block has been moved when the new one is full')
    this.#oldBlock = this.#block
    this.#movedBytes = 0
    const bytes = this.#oldBlock.length * 2
    this.#block = bytes < this.#finalBytes ? Buffer.allocUnsafeSlow(bytes) : this.#finalBlock()
  }

  #move(bytes: number): void {
    if (this.#oldBlock === undefined) return
    this.#movedBytes += this.#oldBlock.copy(this.#block, this.#movedBytes, this.#movedBytes, this.#movedBytes + bytes)
    if (this.#movedBytes === this.#oldBlock.length) this.#oldBlock = undefined
  }

  /** Copies the first bytes that have arrived into `target`. Returns how many there were. */
  copyStart(target: Buffer): number {
    const oldBytes = this.#oldBlock?.copy(target) ?? 0
    return oldBytes + this.#block.copy(target, oldBytes, oldBytes, this.#usedBytes)
  }

  /** The memory that begins with the collected bytes, once all have been appended; not a copy. */
  finish(): Buffer {
    assert(this.#usedBytes === this.#finalBytes, 'a growing buffer is finished when it is full')
    assert(this.#oldBlock === undefined, 'the old block has been moved when the buffer is full')
    return this.#block
  }
}
