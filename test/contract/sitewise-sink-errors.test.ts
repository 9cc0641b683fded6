import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { BatchPutAssetPropertyValueErrorCode } from '@aws-sdk/client-iotsitewise'
import type { SiteWiseExport } from '../../component/model/export-definition.ts'
import { createSiteWiseSink } from '../../component/sinks/sitewise/sink.ts'
import type { ErrorClass } from '../helpers/aws-wire/error-class.ts'
import { MESSAGES, POISON, testErrors, type ErrorScene } from '../helpers/aws-wire/sink-errors.ts'
import { startWireExport } from '../helpers/aws-wire/wire-export.ts'
import { localSiteWiseClient, startStrictSiteWise } from '../helpers/strict-sitewise.ts'

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

const definition: SiteWiseExport = { kind: 'sitewise', identifier: 'w' }
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

async function start(payloads: readonly Buffer[]): Promise<ErrorScene<string>> {
  const cloud = await startStrictSiteWise()
  const client = localSiteWiseClient(cloud.server.origin)
  after(() => {
    client.config.requestHandler.destroy?.()
    return cloud.server.close()
  })
  const numbers = (): number[] =>
    [...cloud.kept.values()].map((value) => (JSON.parse(value) as { integerValue: number }).integerValue)
  const wire = startWireExport(definition, payloads, (clock) => createSiteWiseSink({ client, clock }))
  return { cloud, wire, arrived: numbers }
}

test('the codes of entries are complete', () => {
  assert.deepEqual(Object.keys(ENTRY_ERRORS), Object.values(BatchPutAssetPropertyValueErrorCode).sort())
})

testErrors<string>({
  service: 'iotsitewise',
  operation: 'BatchPutAssetPropertyValue',
  requestErrors: REQUEST_ERRORS,
  messageErrors: ENTRY_ERRORS,
  // One among others, then alone until it is given up.
  refusals: { ConflictingOperationException: 6 },
  isPoison: (address) => address === `/${POISON}`,
  start: () => start(Array.from({ length: MESSAGES }, (_, number) => payloadOf(number)))
})

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
  const { wire, arrived } = await start(payloads)
  await wire.finish()
  assert.equal(wire.skipped, broken.length)
  assert.deepEqual([...arrived()].sort(), [20, 21, 22, 23])
})
