import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { createSiteWiseSink } from '../../component/sinks/sitewise/sink.ts'
import { limitsOf } from '../../component/sinks/limits.ts'
import type { SiteWiseExport } from '../../component/model/export-definition.ts'
import { createExportHarness, createFakeSource, type ExportHarness } from '../helpers/export-harness.ts'
import { createSeededRandom } from '../helpers/seeded-random.ts'
import { localSiteWiseClient, startStrictSiteWise, type StrictSiteWise } from '../helpers/strict-sitewise.ts'

const definition: SiteWiseExport = { kind: 'sitewise', identifier: 'w' }
const NOW_S = 1_700_000_000

interface Sample {
  readonly alias: string
  readonly seconds?: number
  readonly value: number
}

function payloadOf({ alias, seconds = 0, value }: Sample): Buffer {
  return Buffer.from(
    JSON.stringify({
      entryId: 'e',
      propertyAlias: alias,
      propertyValues: [{ value: { integerValue: value }, timestamp: { timeInSeconds: NOW_S + seconds } }]
    })
  )
}

/** Sends all payloads through a real engine, sink and client; its time passes as fast as the engine wants. */
async function exportAll(cloud: StrictSiteWise, payloads: readonly Buffer[]): Promise<ExportHarness> {
  const client = localSiteWiseClient(cloud.server.origin)
  const harness: ExportHarness = createExportHarness({
    limitsOf,
    random: createSeededRandom(1),
    sendBatch: (batch, signal) => sink.send(batch, signal)
  })
  const sink = createSiteWiseSink({ client, clock: harness.clock })
  const source = createFakeSource(harness.clock)
  for (const payload of payloads) source.appendPayload(payload)
  harness.engine.open(source, [definition], new Map())
  for (let turn = 0; harness.saved.get('id-stream/w')?.next !== BigInt(payloads.length); turn += 1) {
    assert.ok(turn < 100_000, 'the export makes progress')
    await harness.flush()
    if (harness.clock.nextTimerMs !== undefined) harness.clock.advance(harness.clock.nextTimerMs)
  }
  client.destroy()
  return harness
}

async function startCloud(): Promise<StrictSiteWise> {
  const cloud = await startStrictSiteWise()
  after(() => cloud.server.close())
  return cloud
}

test('the same property and time eleven times: eleven requests in order, the last value stays', async () => {
  const cloud = await startCloud()
  const payloads = Array.from({ length: 11 }, (_, value) => payloadOf({ alias: '/a', value }))
  const harness = await exportAll(cloud, payloads)
  assert.deepEqual(cloud.violations, [])
  assert.deepEqual(cloud.sizes, Array(11).fill(1))
  assert.equal(cloud.kept.get(`/a@${NOW_S}.0`), '{"integerValue":10}')
  assert.equal(harness.saved.get('id-stream/w')?.processedMessages, 11)
  assert.equal(harness.log.at('WARN').length, 0)
})

test('one malformed message among ten and one of eight days ago are skipped and counted, the rest goes at once', async () => {
  const cloud = await startCloud()
  const payloads = Array.from({ length: 10 }, (_, value) => payloadOf({ alias: `/${value}`, value }))
  payloads[4] = Buffer.from('{"entryId":')
  payloads[7] = payloadOf({ alias: '/old', seconds: -8 * 86_400, value: 0 })
  const harness = await exportAll(cloud, payloads)
  assert.deepEqual(cloud.sizes, [8])
  const progress = harness.saved.get('id-stream/w')
  assert.equal(progress?.skippedMessages, 2)
  assert.equal(progress.processedMessages, 10)
  const bytes = payloads.reduce((sum, each, index) => (index === 4 || index === 7 ? sum : sum + each.length), 0)
  assert.equal(progress.exportedBytes, bytes)
})

test('an offender that the service finds by itself is isolated; nobody else is skipped', async () => {
  const cloud = await startCloud()
  cloud.isPoison = (address) => address === '/13'
  const payloads = Array.from({ length: 30 }, (_, value) => payloadOf({ alias: `/${value}`, value }))
  const harness = await exportAll(cloud, payloads)
  assert.equal(harness.saved.get('id-stream/w')?.skippedMessages, 1)
  assert.equal(cloud.kept.size, 29)
  assert.deepEqual(cloud.violations, [])
})

test('whatever single entries meet, all others arrive, in order for every property and time', async () => {
  const cloud = await startCloud()
  const random = createSeededRandom(7)
  const conflicts = new Map<string, number>()
  cloud.failMessage = (address) => {
    if (address === '/gone') return 'ResourceNotFoundException'
    if (address === '/busy') return 'ConflictingOperationException'
    if (random.fraction() < 0.2) return 'ThrottlingException'
    const seen = conflicts.get(address) ?? 0
    conflicts.set(address, seen + 1)
    return random.fraction() < 0.1 ? 'ConflictingOperationException' : undefined
  }
  const names = ['/a', '/b', '/c', '/a', '/gone', '/d', '/busy']
  const samples = Array.from({ length: 100 }, (_, value) => ({
    alias: names[Math.floor(random.fraction() * names.length)] ?? '/a',
    seconds: Math.floor(random.fraction() * 5),
    value
  }))
  const harness = await exportAll(cloud, samples.map(payloadOf))
  const last = new Map(samples.map(({ alias, seconds, value }) => [`${alias}@${NOW_S + seconds}.0`, value]))
  const expected = [...last]
    .filter(([point]) => !/gone|busy/.test(point))
    .map(([point, value]) => [point, `{"integerValue":${value}}`])
  assert.deepEqual([...cloud.kept].sort(), expected.sort())
  const skipped = samples.filter(({ alias }) => /gone|busy/.test(alias)).length
  assert.equal(harness.saved.get('id-stream/w')?.skippedMessages, skipped)
  assert.deepEqual(cloud.violations, [])
})
