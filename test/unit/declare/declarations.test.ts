import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Fault } from '../../../component/base/fault.ts'
import { declarationSources, readDeclarations, type Declarations } from '../../../component/declare/index.ts'
import type { StreamDefinition } from '../../../component/model/stream-definition.ts'
import { definitionToWire } from '../../../component/protocol/definition-codec.ts'
import { CLIENT_DEFINITION_RULES, DEVELOPER_DEFINITION_RULES } from '../../../component/protocol/index.ts'

const read = (text: string): Promise<Declarations> =>
  readDeclarations([{ label: 'streams.', read: () => text }], CLIENT_DEFINITION_RULES)
const readJson = (value: unknown): Promise<Declarations> => read(JSON.stringify(value))
const problemsOf = async (value: unknown): Promise<readonly string[]> => (await readJson(value)).problems

const FULL: StreamDefinition = {
  name: 'full',
  maxSizeBytes: 2n ** 63n - 1n,
  segmentSizeBytes: 1_048_576,
  timeToLiveMs: 86_400_000,
  strategyOnFull: 'overwriteOldestData',
  persistence: 'memory',
  flushOnWrite: true,
  exports: [
    { kind: 'http', identifier: 'h', uri: 'https://example.com/', exportFormat: 'jsonBatched', batchSize: 10 },
    { kind: 'iotAnalytics', identifier: 'a', iotChannel: 'c', iotMsgIdPrefix: 'p' },
    { kind: 'kinesis', identifier: 'k', kinesisStreamName: 'stream', batchIntervalMs: 60_000, priority: 3 },
    { kind: 'sitewise', identifier: 's', startSequenceNumber: 7n, disabled: true },
    {
      kind: 's3',
      identifier: 't',
      sizeThresholdForMultipartUploadBytes: 5_242_880n,
      statusConfig: { statusLevel: 'info', statusStreamName: 'status' }
    }
  ]
}

const YAML = `
definitions:
  - name: full
    maxSize: 9223372036854775807
    streamSegmentSize: 1048576
    timeToLiveMillis: 86400000
    strategyOnFull: OverwriteOldestData
    persistence: Memory
    flushOnWrite: true
    exportDefinition:
      http: [{ identifier: h, uri: 'https://example.com/', exportFormat: JSON_BATCHED, batchSize: 10 }]
      iotAnalytics: [{ identifier: a, iotChannel: c, iotMsgIdPrefix: p }]
      kinesis: [{ identifier: k, kinesisStreamName: stream, batchIntervalMillis: 60000, priority: 3 }]
      iotSitewise: [{ identifier: s, startSequenceNumber: 7, disabled: true }]
      s3TaskExecutor:
        - identifier: t
          sizeThresholdForMultipartUploadBytes: 5242880
          statusConfig: { statusLevel: INFO, statusStreamName: status }
delete: [old]
`

describe('declarations', () => {
  it('are read from YAML with the names of the client libraries', async () => {
    assert.deepEqual(await read(YAML), {
      streams: [{ definition: FULL, allowDataLoss: false }],
      deletions: ['old'],
      problems: []
    })
  })

  it('are read from the JSON of a request, whose enums are numbers', async () => {
    const wire = JSON.stringify(definitionToWire(FULL), (_, value: unknown) =>
      typeof value === 'bigint' ? value.toString() : value
    )
    const { streams, problems } = await read(`{"definitions":[${wire}]}`)
    assert.deepEqual([streams[0]?.definition, problems], [FULL, []])
  })

  it('are read where the cloud or a nucleus has made texts of all scalars', async () => {
    const { streams, problems } = await readJson([
      { name: 'a', maxSize: '2048', strategyOnFull: '1', flushOnWrite: 'True', allowDataLoss: 'true' },
      { name: 'b', streamSegmentSize: 5.24288e6, strategyOnFull: 'reject_new_data' }
    ])
    assert.deepEqual(problems, [
      'streams.definitions[0].strategyOnFull: must be one of RejectNewData, OverwriteOldestData.'
    ])
    assert.equal(streams[0]?.definition.segmentSizeBytes, 5_242_880)
  })

  it('may have sizes and durations with their units, and numbers of choices, also in YAML', async () => {
    const text = '- { name: a, maxSize: 2 MiB, timeToLiveMillis: 7d, strategyOnFull: 0, persistence: 1 }'
    const { streams, problems } = await read(text)
    assert.deepEqual(problems, [])
    const { maxSizeBytes, timeToLiveMs, strategyOnFull, persistence } = streams[0]!.definition
    assert.deepEqual(
      [maxSizeBytes, timeToLiveMs, strategyOnFull, persistence],
      [2_097_152n, 604_800_000, 'rejectNewData', 'memory']
    )
  })

  it('have the defaults of a request', async () => {
    const { streams } = await readJson([{ name: 'a', strategyOnFull: 0, allowDataLoss: true }])
    assert.deepEqual(streams, [
      {
        definition: {
          name: 'a',
          maxSizeBytes: 268_435_456n,
          segmentSizeBytes: 16_777_216,
          strategyOnFull: 'rejectNewData',
          persistence: 'file',
          flushOnWrite: false,
          exports: []
        },
        allowDataLoss: true
      }
    ])
  })

  for (const text of ['{"definitions":"","delete":""}', '{}', '[]', '{"definitions":null}', '# nothing\n'])
    it(`are none in ${JSON.stringify(text)}`, async () => {
      assert.deepEqual(await read(text), { streams: [], deletions: [], problems: [] })
    })
})

describe('problems', () => {
  const good = { name: 'good', strategyOnFull: 'RejectNewData' }
  const withField = (field: object): object => ({ definitions: [good, { ...good, name: 'bad', ...field }] })
  const exportOf = (kind: string, item: object): object => withField({ exportDefinition: { [kind]: [item] } })

  for (const [what, document, problem] of [
    ['a size out of range', withField({ maxSize: 1 }), 'definitions[1].maxSize: must be at least 1024.'],
    [
      'a size that is a word',
      withField({ maxSize: 'large' }),
      'definitions[1].maxSize: must be a size such as 65536, 64k, 256MiB or 1g.'
    ],
    ['a missing strategy', { definitions: [{ name: 'bad' }] }, 'definitions[0].strategyOnFull is required.'],
    [
      'a forbidden name',
      withField({ name: 'a/b' }),
      'definitions[1].name: must match regular expression "^[\\w ,.\\-_]*$".'
    ],
    [
      'a misspelt field',
      withField({ maxsize: 2048 }),
      'definitions[1].maxsize is not known (did you mean "maxSize"?).'
    ],
    ['a field of nobody', withField({ constructor: 1 }), 'definitions[1].constructor is not known.'],
    ['an object for a text', withField({ name: {} }), 'definitions[1].name: must be a text.'],
    [
      'a text for a list',
      withField({ exportDefinition: { http: 'x' } }),
      'definitions[1].exportDefinition.http: must be a list.'
    ],
    [
      'an export out of range',
      exportOf('kinesis', { identifier: 'k', kinesisStreamName: 's', batchSize: 501 }),
      'definitions[1].exportDefinition.kinesis[0].batchSize: must be at most 500.'
    ],
    [
      'a short interval',
      exportOf('kinesis', { identifier: 'k', kinesisStreamName: 's', batchIntervalMillis: 1 }),
      'definitions[1].exportDefinition.kinesis[0].batchIntervalMillis: must be at least 60000.'
    ],
    [
      'a metadata address',
      exportOf('http', { identifier: 'h', uri: 'http://169.254.169.254/' }),
      'definitions[1].exportDefinition.http[0].uri: must not name a link-local or metadata address.'
    ],
    [
      'identifiers given twice',
      withField({ exportDefinition: { iotSitewise: [{ identifier: 'i' }, { identifier: 'i' }] } }),
      'definitions[1]: export identifiers must be unique: i'
    ],
    [
      'a word for allowDataLoss',
      withField({ allowDataLoss: 'yes' }),
      'definitions[1].allowDataLoss: must be a boolean.'
    ],
    ['a stream that is a text', { definitions: [good, 'bad'] }, 'definitions[1]: must be an object.'],
    ['definitions that are a word', { definitions: 'x' }, 'definitions: must be a list.'],
    [
      'a deletion that is no name',
      { definitions: [good], delete: ['a/b'] },
      'delete[0]: must be the name of a stream.'
    ],
    ['another list', { definitions: [good], update: [] }, 'update is not known.']
  ] as const)
    it(`name the path of ${what}, and leave the rest alone`, async () => {
      const { streams, problems } = await readJson(document)
      assert.deepEqual(problems, [`streams.${problem}`])
      assert.ok(streams.every(({ definition }) => definition.name === 'good'))
    })

  it('tell all that is wrong with one stream', async () => {
    const problems = await problemsOf([{ name: '', strategyOnFull: 'Both', maxSize: 1, extra: 1 }])
    assert.equal(problems.length, 4)
  })

  it('leave out a stream that is declared twice, also by two sources, or to be deleted, too', async () => {
    const source = (value: unknown): { label: string; read: () => string } => ({
      label: '',
      read: () => JSON.stringify(value)
    })
    const { streams, deletions, problems } = await readDeclarations(
      [source([good, { ...good, name: 'b' }]), source({ definitions: [good], delete: ['b', 'c'] })],
      CLIENT_DEFINITION_RULES
    )
    assert.deepEqual([streams, deletions], [[], ['c']])
    assert.deepEqual(problems, ['definitions[0].name: good is declared twice.', 'delete: b is also declared.'])
  })

  it('follow the rules of developer mode', async () => {
    const text = JSON.stringify(
      withField({ exportDefinition: { iotSitewise: [{ identifier: 'i', batchIntervalMillis: 1 }] } })
    )
    const { problems } = await readDeclarations([{ label: '', read: () => text }], DEVELOPER_DEFINITION_RULES)
    assert.deepEqual(problems, [])
  })

  for (const [what, text, problem] of [
    ['neither JSON nor YAML', '{"definitions": [', /^streams: it is neither JSON nor YAML: [^\n]+\.$/],
    ['too long', ' '.repeat(4 * 1024 * 1024 + 1), /^streams: it has more than 4194304 bytes\.$/],
    ['a tree of aliases', 'a: &a [x]\ndefinitions: *a', /^streams: it is neither JSON nor YAML: /],
    ['a number', '7', /^streams: must be an object with definitions and delete\.$/]
  ] as const)
    it(`tell a text that is ${what}`, async () => {
      const { problems } = await read(text)
      assert.equal(problems.length, 1)
      assert.match(problems[0]!, problem)
    })

  it('are all that a hostile document leads to', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), fc.jsonValue(), async (definitions, deletions) => {
        for (const value of [definitions, { definitions, delete: deletions }, [definitions]]) {
          const { streams } = await readJson(value)
          for (const { definition } of streams) assert.match(definition.name, /^[\w ,.\-_]{1,255}$/)
        }
      }),
      { numRuns: 300 }
    )
  })
})

describe('the file', () => {
  it('is read whole; what cannot be read is told with its path', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'declarations-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const path = join(folder, 'streams.yaml')
    writeFileSync(path, `\uFEFF${YAML}`)
    const [setting, file] = declarationSources('[]', path)
    assert.deepEqual([setting?.read(), file?.read(), file?.label], ['[]', YAML, `${path}: `])
    assert.deepEqual(declarationSources('', undefined), [])
    mkdirSync(join(folder, 'folder'))
    for (const wrong of ['folder', 'absent']) {
      const sources = declarationSources('', join(folder, wrong))
      assert.throws(() => sources[0]?.read(), Fault)
      const { problems } = await readDeclarations(sources, CLIENT_DEFINITION_RULES)
      assert.ok(problems[0]?.startsWith(`${join(folder, wrong)}: `), problems[0])
    }
  })
})
