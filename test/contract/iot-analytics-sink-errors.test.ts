import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { IotAnalyticsExport } from '../../component/model/export-definition.ts'
import { createIotAnalyticsSink } from '../../component/sinks/iot-analytics/sink.ts'
import { COMMON_CONTENT_ERRORS, COMMON_ERRORS, documentedErrors } from '../helpers/aws-model/errors.ts'
import { assertClass, type ErrorClass } from '../helpers/aws-wire/error-class.ts'
import { startWireExport, type WireExport } from '../helpers/aws-wire/wire-export.ts'
import { createSeededRandom } from '../helpers/seeded-random.ts'
import {
  localIotAnalyticsClient,
  startStrictIotAnalytics,
  type StrictIotAnalytics
} from '../helpers/strict-iot-analytics.ts'

/** Every error that the documentation names (behaviour 6.6). A missing channel is a matter of configuration. */
const REQUEST_ERRORS: Readonly<Record<string, ErrorClass>> = {
  InternalFailureException: 'wait',
  InvalidRequestException: 'skip',
  ResourceNotFoundException: 'wait',
  ServiceUnavailableException: 'wait',
  ThrottlingException: 'wait'
}

const CONTENT_ERRORS: Readonly<Record<string, ErrorClass>> = {
  RequestEntityTooLargeException: 'skip',
  ValidationError: 'skip',
  ValidationException: 'skip'
}

const definition: IotAnalyticsExport = { kind: 'iotAnalytics', identifier: 'i', iotChannel: 'channel' }
const COUNT = 7
const POISON = 3
const isPoison = (payload: Buffer): boolean => payload.toString() === String(POISON)

async function start(): Promise<{ cloud: StrictIotAnalytics; wire: WireExport }> {
  const cloud = await startStrictIotAnalytics()
  const client = localIotAnalyticsClient(cloud.server.origin)
  after(() => {
    client.config.requestHandler.destroy?.()
    return cloud.server.close()
  })
  const payloads = Array.from({ length: COUNT }, (_, number) => Buffer.from(String(number)))
  const random = createSeededRandom(1)
  return {
    cloud,
    wire: startWireExport(definition, payloads, () => createIotAnalyticsSink({ client, random }, definition))
  }
}

const arrived = (cloud: StrictIotAnalytics): Promise<number[]> =>
  Promise.resolve(cloud.kept.map((payload) => Number(payload.toString())))

test('the tables are complete', () => {
  const names = documentedErrors('iotanalytics', 'BatchPutMessage').map(({ name }) => name)
  assert.deepEqual(Object.keys(REQUEST_ERRORS), names.sort())
  assert.deepEqual(Object.keys(CONTENT_ERRORS), COMMON_CONTENT_ERRORS.map(({ name }) => name).sort())
})

for (const error of [
  ...documentedErrors('iotanalytics', 'BatchPutMessage'),
  ...COMMON_ERRORS.filter(({ name }) => REQUEST_ERRORS[name] === undefined),
  ...COMMON_CONTENT_ERRORS,
  // Of the body as such, in which everything is our own.
  { name: 'SerializationException', status: 400 }
]) {
  const expected = REQUEST_ERRORS[error.name] ?? CONTENT_ERRORS[error.name] ?? 'wait'
  test(`a request that meets ${error.name}: ${expected}`, async () => {
    const { cloud, wire } = await start()
    let refused = 0
    cloud.poison = error
    cloud.isPoison = (payload) => {
      if (!isPoison(payload)) return false
      refused += 1
      return true
    }
    const heal = (): void => void (cloud.isPoison = () => false)
    const refuser = { wire, refused: () => refused, heal, arrived: () => arrived(cloud) }
    await assertClass(expected, error, refuser, COUNT, POISON)
    assert.deepEqual(cloud.violations, [])
  })
}

// The documentation names no codes of single messages: they are those of requests.
for (const name of [...Object.keys(REQUEST_ERRORS), 'SomethingNewException']) {
  const expected = REQUEST_ERRORS[name] ?? 'wait'
  test(`a message that meets ${name}: ${expected}`, async () => {
    const { cloud, wire } = await start()
    let refused = 0
    cloud.failMessage = (payload) => {
      if (!isPoison(payload)) return undefined
      refused += 1
      return name
    }
    const heal = (): void => void (cloud.failMessage = () => undefined)
    const refuser = { wire, refused: () => refused, heal, arrived: () => arrived(cloud) }
    await assertClass(expected, { name, status: 200 }, refuser, COUNT, POISON)
    if (expected === 'skip') assert.equal(refused, 1)
    assert.deepEqual(cloud.violations, [])
  })
}
