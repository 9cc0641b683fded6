import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createAnswerPool, createBufferPool, createFramePool } from '../../../component/base/buffer-pool.ts'
import { KIB, MIB } from '../../../component/base/limits.ts'

test('a buffer that was given back is taken again by the next wish that it fits', () => {
  const pool = createBufferPool()
  const first = pool.take(100 * KIB)
  assert.equal(first.length, 256 * KIB)
  assert.notEqual(pool.take(100 * KIB), first)
  pool.giveBack(first)
  assert.notEqual(pool.take(64 * KIB), first)
  assert.equal(pool.take(256 * KIB), first)
  assert.notEqual(pool.take(256 * KIB), first)
})

test('what no size is large enough for is made to measure and not kept', () => {
  const pool = createBufferPool()
  const large = pool.take(5 * MIB + 1)
  assert.equal(large.length, 5 * MIB + 1)
  pool.giveBack(large)
  assert.notEqual(pool.take(5 * MIB + 1), large)
  const cut = Buffer.alloc(300)
  pool.giveBack(cut)
  assert.notEqual(pool.take(300), cut)
})

test('free buffers are kept up to 8 MiB in all', () => {
  const pool = createBufferPool()
  const taken = Array.from({ length: 4 }, () => pool.take(4 * MIB))
  for (const buffer of taken) pool.giveBack(buffer)
  const again = Array.from({ length: 4 }, () => pool.take(4 * MIB))
  assert.equal(again.filter((buffer) => taken.includes(buffer)).length, 2)
})

test('an answer with 5,000 messages of a kilobyte, and what they were read into, are used again', () => {
  const pool = createAnswerPool()
  const taken = [pool.take(5.6 * MIB), pool.take(4 * MIB)]
  for (const buffer of taken) pool.giveBack(buffer)
  assert.deepEqual(
    [pool.take(5.6 * MIB), pool.take(4 * MIB)].map((buffer) => taken.indexOf(buffer)),
    [0, 1]
  )
})

test('frames of whole KiB have room for what is around a message, in less than twice the memory', () => {
  const pool = createFramePool()
  for (let payloadBytes = 64 * KIB; payloadBytes <= 4 * MIB; payloadBytes += 32 * KIB) {
    const { length } = pool.take(payloadBytes + 100)
    assert.ok(length < 2 * payloadBytes + 8 * KIB, `${length} bytes for ${payloadBytes}`)
  }
  assert.equal(pool.take(MIB + 100).length, MIB + 4 * KIB)
})

test('what is not free is not taken when only free memory is asked for', () => {
  const pool = createFramePool()
  assert.equal(pool.takeFree(100 * KIB), undefined)
  const taken = pool.take(100 * KIB)
  pool.giveBack(taken)
  assert.equal(pool.takeFree(300 * KIB), undefined)
  assert.equal(pool.takeFree(100 * KIB), taken)
  assert.equal(pool.takeFree(100 * KIB), undefined)
})
