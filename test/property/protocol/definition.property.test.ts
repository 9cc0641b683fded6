import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { BATCH_SIZE_MAX, type ExportDefinition, STATUS_LEVELS } from '../../../component/model/export-definition.ts'
import type { StreamDefinition } from '../../../component/model/stream-definition.ts'
import { decodeDefinition, encodeDefinition } from '../../../component/protocol/index.ts'

const name = fc.stringMatching(/^[\w ,.\-_]{1,255}$/)
const int64 = (min: bigint): fc.Arbitrary<bigint> => fc.bigInt({ min, max: 2n ** 63n - 1n })
const duration = (min: number): fc.Arbitrary<number> => fc.integer({ min, max: 9_223_372_036_854 })
const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 })

const common = { identifier: name, priority: fc.integer({ min: 1, max: 10 }), disabled: fc.boolean() }
const batched = (batchSizeMax: number) => ({
  ...common,
  batchSize: fc.integer({ min: 1, max: batchSizeMax }),
  batchIntervalMs: duration(1),
  startSequenceNumber: int64(0n)
})
const http = fc.record(
  {
    kind: fc.constant('http' as const),
    uri: text,
    exportFormat: fc.constantFrom('rawNotBatched' as const, 'jsonBatched' as const),
    ...batched(BATCH_SIZE_MAX.http)
  },
  { requiredKeys: ['kind', 'identifier', 'uri'] }
)
const iotAnalytics = fc.record(
  {
    kind: fc.constant('iotAnalytics' as const),
    iotChannel: text,
    iotMsgIdPrefix: fc.string({ maxLength: 32 }),
    ...batched(BATCH_SIZE_MAX.iotAnalytics)
  },
  { requiredKeys: ['kind', 'identifier', 'iotChannel'] }
)
const kinesis = fc.record(
  { kind: fc.constant('kinesis' as const), kinesisStreamName: text, ...batched(BATCH_SIZE_MAX.kinesis) },
  { requiredKeys: ['kind', 'identifier', 'kinesisStreamName'] }
)
const sitewise = fc.record(
  { kind: fc.constant('sitewise' as const), ...batched(BATCH_SIZE_MAX.sitewise) },
  { requiredKeys: ['kind', 'identifier'] }
)
const s3 = fc.record(
  {
    kind: fc.constant('s3' as const),
    ...common,
    sizeThresholdForMultipartUploadBytes: int64(5_242_880n),
    statusConfig: fc.record(
      { statusLevel: fc.constantFrom(...STATUS_LEVELS), statusStreamName: name },
      { requiredKeys: [] }
    )
  },
  { requiredKeys: ['kind', 'identifier'] }
)

const some = <T>(item: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(item, { maxLength: 3 })
const exports: fc.Arbitrary<ExportDefinition[]> = fc
  .tuple(some(http), some(iotAnalytics), some(kinesis), some(sitewise), some(s3))
  .map((lists) => lists.flat())

const definition: fc.Arbitrary<StreamDefinition> = fc.record(
  {
    name,
    maxSizeBytes: int64(1024n),
    segmentSizeBytes: fc.integer({ min: 1024, max: 2 ** 31 - 1 }),
    timeToLiveMs: duration(60_000),
    strategyOnFull: fc.constantFrom('rejectNewData' as const, 'overwriteOldestData' as const),
    persistence: fc.constantFrom('file' as const, 'memory' as const),
    flushOnWrite: fc.boolean(),
    exports
  },
  {
    requiredKeys: [
      'name',
      'maxSizeBytes',
      'segmentSizeBytes',
      'strategyOnFull',
      'persistence',
      'flushOnWrite',
      'exports'
    ]
  }
)

describe('a definition', () => {
  it('comes back as it was stored', () => {
    fc.assert(
      fc.property(definition, (original) => {
        const decoded = decodeDefinition(encodeDefinition(original))
        if (!decoded.ok) assert.fail(decoded.failure.message)
        assert.deepStrictEqual(plain(decoded.value), plain(original))
      }),
      { numRuns: 300 }
    )
  })

  it('that was damaged is a failure or another definition, never an exception', () => {
    fc.assert(
      fc.property(definition, fc.nat(), fc.nat(255), (original, position, byte) => {
        const bytes = Buffer.from(encodeDefinition(original))
        bytes[position % bytes.length] = byte
        decodeDefinition(bytes)
      }),
      { numRuns: 300 }
    )
  })
})

/** Without the prototypes that fast-check gives its records. */
function plain(value: StreamDefinition): StreamDefinition {
  return structuredClone(value)
}
