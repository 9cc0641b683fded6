import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { Sink } from '../../../component/export/sink.ts'
import type { ExportDefinition } from '../../../component/model/export-definition.ts'
import { createIotAnalyticsSink } from '../../../component/sinks/iot-analytics/sink.ts'
import { retryAfterMs } from '../../../component/sinks/retry-after.ts'
import { createSiteWiseSink } from '../../../component/sinks/sitewise/sink.ts'
import { createFakeClock } from '../../helpers/fake-clock.ts'
import { localKinesisClient, localKinesisSink, UNKNOWN_SHARDS } from '../../helpers/kinesis-fixture.ts'
import { answering, startScriptedServer } from '../../helpers/scripted-server.ts'
import { createSeededRandom } from '../../helpers/seeded-random.ts'
import { localIotAnalyticsClient } from '../../helpers/strict-iot-analytics.ts'
import { localSiteWiseClient } from '../../helpers/strict-sitewise.ts'

const WALL_MS = Date.UTC(2023, 10, 15)
const server = await startScriptedServer()
after(() => server.close())
const clock = createFakeClock(WALL_MS)

const entry = {
  propertyAlias: '/a',
  propertyValues: [{ value: { doubleValue: 1 }, timestamp: { timeInSeconds: WALL_MS / 1_000 } }]
}
const definitions = {
  kinesis: { kind: 'kinesis', identifier: 'e', kinesisStreamName: 'target' },
  sitewise: { kind: 'sitewise', identifier: 'e' },
  iotAnalytics: { kind: 'iotAnalytics', identifier: 'e', iotChannel: 'c' }
} as const satisfies Record<string, ExportDefinition>

const sinks: Record<keyof typeof definitions, () => Sink> = {
  kinesis: () => localKinesisSink(localKinesisClient(server.origin), undefined, UNKNOWN_SHARDS, clock),
  sitewise: () => createSiteWiseSink({ client: localSiteWiseClient(server.origin), clock }),
  iotAnalytics: () =>
    createIotAnalyticsSink(
      { client: localIotAnalyticsClient(server.origin), clock, random: createSeededRandom(1) },
      definitions.iotAnalytics
    )
}

const TEN_LATER = 'Wed, 15 Nov 2023 00:00:10 GMT'
/** The destination's clock is ahead of the device's by four seconds. */
const THEIR_DATE = 'Wed, 15 Nov 2023 00:00:04 GMT'

test('retry-after is seconds or a date', () => {
  assert.equal(retryAfterMs('120', undefined, 0), 120_000)
  assert.equal(retryAfterMs(TEN_LATER, undefined, WALL_MS), 10_000)
  assert.equal(retryAfterMs(TEN_LATER, undefined, Date.UTC(2024, 0, 1)), 0)
  assert.equal(retryAfterMs('soon', undefined, 0), undefined)
})

test("a date of retry-after is one of the destination's clock, where the answer tells that", () => {
  for (const wallMs of [0, WALL_MS, Date.UTC(2031, 0, 1)]) {
    assert.equal(retryAfterMs(TEN_LATER, THEIR_DATE, wallMs), 6_000)
    assert.equal(retryAfterMs('7', THEIR_DATE, wallMs), 7_000)
  }
  assert.equal(retryAfterMs(THEIR_DATE, TEN_LATER, WALL_MS), 0)
  assert.equal(retryAfterMs(TEN_LATER, 'today', WALL_MS), 10_000)
})

for (const kind of ['kinesis', 'sitewise', 'iotAnalytics'] as const) {
  test(`${kind}: the pause that an answer asks for is passed on, whoever gives it`, async () => {
    const messages = [{ sequenceNumber: 0, ingestTimeMs: 0, payload: Buffer.from(JSON.stringify(entry)) }]
    const body = JSON.stringify({ __type: 'ServiceUnavailableException', message: 'busy' })
    for (const [header, waitMs, type, text] of [
      ['7', 7_000, 'application/json', body],
      [TEN_LATER, 6_000, 'application/json', body],
      ['9', 9_000, 'text/html', '<html>busy</html>']
    ] as const) {
      server.script = [answering(503, { 'content-type': type, 'retry-after': header, date: THEIR_DATE }, text)]
      const batch = { streamName: 's', definition: definitions[kind], messages }
      const outcome = await sinks[kind]().send(batch, new AbortController().signal)
      assert.equal(outcome.kind, 'retryLater')
      assert.equal(outcome.waitMs, waitMs, header)
    }
  })
}

test('kinesis: it holds also when only a part of the batch had room', async () => {
  const shards = {
    ...UNKNOWN_SHARDS,
    pacerOf: () =>
      Promise.resolve({
        place: () => ({ shards: [{ id: 'shardId-0', startKey: 0n, endKey: 9n }], waitMs: 200 }),
        throttled: () => undefined,
        update: () => undefined
      })
  }
  server.script = [answering(503, { 'retry-after': '7' }, '')]
  const sink = localKinesisSink(localKinesisClient(server.origin), undefined, shards, clock)
  const messages = [0, 1].map((sequenceNumber) => ({ sequenceNumber, ingestTimeMs: 0, payload: Buffer.from('x') }))
  const batch = { streamName: 's', definition: definitions.kinesis, messages }
  const outcome = await sink.send(batch, new AbortController().signal)
  assert.equal(outcome.kind === 'partial' && outcome.waitMs, 7_000)
})
