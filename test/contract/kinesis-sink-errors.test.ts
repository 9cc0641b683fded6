import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import type { KinesisExport } from '../../component/model/export-definition.ts'
import { createShardDirectory, type ShardDirectory } from '../../component/sinks/kinesis/shard-directory.ts'
import {
  COMMON_CONTENT_ERRORS,
  COMMON_ERRORS,
  documentedErrors,
  type ServiceError
} from '../helpers/aws-model/errors.ts'
import type { KinesisProxy } from '../helpers/aws-wire/kinesis-proxy.ts'
import { assertClass, type ErrorClass } from '../helpers/aws-wire/error-class.ts'
import { startWireExport, type WireExport } from '../helpers/aws-wire/wire-export.ts'
import {
  localKinesisSink,
  startEmulatedKinesis,
  UNKNOWN_SHARDS,
  type EmulatedKinesis
} from '../helpers/kinesis-fixture.ts'

/** Every error that the documentation of PutRecords names: none of them says that a record is to blame (behaviour 6.6). */
const PUT_ERRORS: readonly string[] = [
  'AccessDeniedException',
  'DryRunOperationException',
  'InternalFailureException',
  'InvalidArgumentException',
  'KMSAccessDeniedException',
  'KMSDisabledException',
  'KMSInvalidStateException',
  'KMSNotFoundException',
  'KMSOptInRequired',
  'KMSThrottlingException',
  'ProvisionedThroughputExceededException',
  'ResourceNotFoundException'
]

/** Every error that the documentation of ListShards names: with any of them the export goes on without knowing the shards. */
const LIST_ERRORS: readonly string[] = [
  'AccessDeniedException',
  'ExpiredNextTokenException',
  'InvalidArgumentException',
  'LimitExceededException',
  'ResourceInUseException',
  'ResourceNotFoundException'
]

/** What services say of content that is too large, and of content in general. */
const CONTENT_ERRORS: readonly (readonly [ErrorClass, ServiceError])[] = [
  ['skip', { name: 'RequestEntityTooLargeException', status: 413 }],
  [
    'skip',
    {
      name: 'ValidationException',
      status: 400,
      message:
        "1 validation error detected: Value at 'records.1.member.data' failed to satisfy constraint: Member must have length less than or equal to 1048576"
    }
  ],
  ['skip', { name: 'InvalidArgumentException', status: 400, message: 'Records size exceeds 5 MB limit' }],
  [
    'wait',
    {
      name: 'ValidationException',
      status: 400,
      message:
        "Value 'a b' at 'streamName' failed to satisfy constraint: Member must satisfy regular expression pattern"
    }
  ],
  ['wait', { name: 'ValidationError', status: 400 }]
]

const definition: KinesisExport = { kind: 'kinesis', identifier: 'k', kinesisStreamName: 'target' }
const COUNT = 7
const POISON = 3

let kinesis: EmulatedKinesis
let proxy: KinesisProxy
let earlier = 0

before(async () => {
  kinesis = await startEmulatedKinesis()
  proxy = kinesis.proxy
})
after(() => kinesis.close())
afterEach(async () => {
  proxy.refuse = () => undefined
  proxy.failRecord = () => undefined
  earlier = (await kinesis.payloads()).length
  assert.deepEqual(proxy.gate.violations, [])
})

function start(
  shardsOf: (clock: Parameters<typeof createShardDirectory>[1]) => ShardDirectory = () => UNKNOWN_SHARDS
): WireExport {
  const payloads = Array.from({ length: COUNT }, (_, number) => Buffer.from(String(number)))
  return startWireExport(definition, payloads, (clock) => localKinesisSink(kinesis.client, undefined, shardsOf(clock)))
}

const arrived = async (): Promise<number[]> =>
  (await kinesis.payloads()).slice(earlier).map((payload) => Number(payload.toString()))
const isPoison = (payload: Buffer): boolean => payload.toString() === String(POISON)

test('the tables are complete', () => {
  const names = (operation: string): string[] => documentedErrors('kinesis', operation).map(({ name }) => name)
  assert.deepEqual(PUT_ERRORS, names('PutRecords').sort())
  assert.deepEqual(LIST_ERRORS, names('ListShards').sort())
  const content = new Set(CONTENT_ERRORS.map(([, { name }]) => name))
  for (const { name } of COMMON_CONTENT_ERRORS) assert.ok(content.has(name), name)
})

/** Only errors about the content are judged by their words. */
const WORDS_OF_SIZES = 'the size exceeds a limit'
const waiting = [
  ...documentedErrors('kinesis', 'PutRecords'),
  ...COMMON_ERRORS.filter(({ name }) => !PUT_ERRORS.includes(name))
].map((error) => (error.name === 'InvalidArgumentException' ? error : { ...error, message: WORDS_OF_SIZES }))
for (const [expected, error] of [...waiting.map((each) => ['wait', each] as const), ...CONTENT_ERRORS]) {
  test(`a request that meets ${error.name}${error.message === undefined ? '' : ` (${error.message})`}: ${expected}`, async () => {
    const wire = start()
    let refused = 0
    proxy.refuse = (operation, payloads) => {
      if (operation !== 'PutRecords' || !payloads.some(isPoison)) return undefined
      refused += 1
      return error
    }
    const heal = (): void => void (proxy.refuse = () => undefined)
    await assertClass(expected, error, { wire, refused: () => refused, heal, arrived }, COUNT, POISON)
  })
}

// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecordsResultEntry.html names the first two.
for (const name of [
  'ProvisionedThroughputExceededException',
  'InternalFailure',
  ...PUT_ERRORS.filter((each) => each.startsWith('KMS')),
  'SomethingNewException'
]) {
  test(`a record that meets ${name}: wait`, async () => {
    const wire = start()
    let refused = 0
    proxy.failRecord = (payload) => {
      if (!isPoison(payload)) return undefined
      refused += 1
      return name
    }
    const heal = (): void => void (proxy.failRecord = () => undefined)
    await assertClass('wait', { name, status: 200 }, { wire, refused: () => refused, heal, arrived }, COUNT, POISON)
    assert.equal((await arrived()).length, COUNT, 'only the failed record is sent again')
  })
}

for (const error of [...documentedErrors('kinesis', 'ListShards'), ...COMMON_ERRORS, ...COMMON_CONTENT_ERRORS]) {
  test(`a question about shards that meets ${error.name}: the records go all the same`, async () => {
    let asked = 0
    proxy.refuse = (operation) => {
      if (operation === 'PutRecords') return undefined
      asked += 1
      return error
    }
    const from = proxy.requests.length
    const wire = start((clock) => createShardDirectory(kinesis.client, clock))
    await wire.finish()
    assert.equal(asked, 1)
    assert.equal(wire.skipped, 0)
    assert.equal((await arrived()).length, COUNT)
    for (const { body } of proxy.requests.slice(from)) assert.doesNotMatch(body.toString(), /ExplicitHashKey/)
    assert.equal(wire.harness.log.at('WARN').length, 0)
  })
}
