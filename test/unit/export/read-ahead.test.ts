import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nextTurn } from '../../../component/base/turn.ts'
import { createReadAheads } from '../../../component/export/read-ahead.ts'
import { createDirtyPool } from '../../helpers/dirty-pool.ts'
import { createExportHarness, createFakeSource, httpExport, type FakeSource } from '../../helpers/export-harness.ts'
import { createFakeClock, flush } from '../../helpers/fake-clock.ts'

const DELIVERED = { kind: 'delivered' } as const
const BATCH = 100

/** An engine with one export of `count` messages, whose first batch is under way. */
async function start(count: number, prepare: (source: FakeSource) => void = () => undefined) {
  const harness = createExportHarness()
  const source = createFakeSource(harness.clock)
  source.append(count)
  prepare(source)
  harness.engine.open(source, [httpExport({ batchSize: BATCH })], new Map())
  await harness.flush()
  return { ...harness, harness, source, spans: () => harness.sent.map(({ numbers }) => [numbers[0], numbers.at(-1)]) }
}

test('the next full batch is read while a request is under way, and sent in order without another read', async () => {
  const { harness, source, spans } = await start(3 * BATCH)
  assert.deepEqual([harness.sent.length, source.reads], [1, 2])
  await harness.last.answer(DELIVERED)
  assert.deepEqual([harness.sent.length, source.reads], [2, 3])
  await harness.last.answer(DELIVERED)
  assert.deepEqual([harness.sent.length, source.reads], [3, 3])
  await harness.last.answer(DELIVERED)
  assert.deepEqual(spans(), [
    [0, 99],
    [100, 199],
    [200, 299]
  ])
  assert.equal(harness.saved.get('id-stream/e')?.next, 300n)
})

test('a batch that is not full yet is not read ahead: it may grow', async () => {
  const { harness, source, spans } = await start(2 * BATCH - 1)
  assert.equal(source.reads, 1)
  source.append(50)
  await harness.last.answer(DELIVERED)
  assert.deepEqual(spans(), [
    [0, 99],
    [100, 199]
  ])
})

test('what is behind a moved position is not sent', async (context) => {
  await context.test('by a replay', async () => {
    const { harness, source, spans } = await start(4 * BATCH)
    await harness.last.answer(DELIVERED)
    harness.engine.update(source.streamId, [httpExport({ batchSize: BATCH, startSequenceNumber: 5n })])
    await harness.last.answer(DELIVERED)
    assert.deepEqual(spans().at(-1), [5, 104])
  })
  await context.test('by retention', async () => {
    const { harness, source, spans } = await start(4 * BATCH)
    source.drop(150)
    await harness.last.answer(DELIVERED)
    assert.deepEqual(spans().at(-1), [150, 249])
  })
  await context.test('by a partial success', async () => {
    const { harness, spans } = await start(4 * BATCH)
    await harness.last.answer({ kind: 'partial', failed: [40], reason: 'told so' })
    await harness.clock.advanceAsync(1_000)
    assert.deepEqual(harness.last.numbers, [40], 'only what failed')
    await harness.last.answer(DELIVERED)
    assert.deepEqual(spans().at(-1), [100, 199])
  })
  await context.test('by a rejection', async () => {
    const { harness, spans } = await start(4 * BATCH)
    await harness.last.answer({ kind: 'rejected', reason: 'told so' })
    assert.deepEqual(spans().at(-1), [0, 49])
  })
})

test('what becomes durable behind a range that cannot be read is not lost', async () => {
  const { harness, source } = await start(2 * BATCH, (stream) => {
    for (let number = BATCH; number < 2 * BATCH; number += 1) stream.damage(number)
  })
  assert.equal(source.reads, 2)
  source.append(1)
  await harness.last.answer(DELIVERED)
  assert.deepEqual(harness.last.numbers, [2 * BATCH])
})

test('a failure, a pause of the export and the end give the memory back', async (context) => {
  await context.test('failure', async () => {
    const { harness, source } = await start(2 * BATCH)
    await harness.last.answer({ kind: 'retryLater', reason: 'told so' })
    await harness.clock.advanceAsync(1_000)
    assert.deepEqual(harness.last.numbers[0], 0)
    await harness.last.answer(DELIVERED)
    assert.deepEqual(harness.last.numbers[0], BATCH)
    assert.equal(source.reads, 4)
  })
  await context.test('pause', async () => {
    const { harness, source } = await start(2 * BATCH)
    harness.engine.update(source.streamId, [httpExport({ batchSize: BATCH, disabled: true })])
    await harness.last.answer(DELIVERED)
    assert.equal(source.reads, 2)
    harness.engine.update(source.streamId, [httpExport({ batchSize: BATCH })])
    await harness.flush()
    assert.equal(harness.last.numbers[0], BATCH)
    assert.equal(source.reads, 3)
  })
})

test('all exports together hold so many reads; the oldest is forgotten', async () => {
  const clock = createFakeClock()
  const sources = ['a', 'b', 'c'].map((name) => createFakeSource(clock, name))
  const { pool, outstanding } = createDirtyPool()
  const aheads = createReadAheads(2, pool)
  const reads = sources.map((source) => aheads.of(source))
  for (const [index, ahead] of reads.entries()) {
    sources[index]!.append(3)
    ahead.prepare(1, 2, 1_000)
    await nextTurn()
  }
  for (const ahead of reads) {
    const batch = await ahead.read(1, 2, 1_000)
    assert.deepEqual(batch.ranges(), [{ first: 1, last: 2 }])
    batch.release()
  }
  await flush()
  assert.equal(outstanding(), 0)
  assert.deepEqual(
    sources.map((source) => source.reads),
    [2, 1, 1]
  )
})

test('a read that is asked for otherwise, or failed ahead, is made anew', async () => {
  const source = createFakeSource(createFakeClock())
  source.append(5)
  const { pool, outstanding } = createDirtyPool()
  const ahead = createReadAheads(1, pool).of(source)
  for (const [from, countMax, bytesMax] of [
    [0, 2, 1_000],
    [1, 3, 1_000],
    [1, 2, 999]
  ] as const) {
    ahead.prepare(1, 2, 1_000)
    await nextTurn()
    const batch = await ahead.read(from, countMax, bytesMax)
    batch.release()
  }
  ahead.prepare(1, 2, 1_000)
  await nextTurn()
  ahead.drop()
  const again = await ahead.read(1, 2, 1_000)
  again.release()
  assert.equal(source.reads, 8)
  source.readError = new Error('told so')
  ahead.prepare(1, 2, 1_000)
  await nextTurn()
  await flush()
  source.readError = undefined
  const last = await ahead.read(1, 2, 1_000)
  assert.equal(last.count, 2)
  assert.equal(outstanding(), 1)
  last.release()
  assert.equal(outstanding(), 0)
})

test('what is forgotten before its turn is not read at all', async () => {
  const source = createFakeSource(createFakeClock())
  source.append(5)
  const { pool, outstanding } = createDirtyPool()
  const ahead = createReadAheads(1, pool).of(source)
  ahead.prepare(1, 2, 1_000)
  ahead.drop()
  await nextTurn()
  assert.equal(source.reads, 0)
  ahead.prepare(1, 2, 1_000)
  const taken = await ahead.read(1, 2, 1_000)
  assert.deepEqual([taken.count, source.reads], [2, 1])
  taken.release()
  assert.equal(outstanding(), 0)
})

test('what was taken is given back by whoever took it, not by the next read ahead', async () => {
  const source = createFakeSource(createFakeClock())
  source.append(6)
  const { pool, outstanding } = createDirtyPool()
  const ahead = createReadAheads(1, pool).of(source)
  ahead.prepare(0, 2, 1_000)
  const batch = await ahead.read(0, 2, 1_000)
  ahead.prepare(2, 2, 1_000)
  ahead.drop()
  await flush()
  assert.equal(outstanding(), 1)
  assert.deepEqual(
    batch.messages().map(({ payload }) => payload),
    [Buffer.alloc(10, 0), Buffer.alloc(10, 1)]
  )
  batch.release()
  assert.equal(outstanding(), 0)
})
