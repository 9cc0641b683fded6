import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ExportDefinition } from '../../../component/model/export-definition.ts'
import type { StreamDefinition } from '../../../component/model/stream-definition.ts'
import { updateObstacle } from '../../../component/stream/update-rules.ts'

const KINESIS: ExportDefinition = { kind: 'kinesis', identifier: 'k', kinesisStreamName: 'target' }
const CURRENT: StreamDefinition = {
  name: 's',
  maxSizeBytes: 1_048_576n,
  segmentSizeBytes: 16_384,
  strategyOnFull: 'rejectNewData',
  persistence: 'file',
  flushOnWrite: false,
  exports: [KINESIS]
}
const STATUS = { oldestSequenceNumber: 0, newestSequenceNumber: 99, totalBytes: 50_000 }

const obstacle = (change: Partial<StreamDefinition>, current = CURRENT) =>
  updateObstacle(current, { ...current, ...change }, STATUS)

test('what describe returned can be sent back unchanged', () => {
  assert.equal(obstacle({}), undefined)
  const oversized = { ...CURRENT, segmentSizeBytes: 2_000_000 }
  assert.equal(obstacle({ strategyOnFull: 'overwriteOldestData' }, oversized), undefined)
})

test('persistence cannot change', () => {
  assert.deepEqual(obstacle({ persistence: 'memory' }), {
    kind: 'updateNotAllowed',
    message: 'persistence of a message stream cannot be updated'
  })
})

test('maxSize holds what is stored and at least one segment', () => {
  assert.equal(
    obstacle({ maxSizeBytes: 49_999n })?.message,
    'maxSize 49999 is smaller than the current size 50000 of the message stream'
  )
  assert.equal(obstacle({ maxSizeBytes: 50_000n }), undefined)
  assert.equal(
    obstacle({ segmentSizeBytes: 1_048_577 })?.message,
    'streamSegmentSize 1048577 is larger than maxSize 1048576'
  )
  assert.equal(obstacle({ segmentSizeBytes: 1_048_576 }), undefined)
})

test('a changed startSequenceNumber must name a message before the newest one', () => {
  const restartAt = (startSequenceNumber: bigint) => obstacle({ exports: [{ ...KINESIS, startSequenceNumber }] })
  assert.equal(restartAt(98n), undefined)
  assert.deepEqual(restartAt(99n), {
    kind: 'invalidRequest',
    message: 'startSequenceNumber 99 must be less than the newest sequence number 99'
  })
})

test('an unchanged startSequenceNumber, and that of a new export, is free', () => {
  const late: ExportDefinition = { ...KINESIS, startSequenceNumber: 1_000n }
  assert.equal(obstacle({ flushOnWrite: true }, { ...CURRENT, exports: [late] }), undefined)
  assert.equal(obstacle({ exports: [KINESIS, { ...late, identifier: 'other' }] }), undefined)
})
