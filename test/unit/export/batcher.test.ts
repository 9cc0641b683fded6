import assert from 'node:assert/strict'
import { test } from 'node:test'
import { packBatch } from '../../../component/export/batch-writer.ts'
import { cutBatch, releaseOf } from '../../../component/export/batcher.ts'
import type { BatchLimits } from '../../../component/export/sink.ts'
import type { StoredMessage } from '../../../component/model/message.ts'

const limits: BatchLimits = { countMax: 4, bytesMax: 100, sizeOf: (payloadBytes) => payloadBytes + 5 }

function messages(...sizes: number[]): StoredMessage[] {
  return sizes.map((size, sequenceNumber) => ({ sequenceNumber, ingestTimeMs: 0, payload: Buffer.alloc(size) }))
}

function cutCount(countMax: number, ...sizes: number[]): [number, number] {
  const batch = packBatch(messages(...sizes))
  const bytes = cutBatch(batch, limits, countMax)
  return [batch.count, bytes]
}

test('a batch takes the smaller of the two count limits', () => {
  assert.deepEqual(cutCount(10, 1, 1, 1, 1, 1), [4, 24])
  assert.deepEqual(cutCount(2, 1, 1, 1), [2, 12])
})

test('a batch fills the byte limit exactly and never exceeds it, counting as the destination counts', () => {
  assert.deepEqual(cutCount(4, 45, 45, 1), [2, 100])
  assert.deepEqual(cutCount(4, 45, 46, 1), [1, 50])
})

test('an oversize message goes alone, whether first or later', () => {
  assert.deepEqual(cutCount(4, 500, 1), [1, 505])
  assert.deepEqual(cutCount(4, 1, 500), [1, 6])
})

test('nothing makes an empty batch', () => {
  assert.deepEqual(cutCount(4), [0, 0])
})

test('without an interval messages are released at once', () => {
  assert.deepEqual(releaseOf(1, 500, undefined, undefined, 0), { kind: 'now' })
})

test('with an interval a full batch is released at once, fewer when the oldest is that old', () => {
  assert.deepEqual(releaseOf(10, 10, 60_000, undefined, 0), { kind: 'now' })
  assert.deepEqual(releaseOf(9, 10, 60_000, undefined, 0), { kind: 'ageUnknown' })
  assert.deepEqual(releaseOf(9, 10, 60_000, 1_000, 31_000), { kind: 'after', delayMs: 30_000 })
  assert.deepEqual(releaseOf(9, 10, 60_000, 1_000, 61_000), { kind: 'now' })
})

test('a wall clock that was set back delays a message by one interval at most', () => {
  assert.deepEqual(releaseOf(1, 10, 60_000, 1_000_000_000, 0), { kind: 'after', delayMs: 60_000 })
})
