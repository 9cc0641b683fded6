import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { packBatch, unpackBatch } from '../../../component/exporter/packed-batch.ts'

const message = fc.record(
  {
    sequenceNumber: fc.nat(Number.MAX_SAFE_INTEGER),
    ingestTimeMs: fc.nat(Number.MAX_SAFE_INTEGER),
    payload: fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes))
  },
  { noNullPrototype: true }
)

test('a batch is the same after it was packed into used memory and transferred', () => {
  fc.assert(
    fc.property(fc.array(message, { maxLength: 20 }), fc.nat(100), (messages, spareBytes) => {
      const packed = packBatch(messages, (bytes) => new Uint8Array(bytes + spareBytes).fill(0xa5).buffer)
      const moved = structuredClone(packed, { transfer: [packed] })
      assert.deepEqual(unpackBatch(moved), messages)
    })
  )
})
