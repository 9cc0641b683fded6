import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { BatchWriter, packBatch } from '../../../component/export/batch-writer.ts'
import { unpackBatch, type MessageBatch } from '../../../component/export/message-batch.ts'
import type { StoredMessage } from '../../../component/model/message.ts'
import { createDirtyPool } from '../../helpers/dirty-pool.ts'

const RUNS = { numRuns: 300 }

/** Gaps between numbers, and payloads that were read with what stands before them, or lie elsewhere. */
const stored = fc.array(
  fc.record(
    {
      gap: fc.nat(2),
      ingestTimeMs: fc.nat(Number.MAX_SAFE_INTEGER),
      payload: fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes)),
      isReadInto: fc.boolean()
    },
    { noNullPrototype: true }
  ),
  { maxLength: 20 }
)

interface Read extends StoredMessage {
  readonly isReadInto: boolean
}

const numbered = (gaps: readonly (Omit<Read, 'sequenceNumber'> & { readonly gap: number })[]): Read[] => {
  let next = 7
  return gaps.map(({ gap, ...rest }) => {
    const sequenceNumber = next + gap
    next = sequenceNumber + 1
    return { ...rest, sequenceNumber }
  })
}

const withoutOrigin = ({ sequenceNumber, ingestTimeMs, payload }: StoredMessage): StoredMessage => ({
  sequenceNumber,
  ingestTimeMs,
  payload
})

/** Takes the messages as a read of a log brings them. */
function write(writer: BatchWriter, messages: readonly Read[]): void {
  for (const { sequenceNumber, ingestTimeMs, payload, isReadInto } of messages) {
    const window = isReadInto ? writer.memory(payload.length + 24) : undefined
    window?.fill(0x77)
    const read = window?.subarray(24) ?? Buffer.from(payload)
    payload.copy(read)
    writer.take(sequenceNumber, ingestTimeMs, read)
  }
}

test('a batch holds what was read, however little room was expected, and gives all memory back', () => {
  fc.assert(
    fc.property(stored, fc.nat(600), fc.nat(100), (gaps, expectedBytes, spareBytes) => {
      const messages = numbered(gaps)
      const { pool, outstanding } = createDirtyPool(spareBytes)
      const writer = new BatchWriter(pool, messages.length, expectedBytes)
      write(writer, messages)
      const batch = writer.finish()
      assert.deepEqual(batch.messages(), messages.map(withoutOrigin))
      assert.equal(
        batch.payloadBytes,
        messages.reduce((sum, { payload }) => sum + payload.length, 0)
      )
      assert.equal(outstanding(), 1)
      batch.release()
      batch.release()
      assert.equal(outstanding(), 0)
    }),
    RUNS
  )
})

test('what a read that failed has brought is given back', () => {
  fc.assert(
    fc.property(stored, fc.nat(600), (gaps, expectedBytes) => {
      const messages = numbered(gaps)
      const { pool, outstanding } = createDirtyPool(0)
      const writer = new BatchWriter(pool, messages.length, expectedBytes)
      write(writer, messages)
      writer.discard()
      assert.equal(outstanding(), 0)
    }),
    RUNS
  )
})

function transfer(memory: ArrayBuffer): ArrayBuffer {
  return structuredClone(memory, { transfer: [memory] })
}

test('messages that are left out are left out on both sides of a transfer, and the others stay', () => {
  fc.assert(
    fc.property(stored, fc.nat(20), fc.integer({ min: 1, max: 4 }), (gaps, count, divisor) => {
      const messages = numbered(gaps).map(withoutOrigin)
      const { pool, outstanding } = createDirtyPool(0)
      const batch = packBatch(messages, pool)
      batch.retain((number) => number % divisor === 0)
      batch.truncate(count)
      const left = messages.filter(({ sequenceNumber }) => sequenceNumber % divisor === 0).slice(0, count)
      assert.deepEqual(batch.messages(), left)
      const away = transfer(batch.handOver())
      assert.deepEqual(unpackBatch(away), left)
      assert.equal(batch.count, left.length)
      batch.takeBack(transfer(away))
      assert.deepEqual(batch.messages(), left)
      assert.equal(outstanding(), 1)
    }),
    RUNS
  )
})

test('the ranges of a batch have its numbers and no others, and neighbours are one range', () => {
  fc.assert(
    fc.property(stored, (gaps) => {
      const messages = numbered(gaps)
      const ranges = packBatch(messages).ranges()
      const numbers = ranges.flatMap(({ first, last }) =>
        Array.from({ length: last - first + 1 }, (_, index) => first + index)
      )
      assert.deepEqual(
        numbers,
        messages.map(({ sequenceNumber }) => sequenceNumber)
      )
      for (const [index, { first }] of ranges.entries()) if (index > 0) assert.ok(first > ranges[index - 1]!.last + 1)
    }),
    RUNS
  )
})

test('nobody looks at a batch that is away, and one that never comes back owes the pool nothing', () => {
  const { pool, outstanding } = createDirtyPool(0)
  const batch: MessageBatch = packBatch([{ sequenceNumber: 1, ingestTimeMs: 2, payload: Buffer.from('x') }], pool)
  transfer(batch.handOver())
  assert.throws(() => batch.messageAt(0), /handed over/)
  assert.throws(() => batch.numberAt(0), /is here/)
  assert.throws(() => batch.handOver(), /handed over once/)
  batch.release()
  assert.equal(outstanding(), 1, 'the memory is where it was lost')
})

test('a batch takes no more messages than it was made for', () => {
  const writer = new BatchWriter(createDirtyPool(0).pool, 1, 10)
  writer.take(1, 2, Buffer.from('x'))
  assert.throws(() => writer.take(2, 2, Buffer.from('y')), /no more messages/)
})
