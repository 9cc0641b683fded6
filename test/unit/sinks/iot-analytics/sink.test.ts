import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { IotAnalyticsExport } from '../../../../component/model/export-definition.ts'
import type { ExportBatch, SendOutcome } from '../../../../component/export/sink.ts'
import { createIotAnalyticsSink } from '../../../../component/sinks/iot-analytics/sink.ts'
import { limitsOf, whyUnavailable } from '../../../../component/sinks/limits.ts'
import { answerJson, answerRestError } from '../../../helpers/aws-json.ts'
import { createExportHarness, createFakeSource } from '../../../helpers/export-harness.ts'
import { createFakeClock } from '../../../helpers/fake-clock.ts'
import { answering } from '../../../helpers/scripted-server.ts'
import { createSeededRandom } from '../../../helpers/seeded-random.ts'
import {
  localIotAnalyticsClient,
  startStrictIotAnalytics,
  type StrictIotAnalytics
} from '../../../helpers/strict-iot-analytics.ts'

const definition: IotAnalyticsExport = { kind: 'iotAnalytics', identifier: 'i', iotChannel: 'channel' }

async function start(): Promise<StrictIotAnalytics> {
  const cloud = await startStrictIotAnalytics()
  after(() => cloud.server.close())
  return cloud
}

function batchOf(...payloads: (string | Buffer)[]): ExportBatch {
  const messages = payloads.map((payload, sequenceNumber) => ({
    sequenceNumber,
    ingestTimeMs: 0,
    payload: Buffer.from(payload)
  }))
  return { streamName: 's', definition, messages }
}

function send(cloud: StrictIotAnalytics, batch: ExportBatch, iotMsgIdPrefix?: string): Promise<SendOutcome> {
  const client = localIotAnalyticsClient(cloud.server.origin)
  const sink = createIotAnalyticsSink(
    { client, clock: createFakeClock(), random: createSeededRandom(1) },
    { ...definition, ...(iotMsgIdPrefix === undefined ? {} : { iotMsgIdPrefix }) }
  )
  return sink.send(batch, new AbortController().signal)
}

test('messages arrive as they are, with new ids behind the prefix', async () => {
  const cloud = await start()
  const bytes = Buffer.from([0, 255, 128, 10])
  assert.deepEqual(await send(cloud, batchOf('one', bytes, ''), 'prefix-'), { kind: 'delivered' })
  assert.deepEqual(cloud.kept, [Buffer.from('one'), bytes, Buffer.alloc(0)])
  assert.equal(new Set(cloud.ids).size, 3)
  for (const id of cloud.ids) assert.match(id, /^prefix-[0-9a-f-]{36}$/)
  assert.deepEqual(cloud.violations, [])
})

test('ids keep within what the service takes, whatever the prefix', async () => {
  const cloud = await start()
  assert.equal((await send(cloud, batchOf('x'), `é${'p'.repeat(200)}`)).kind, 'delivered')
  assert.match(cloud.ids[0] ?? '', /^_p{91}[0-9a-f-]{36}$/)
})

test('the service tells messages apart', async () => {
  const cloud = await start()
  const codes: Record<string, string> = {
    slow: 'ThrottlingException',
    bad: 'InvalidRequestException',
    new: 'SomethingNewException'
  }
  cloud.failMessage = (payload) => codes[payload.toString()]
  assert.deepEqual(await send(cloud, batchOf('good', 'bad', 'new', 'slow')), {
    kind: 'partial',
    failed: [2, 3],
    rejected: [{ index: 1, reason: 'InvalidRequestException: told so' }],
    reason: 'SomethingNewException: told so'
  })
})

test('a message that is larger than the service takes is skipped without being sent', async () => {
  const cloud = await start()
  const reason = 'MessageTooLarge: a message of 131073 bytes'
  assert.deepEqual(await send(cloud, batchOf('a', Buffer.alloc(131_073), Buffer.alloc(131_072))), {
    kind: 'partial',
    failed: [],
    rejected: [{ index: 1, reason }],
    reason: ''
  })
  assert.equal(cloud.kept.length, 2)
  const alone = await send(cloud, batchOf(Buffer.alloc(131_073)))
  assert.deepEqual(alone.kind === 'partial' && alone.rejected, [{ index: 0, reason }])
  assert.equal(cloud.server.requests.length, 1)
})

test('a request that is refused as a whole is left to the engine to cut, but for what was not in it', async () => {
  const cloud = await start()
  cloud.server.script = [answerRestError('InvalidRequestException')]
  assert.deepEqual(await send(cloud, batchOf('a', 'b')), {
    kind: 'rejected',
    reason: 'InvalidRequestException: told so'
  })
  const outcome = await send(cloud, batchOf('a', Buffer.alloc(131_073), 'b'))
  assert.deepEqual(outcome.kind === 'partial' && [outcome.failed, outcome.unsent], [[], [0, 2]])
})

test('everything else is repeated', async () => {
  const cloud = await start()
  for (const answer of [
    answerRestError('ResourceNotFoundException', 'no channel', 404),
    answerRestError('ThrottlingException', 'slow', 429),
    answerJson({}),
    answerJson({ batchPutMessageErrorEntries: [{ messageId: 'unknown', errorCode: 'x', errorMessage: 'y' }] }),
    answering(200, { 'content-type': 'text/html' }, '<html>')
  ]) {
    cloud.server.script = [answer]
    assert.equal((await send(cloud, batchOf('a'))).kind, 'retryLater')
  }
})

test('a page of somebody else is told as such, without a word of it', async () => {
  const cloud = await start()
  cloud.server.script = [answering(200, { 'content-type': 'text/html' }, '<html>Please log in</html>')]
  assert.deepEqual(await send(cloud, batchOf('a')), {
    kind: 'retryLater',
    reason: 'InvalidResponse: the answer cannot be read'
  })
})

test('without an endpoint of its own an export waits, explains itself, and costs nothing', async () => {
  const environment = { AWS_REGION: 'eu-central-1', AWS_ENDPOINT_URL_KINESIS: 'http://localhost' }
  const harness = createExportHarness({
    limitsOf: (each) => (whyUnavailable(each, environment) === undefined ? limitsOf(each) : undefined),
    whyUnavailable: (each) => whyUnavailable(each, environment)
  })
  const source = createFakeSource(harness.clock)
  harness.engine.open(source, [definition, { ...definition, identifier: 'j' }], new Map())
  source.append(10)
  await harness.clock.advanceAsync(3_600_000)
  assert.equal(harness.sent.length, 0)
  assert.equal(source.reads, 0)
  assert.equal(harness.clock.pendingTimers, 0)
  assert.equal(harness.log.at('WARN').length, 1)
  const [status] = harness.engine.statuses(source.streamId)
  assert.match(status?.errorMessage ?? '', /^ServiceDiscontinued: AWS IoT Analytics ended on 15 December 2025/)
})

test('an endpoint, also the common one, makes the export available', () => {
  assert.equal(whyUnavailable(definition, { AWS_ENDPOINT_URL_IOTANALYTICS: 'http://x' }), undefined)
  assert.equal(whyUnavailable(definition, { AWS_ENDPOINT_URL: 'http://x' }), undefined)
  assert.equal(whyUnavailable({ kind: 'sitewise', identifier: 'w' }, {}), undefined)
})
