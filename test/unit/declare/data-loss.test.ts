import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { dataLosses, type StoredData } from '../../../component/declare/data-loss.ts'
import { differences } from '../../../component/declare/differences.ts'
import type { ExportDefinition } from '../../../component/model/export-definition.ts'
import type { StreamDefinition } from '../../../component/model/stream-definition.ts'
import { definitionOf } from '../../helpers/stream-scene.ts'

const WALL_MS = 1_700_000_000_000
const kinesis = (identifier: string, changes: object = {}): ExportDefinition => ({
  kind: 'kinesis',
  identifier,
  kinesisStreamName: 'k',
  ...changes
})

/** Messages 10 to 29 in two sealed segments, an hour and a minute old, and a fresh active one; 14 are exported. */
const DATA: StoredData = {
  log: {
    oldest: 10,
    next: 30,
    totalBytes: 3_000,
    sealed: [
      { base: 10, next: 18, bytes: 1_000, lastIngestMs: WALL_MS - 3_600_000 },
      { base: 18, next: 25, bytes: 1_000, lastIngestMs: WALL_MS - 90_000 }
    ],
    activeBytes: 1_000,
    activeLastIngestMs: WALL_MS - 70_000
  },
  exportStatuses: [
    {
      exportConfigIdentifier: 'e',
      lastExportedSequenceNumber: 14n,
      exportedBytesFromStream: 0,
      exportedMessagesCount: 15
    }
  ],
  wallMs: WALL_MS
}
const CURRENT = definitionOf('s', { exports: [kinesis('e')] })

describe('data losses', () => {
  const cases: readonly [what: string, change: Partial<StreamDefinition>, losses: string[]][] = [
    [
      'nothing that keeps all data',
      { strategyOnFull: 'overwriteOldestData', maxSizeBytes: 3_000n, flushOnWrite: true },
      []
    ],
    [
      'another persistence',
      { persistence: 'memory', exports: [] },
      ['persistence: all 20 messages are deleted, numbers begin anew']
    ],
    ['a size below what is stored', { maxSizeBytes: 2_999n }, ['maxSize: 3000 bytes are stored']],
    ['a time to live that is over', { timeToLiveMs: 80_000 }, ['timeToLiveMillis: 15 messages expire at once']],
    ['a time to live that is over for all', { timeToLiveMs: 60_000 }, ['timeToLiveMillis: 20 messages expire at once']],
    ['no time to live that is long', { timeToLiveMs: 7_200_000 }, []],
    ['an export that goes with messages to go', { exports: [] }, ['export e: 15 messages are not exported']],
    [
      'an export of batches that becomes one of tasks',
      { exports: [{ kind: 's3', identifier: 'e' }] },
      ['export e: 15 messages are not exported']
    ],
    ['no export that goes elsewhere', { exports: [kinesis('e', { kinesisStreamName: 'other' })] }, []],
    [
      'a skip of an export',
      { exports: [kinesis('e', { startSequenceNumber: 20n })] },
      ['export e: 5 messages are not exported']
    ],
    ['no replay of an export', { exports: [kinesis('e', { startSequenceNumber: 12n })] }, []],
    [
      'several',
      { maxSizeBytes: 2_000n, exports: [kinesis('f')] },
      ['maxSize: 3000 bytes are stored', 'export e: 15 messages are not exported']
    ]
  ]
  for (const [what, change, losses] of cases)
    it(`are told of: ${what}`, () => {
      assert.deepEqual(dataLosses(CURRENT, { ...CURRENT, ...change }, DATA), losses)
    })

  it('are none of an export that has exported all', () => {
    const [status] = DATA.exportStatuses
    const exportStatuses = [{ ...status!, lastExportedSequenceNumber: 29n }]
    assert.deepEqual(dataLosses(CURRENT, { ...CURRENT, exports: [] }, { ...DATA, exportStatuses }), [])
  })

  it('do not count messages that retention has removed', () => {
    const [status] = DATA.exportStatuses
    const exportStatuses = [{ ...status!, lastExportedSequenceNumber: 3n }]
    const losses = dataLosses(CURRENT, { ...CURRENT, exports: [] }, { ...DATA, exportStatuses })
    assert.deepEqual(losses, ['export e: 20 messages are not exported'])
  })

  it('are none that would happen anyway', () => {
    const current = { ...CURRENT, timeToLiveMs: 60_000 }
    assert.deepEqual(dataLosses(current, { ...current, timeToLiveMs: 61_000 }, DATA), [])
  })

  it('are none of a stream that never had a message', () => {
    const log = { ...DATA.log, oldest: 0, next: 0, totalBytes: 0, sealed: [], activeBytes: 0 }
    const data: StoredData = { ...DATA, log, exportStatuses: [] }
    assert.deepEqual(dataLosses(CURRENT, { ...CURRENT, persistence: 'memory', exports: [] }, data), [])
  })
})

describe('differences', () => {
  it('name fields, and exports by kind and identifier', () => {
    const left = definitionOf('s', {
      exports: [kinesis('a', { batchSize: 1 }), { kind: 'sitewise', identifier: 'gone' }]
    })
    const right = definitionOf('s', {
      maxSizeBytes: 2_048n,
      timeToLiveMs: 60_000,
      exports: [kinesis('a', { batchSize: 2 }), kinesis('new')]
    })
    assert.equal(
      differences(left, right),
      'maxSize, kinesis[a].batchSize, iotSitewise[gone], timeToLiveMillis, kinesis[new]'
    )
    assert.equal(differences(left, left), '')
  })

  it('are cut when there are many', () => {
    const exports = Array.from({ length: 20 }, (_, index) => kinesis(`e${index}`))
    assert.match(differences(definitionOf('s'), definitionOf('s', { exports })), /kinesis\[e7\], 12 more$/)
  })
})
