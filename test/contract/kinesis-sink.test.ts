import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { ExportBatch, Sink } from '../../component/export/sink.ts'
import { createShardDirectory } from '../../component/sinks/kinesis/shard-directory.ts'
import { limitsOf } from '../../component/sinks/limits.ts'
import type { KinesisExport } from '../../component/model/export-definition.ts'
import { createExportHarness, createFakeSource } from '../helpers/export-harness.ts'
import { createFakeClock } from '../helpers/fake-clock.ts'
import { localKinesisSink, startEmulatedKinesis, UNKNOWN_SHARDS } from '../helpers/kinesis-fixture.ts'

const definition: KinesisExport = { kind: 'kinesis', identifier: 'k', kinesisStreamName: 'target' }
const signal = new AbortController().signal

function batchOf(...payloads: Buffer[]): ExportBatch {
  const messages = payloads.map((payload, sequenceNumber) => ({ sequenceNumber, ingestTimeMs: 0, payload }))
  return { streamName: 's', definition, messages }
}

test('an emulated Kinesis receives every payload, in order within a shard', async () => {
  const kinesis = await startEmulatedKinesis()
  after(() => kinesis.close())
  const sink = localKinesisSink(kinesis.client)
  const payloads = Array.from({ length: 500 }, (_, index) => Buffer.from(`message ${index}`))
  assert.deepEqual(await sink.send(batchOf(...payloads), signal), { kind: 'delivered', waitMs: 0 })
  assert.deepEqual(await kinesis.payloads(), payloads)
})

test('a request that the endpoint finds too large is made in smaller ones from then on', async () => {
  const kinesis = await startEmulatedKinesis()
  after(() => kinesis.close())
  const sink = localKinesisSink(kinesis.client)
  const payloads = Array.from({ length: 9 }, (_, index) => Buffer.alloc(1_000_000, index))
  assert.equal((await sink.send(batchOf(...payloads), signal)).kind, 'delivered')
  assert.equal((await kinesis.payloads()).length, 9)
})

test('the engine skips a record that the stream cannot hold, and only that one', async () => {
  const kinesis = await startEmulatedKinesis()
  after(() => kinesis.close())
  const sink: Sink = localKinesisSink(kinesis.client)
  const harness = createExportHarness({ limitsOf, sendBatch: (batch, abort) => sink.send(batch, abort) })
  const source = createFakeSource(harness.clock)
  source.append(3)
  source.append(1, 1_048_577)
  source.append(3)
  harness.engine.open(source, [definition], new Map())
  const next = (): bigint | undefined => harness.saved.get('id-stream/k')?.next
  while (next() !== 7n) await harness.flush()
  assert.deepEqual(
    (await kinesis.payloads()).map((payload) => payload[0]),
    [0, 1, 2, 4, 5, 6]
  )
  assert.equal(harness.saved.get('id-stream/k')?.skippedMessages, 1)
})

test('a missing stream is waited for, with the phrase that operators search for', async () => {
  const kinesis = await startEmulatedKinesis()
  after(() => kinesis.close())
  const { createKinesisSink } = await import('../../component/sinks/kinesis/sink.ts')
  const { systemRandom } = await import('../../component/base/random.ts')
  const sink = createKinesisSink(
    {
      client: kinesis.client,
      clock: createFakeClock(),
      random: systemRandom,
      shards: UNKNOWN_SHARDS,
      interCallDelayMs: undefined
    },
    { ...definition, kinesisStreamName: 'absent' }
  )
  assert.deepEqual(await sink.send(batchOf(Buffer.from('x')), signal), {
    kind: 'retryLater',
    reason: "ResourceNotFoundException: export stream absent doesn't exist",
    waitMs: 0
  })
})

test('records are spread evenly over known shards, at no more than their rates, and everything arrives', async () => {
  const kinesis = await startEmulatedKinesis(3)
  after(() => kinesis.close())
  let underWay = 0
  const harness = createExportHarness({
    limitsOf,
    async sendBatch(batch, abort) {
      underWay += 1
      const outcome = await sink.send(batch, abort)
      underWay -= 1
      return outcome
    }
  })
  const sink = localKinesisSink(kinesis.client, undefined, createShardDirectory(kinesis.client, harness.clock))
  const source = createFakeSource(harness.clock)
  const COUNT = 4_500
  for (let index = 0; index < COUNT; index += 1) source.appendPayload(Buffer.from(`message ${index}`))
  const startMs = harness.clock.monotonicMs()
  harness.engine.open(source, [definition], new Map())
  while (harness.saved.get('id-stream/k')?.next !== BigInt(COUNT)) {
    await harness.flush()
    // Real requests take none of the clock's time.
    if (underWay === 0 && harness.clock.nextTimerMs !== undefined) harness.clock.advance(harness.clock.nextTimerMs)
  }
  const seconds = (harness.clock.monotonicMs() - startMs) / 1000
  // A burst of one second, then 3000 records a second.
  assert.ok(seconds >= 0.49 && seconds < 0.6, `took ${seconds} s`)
  const shards = await Promise.all([0, 1, 2].map((shard) => kinesis.payloads(shard)))
  for (const shard of shards) assert.ok(Math.abs(shard.length - COUNT / 3) < 100, `${shard.length} in one shard`)
  const arrived = new Set(shards.flat().map((payload) => payload.toString()))
  assert.equal(arrived.size, COUNT)
  assert.equal(shards.flat().length, COUNT)
  assert.equal(harness.log.at('WARN').length, 0)
})
