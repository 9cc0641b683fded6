import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '../../../component/base/fault.ts'
import { definitionOf, definitionToYaml, parseDefinition } from '../../../component/cli/definition-file.ts'
import { applyFlags, parseExport, withExport } from '../../../component/cli/definition-flags.ts'
import { changesBetween } from '../../../component/cli/define.ts'
import type { StreamDefinition } from '../../../component/model/stream-definition.ts'

const FULL: StreamDefinition = {
  name: 'yes',
  maxSizeBytes: 2n ** 63n - 1n,
  segmentSizeBytes: 2 ** 31 - 1,
  timeToLiveMs: 9_223_372_036_854,
  strategyOnFull: 'rejectNewData',
  persistence: 'memory',
  flushOnWrite: true,
  exports: [
    {
      kind: 'http',
      identifier: '1',
      uri: 'http://h/?a=b',
      exportFormat: 'jsonBatched',
      startSequenceNumber: 2n ** 63n - 1n
    },
    { kind: 'iotAnalytics', identifier: 'true', iotChannel: '0x10', iotMsgIdPrefix: 'null' },
    {
      kind: 'kinesis',
      identifier: ' ',
      kinesisStreamName: '1e3',
      batchSize: 500,
      batchIntervalMs: 60_000,
      priority: 1
    },
    { kind: 'sitewise', identifier: 'null', disabled: true },
    {
      kind: 's3',
      identifier: '-',
      sizeThresholdForMultipartUploadBytes: 5_242_880n,
      statusConfig: { statusLevel: 'trace', statusStreamName: '2026-11-24' }
    }
  ]
}

const readBack = async (text: string): Promise<StreamDefinition> => definitionOf(await parseDefinition(text))

test('a definition comes back from its document, whatever its texts look like', async () => {
  const minimal: StreamDefinition = {
    name: 'x',
    maxSizeBytes: 1024n,
    segmentSizeBytes: 1024,
    strategyOnFull: 'overwriteOldestData',
    persistence: 'file',
    flushOnWrite: false,
    exports: []
  }
  for (const definition of [{ ...FULL, name: '007' }, { ...FULL, name: 'a - b' }, minimal]) {
    const yaml = await definitionToYaml(definition)
    assert.deepEqual(await readBack(yaml), definition, yaml)
    assert.equal(changesBetween(definition, definition), '')
  }
  assert.ok(!(await definitionToYaml(minimal)).includes('exportDefinition'))
})

test('JSON, numbers of enums and units are read as well', async () => {
  const definition = await readBack(
    '{"name":"s","maxSize":"2 MiB","timeToLiveMillis":"7d","strategyOnFull":1,"persistence":"memory","exportDefinition":{"kinesis":[{"identifier":"k","kinesisStreamName":"t","batchIntervalMillis":"2m"}],"http":null}}'
  )
  const { maxSizeBytes, timeToLiveMs, strategyOnFull, persistence, exports } = definition
  assert.deepEqual(
    [maxSizeBytes, timeToLiveMs, strategyOnFull, persistence],
    [2n * 1024n ** 2n, 604_800_000, 'overwriteOldestData', 'memory']
  )
  assert.deepEqual(exports, [{ kind: 'kinesis', identifier: 'k', kinesisStreamName: 't', batchIntervalMs: 120_000 }])
})

for (const [what, text, problem] of [
  ['a misspelt key', 'maxSise: 1', /maxSise is not known \(did you mean "maxSize"\?\)/],
  [
    'a misspelt key of an export',
    'exportDefinition: { kinesis: [{ bachSize: 1 }] }',
    /exportDefinition\.kinesis\[0\]\.bachSize is not known/
  ],
  ['an unknown kind of export', 'exportDefinition: { sqs: [] }', /exportDefinition\.sqs is not known/],
  ['a misspelt choice', 'strategyOnFull: RejectNewDate', /must be one of .* \(did you mean "RejectNewData"\?\)/],
  ['a size that is none', 'maxSize: large', /maxSize: must be a size such as/],
  ['a list for an object', '- 1', /must be an object/],
  ['an object for a list', 'exportDefinition: { http: {} }', /exportDefinition\.http: must be a list/],
  ['an object for a value', 'maxSize: {}', /maxSize: must be an integer/],
  ['no YAML', 'a: [', /is neither JSON nor YAML/],
  ['an alias', 'a: &x 1\nb: *x', /is neither JSON nor YAML/],
  ['nothing', '', /must be an object/]
] as const) {
  test(`a document with ${what} is refused`, async () => {
    await assert.rejects(readBack(text), (error: Error) => error instanceof Fault && problem.test(error.message))
  })
}

test('every problem of a document is named at once', async () => {
  await assert.rejects(
    parseDefinition('maxSise: 1\nstrategyOnFull: none'),
    /maxSise is not known .* strategyOnFull: must/
  )
  await assert.rejects(
    readBack('name: a/b\nmaxSize: 5\nstrategyOnFull: 1'),
    /name: must match .* maxSize: must be at least 1024\./
  )
  await assert.rejects(
    readBack(
      'name: s\nstrategyOnFull: 1\nexportDefinition: { IotSitewise: [{ identifier: a }], kinesis: [{ identifier: a, kinesisStreamName: b }] }'
    ),
    /export identifiers must be unique: a/
  )
})

test('options give the same as a document', () => {
  const flags = applyFlags(new Map([['name', 's']]), {
    'max-size': '2MiB',
    'segment-size': '64k',
    ttl: '7d',
    'on-full': 'reject',
    persistence: 'memory',
    flush: 'yes',
    export: [
      'kinesis:identifier=7,kinesisStreamName=8,batchSize=9,disabled=true,startSequenceNumber=9223372036854775807',
      's3:identifier=f,statusLevel=WARN,statusStreamName=st',
      'http:identifier=h,uri=http://x/?a=b'
    ]
  })
  assert.deepEqual(definitionOf(flags), {
    name: 's',
    maxSizeBytes: 2_097_152n,
    segmentSizeBytes: 65_536,
    timeToLiveMs: 604_800_000,
    strategyOnFull: 'rejectNewData',
    persistence: 'memory',
    flushOnWrite: true,
    exports: [
      { kind: 'http', identifier: 'h', uri: 'http://x/?a=b' },
      {
        kind: 'kinesis',
        identifier: '7',
        kinesisStreamName: '8',
        batchSize: 9,
        disabled: true,
        startSequenceNumber: 2n ** 63n - 1n
      },
      { kind: 's3', identifier: 'f', statusConfig: { statusLevel: 'warn', statusStreamName: 'st' } }
    ]
  })
  assert.equal(applyFlags(flags, { ttl: 'none' }).has('timeToLiveMillis'), false)
})

test('an export takes the place of the one with its identifier, also of another kind', () => {
  const first = withExport(undefined, 'kinesis', parseExport('kinesis:identifier=a,kinesisStreamName=x').map)
  const second = withExport(first, 'sitewise', parseExport('sitewise:identifier=a').map)
  assert.deepEqual(
    [(second.get('kinesis') as unknown[]).length, (second.get('IotSitewise') as unknown[]).length],
    [0, 1]
  )
})

for (const text of ['kinesis', 'sqs:identifier=a', 'http:identifier', 'http:identifer=a', 'kinesis:=x']) {
  test(`an export is refused on the command line: ${text}`, () => {
    assert.throws(() => parseExport(text), /--export/)
  })
}
