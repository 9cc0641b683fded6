import assert from 'node:assert/strict'
import { test } from 'node:test'
import { packBatch } from '../../../component/export/batch-writer.ts'
import type { MessageBatch } from '../../../component/export/message-batch.ts'
import { createWindow } from '../../../component/export/window.ts'

function range(from: number, to: number): MessageBatch {
  return packBatch(
    Array.from({ length: to - from }, (_, index) => ({
      sequenceNumber: from + index,
      ingestTimeMs: 0,
      payload: Buffer.alloc(1)
    }))
  )
}

test('a fresh window is open', () => {
  const window = createWindow()
  assert.equal(window.active, false)
  assert.equal(window.end, Infinity)
})

test('a rejected batch is halved until one message is left, then the rest follows in the same pieces', () => {
  const window = createWindow()
  const ends: number[] = []
  window.split(range(0, 8))
  ends.push(window.end)
  window.split(range(0, 4))
  ends.push(window.end)
  window.split(range(0, 2))
  ends.push(window.end)
  for (const next of [1, 2, 4, 8]) {
    window.advance(next)
    ends.push(window.end)
  }
  assert.deepEqual(ends, [4, 2, 1, 2, 4, 8, Infinity])
})

test('the odd message goes to the first half', () => {
  const window = createWindow()
  window.split(range(10, 13))
  assert.equal(window.end, 12)
})

test('accepted messages are remembered until the position has passed them', () => {
  const window = createWindow()
  window.keepDone([{ first: 3, last: 4, fate: { kind: 'exported' } }], 8)
  assert.equal(window.done.has(4), true)
  assert.equal(window.done.has(5), false)
  assert.equal(window.end, 8)
  window.advance(5)
  assert.equal(window.done.size, 0)
  assert.equal(window.active, true)
  window.advance(8)
  assert.equal(window.active, false)
})
