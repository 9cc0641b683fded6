import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createFramePool } from '../../../component/base/buffer-pool.ts'
import { GrowingBuffer } from '../../../component/protocol/growing-buffer.ts'

const KIB = 1024

describe('a growing buffer', () => {
  it('holds what was appended, for sizes around its doublings', () => {
    for (const finalBytes of [1, 64 * KIB - 1, 64 * KIB, 64 * KIB + 1, 128 * KIB + 1, 300_001, 1_048_577]) {
      for (const partBytes of [997, 64 * KIB, finalBytes]) {
        const expected = Buffer.from(Array.from({ length: finalBytes }, (_, index) => index % 253))
        const buffer = new GrowingBuffer(finalBytes)
        for (let start = 0; start < finalBytes; start += partBytes) {
          buffer.append(expected, start, Math.min(finalBytes, start + partBytes))
        }
        assert.ok(buffer.finish().equals(expected), `${finalBytes} bytes in parts of ${partBytes}`)
      }
    }
  })

  it('collects into memory that a pool has free, and into its own until there is some', () => {
    for (const finalBytes of [32 * KIB, 64 * KIB, 64 * KIB + 1, 300_001, 5_000_000]) {
      const pool = createFramePool()
      let last: Buffer | undefined
      for (const seed of [1, 2, 3]) {
        const expected = Buffer.from(Array.from({ length: finalBytes }, (_, index) => (index * seed) % 253))
        const buffer = new GrowingBuffer(finalBytes, pool)
        for (let start = 0; start < finalBytes; start += 10_000) {
          buffer.append(expected, start, Math.min(finalBytes, start + 10_000))
        }
        const memory = buffer.finish()
        assert.ok(memory.subarray(0, finalBytes).equals(expected), `${finalBytes} bytes`)
        if (last !== undefined && finalBytes < 4_000_000) assert.equal(memory, last)
        pool.giveBack(memory)
        last = memory
      }
    }
  })

  it('takes no memory of a pool for what has only been announced', () => {
    const pool = createFramePool()
    let takenBytes = 0
    const counting = {
      ...pool,
      take(bytes: number) {
        takenBytes += bytes
        return pool.take(bytes)
      }
    }
    const buffer = new GrowingBuffer(4_000_000, counting)
    buffer.append(Buffer.alloc(1_000_000), 0, 1_000_000)
    assert.equal(takenBytes, 0)
  })

  it('knows its start while it grows', () => {
    const expected = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 253))
    const buffer = new GrowingBuffer(expected.length)
    for (let used = 0; used < expected.length; used += 10_000) {
      for (const startBytes of [100, 64 * KIB, expected.length]) {
        const start = Buffer.alloc(startBytes)
        const copied = buffer.copyStart(start)
        assert.equal(copied, Math.min(used, startBytes))
        assert.ok(start.subarray(0, copied).equals(expected.subarray(0, copied)))
      }
      buffer.append(expected, used, used + 10_000)
    }
  })

  it('takes no byte too many and is not finished early', () => {
    const buffer = new GrowingBuffer(2)
    assert.throws(() => buffer.finish(), /when it is full/)
    assert.throws(() => buffer.append(Buffer.alloc(3), 0, 3), /beyond its final size/)
  })
})
