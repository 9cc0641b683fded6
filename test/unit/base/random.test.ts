import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPooledBytes } from '../../../component/base/random.ts'

/** Numbers the 4-byte words that it hands out, and counts its calls. */
function createCounter(): { readonly calls: number[]; readonly fill: (length: number) => Buffer } {
  const calls: number[] = []
  let word = 0
  return {
    calls,
    fill(length) {
      calls.push(length)
      const bytes = Buffer.alloc(length)
      for (let offset = 0; offset + 4 <= length; offset += 4) bytes.writeUInt32BE(word++, offset)
      return bytes
    }
  }
}

test('no random byte is handed out twice', () => {
  const { calls, fill } = createCounter()
  const bytes = createPooledBytes(fill)
  const words = new Set<number>()
  const lengths = Array.from({ length: 3_000 }, (_, index) => 4 * (1 + (index % 9)))
  for (const length of lengths) {
    const given = bytes(length)
    assert.equal(given.length, length)
    for (let offset = 0; offset < length; offset += 4) words.add(given.readUInt32BE(offset))
  }
  assert.equal(
    words.size * 4,
    lengths.reduce((sum, length) => sum + length)
  )
  assert.ok(calls.length < lengths.length / 100, `${calls.length} calls of the system`)
})

test('many random bytes come from the system itself', () => {
  const { calls, fill } = createCounter()
  const bytes = createPooledBytes(fill)
  assert.equal(bytes(100_000).length, 100_000)
  assert.deepEqual(calls, [100_000])
})
