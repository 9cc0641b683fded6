import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { BatchPutAssetPropertyValueErrorCode } from '@aws-sdk/client-iotsitewise'
import type { SiteWiseExport } from '../../component/model/export-definition.ts'
import { createSiteWiseSink } from '../../component/sinks/sitewise/sink.ts'
import { COMMON_CONTENT_ERRORS, COMMON_ERRORS, documentedErrors } from '../helpers/aws-model/errors.ts'
import { assertClass, type ErrorClass } from '../helpers/aws-wire/error-class.ts'
import { startWireExport, type WireExport } from '../helpers/aws-wire/wire-export.ts'
import { localSiteWiseClient, startStrictSiteWise, type StrictSiteWise } from '../helpers/strict-sitewise.ts'

/** Every error that the documentation names, for a whole request (behaviour 6.6; 9, item 7). */
const REQUEST_ERRORS: Readonly<Record<string, ErrorClass>> = {
  ConflictingOperationException: 'skip',
  InternalFailureException: 'wait',
  InvalidRequestException: 'skip',
  LimitExceededException: 'wait',
  ResourceNotFoundException: 'wait',
  ServiceUnavailableException: 'wait',
  ThrottlingException: 'wait'
}

/** Every error that the documentation names, for one entry (behaviour 9). */
const ENTRY_ERRORS: Readonly<Record<string, ErrorClass>> = {
  AccessDeniedException: 'wait',
  ConflictingOperationException: 'skip',
  InternalFailureException: 'wait',
  InvalidRequestException: 'skip',
  LimitExceededException: 'wait',
  ResourceNotFoundException: 'skip',
  ServiceUnavailableException: 'wait',
  ThrottlingException: 'wait',
  TimestampOutOfRangeException: 'skip'
}

const CONTENT_ERRORS: Readonly<Record<string, ErrorClass>> = {
  RequestEntityTooLargeException: 'skip',
  ValidationError: 'skip',
  ValidationException: 'skip'
}

const definition: SiteWiseExport = { kind: 'sitewise', identifier: 'w' }
const COUNT = 7
const POISON = 3
const NOW_S = 1_700_000_000

const payloadOf = (number: number, fields: object = {}, value: object = {}): Buffer =>
  Buffer.from(
    JSON.stringify({
      entryId: `e${number}`,
      propertyAlias: `/${number}`,
      propertyValues: [{ value: { integerValue: number }, timestamp: { timeInSeconds: NOW_S }, ...value }],
      ...fields
    })
  )

async function start(payloads: readonly Buffer[]): Promise<{ cloud: StrictSiteWise; wire: WireExport }> {
  const cloud = await startStrictSiteWise()
  const client = localSiteWiseClient(cloud.server.origin)
  after(() => {
    client.config.requestHandler.destroy?.()
    return cloud.server.close()
  })
  return { cloud, wire: startWireExport(definition, payloads, (clock) => createSiteWiseSink({ client, clock })) }
}

const startNumbered = (): ReturnType<typeof start> =>
  start(Array.from({ length: COUNT }, (_, number) => payloadOf(number)))

const arrived = (cloud: StrictSiteWise): Promise<number[]> =>
  Promise.resolve([...cloud.kept.values()].map((value) => (JSON.parse(value) as { integerValue: number }).integerValue))

test('the tables are complete', () => {
  const names = documentedErrors('iotsitewise', 'BatchPutAssetPropertyValue').map(({ name }) => name)
  assert.deepEqual(Object.keys(REQUEST_ERRORS), names.sort())
  assert.deepEqual(Object.keys(ENTRY_ERRORS), Object.values(BatchPutAssetPropertyValueErrorCode).sort())
  assert.deepEqual(Object.keys(CONTENT_ERRORS), COMMON_CONTENT_ERRORS.map(({ name }) => name).sort())
})

for (const error of [
  ...documentedErrors('iotsitewise', 'BatchPutAssetPropertyValue'),
  ...COMMON_ERRORS.filter(({ name }) => REQUEST_ERRORS[name] === undefined),
  ...COMMON_CONTENT_ERRORS
]) {
  const expected = REQUEST_ERRORS[error.name] ?? CONTENT_ERRORS[error.name] ?? 'wait'
  test(`a request that meets ${error.name}: ${expected}`, async () => {
    const { cloud, wire } = await startNumbered()
    let refused = 0
    cloud.poison = error
    cloud.isPoison = (address) => {
      if (address !== `/${POISON}`) return false
      refused += 1
      return true
    }
    const heal = (): void => void (cloud.isPoison = () => false)
    const refuser = { wire, refused: () => refused, heal, arrived: () => arrived(cloud) }
    await assertClass(expected, error, refuser, COUNT, POISON)
    assert.deepEqual(cloud.violations, [])
  })
}

for (const name of [...Object.keys(ENTRY_ERRORS), 'SomethingNewException']) {
  const expected = ENTRY_ERRORS[name] ?? 'wait'
  test(`an entry that meets ${name}: ${expected}`, async () => {
    const { cloud, wire } = await startNumbered()
    let refused = 0
    cloud.failEntry = (address) => {
      if (address !== `/${POISON}`) return undefined
      refused += 1
      return name
    }
    const heal = (): void => void (cloud.failEntry = () => undefined)
    const refuser = { wire, refused: () => refused, heal, arrived: () => arrived(cloud) }
    await assertClass(expected, { name, status: 200 }, refuser, COUNT, POISON)
    if (expected === 'skip') assert.equal(refused, name === 'ConflictingOperationException' ? 6 : 1)
    assert.deepEqual(cloud.violations, [])
  })
}

test('entries that the model does not allow are skipped one by one, all others arrive', async () => {
  const UUID = '1db7ac6a-0a2a-4b5e-8a30-0c5d4a3f7b11'
  const broken = [
    payloadOf(0, { propertyAlias: '/0', assetId: 'no uuid', propertyId: UUID }),
    payloadOf(1, { propertyAlias: 5, assetId: UUID, propertyId: UUID }),
    payloadOf(2, { propertyAlias: 'a'.repeat(2_049) }),
    payloadOf(3, { propertyAlias: '/\u0007' }),
    payloadOf(4, {}, { value: { integerValue: 'text' } }),
    payloadOf(5, {}, { value: { integerValue: 2 ** 31 } }),
    payloadOf(6, {}, { value: { doubleValue: '1.5' } }),
    payloadOf(7, {}, { value: { booleanValue: 1 } }),
    payloadOf(8, {}, { quality: 'good' }),
    payloadOf(9, {}, { timestamp: { timeInSeconds: 9_223_372_036_854_776 } })
  ]
  const good = [
    payloadOf(20, { entryId: undefined }),
    payloadOf(21, { propertyAlias: null, assetId: UUID, propertyId: UUID }),
    payloadOf(22, {}, { quality: 'UNCERTAIN' }),
    payloadOf(23)
  ]
  const payloads = broken.flatMap((each, index) => [each, ...good.slice(index, index + 1)])
  const { cloud, wire } = await start(payloads)
  await wire.finish()
  assert.equal(wire.skipped, broken.length)
  assert.deepEqual((await arrived(cloud)).sort(), [20, 21, 22, 23])
})
