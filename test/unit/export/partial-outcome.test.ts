import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createExportHarness, createFakeSource, httpExport } from '../../helpers/export-harness.ts'

const REJECTED = [
  { index: 0, reason: 'Bad: first' },
  { index: 4, reason: 'Bad: second' }
]

test('messages that a partial answer rejects are skipped, the failed ones sent again, the rest counted', async () => {
  const harness = createExportHarness()
  const source = createFakeSource(harness.clock)
  source.append(6)
  harness.engine.open(source, [httpExport()], new Map())
  await harness.flush()
  await harness.last.answer({ kind: 'partial', failed: [1], rejected: REJECTED, reason: 'Slow: one' })
  assert.deepEqual(
    harness.log.at('WARN').map((line) => line.fields['reason']),
    ['Bad: first', 'Slow: one']
  )
  const progress = harness.saved.get('id-stream/e')
  assert.equal(progress?.next, 1n)
  const [status] = harness.engine.statuses(source.streamId)
  assert.equal(status?.exportedMessagesCount, 5)
  assert.equal(status.exportedBytesFromStream, 30)
  await harness.clock.advanceAsync(750)
  assert.deepEqual(harness.last.numbers, [1])
  await harness.last.answer({ kind: 'delivered' })
  assert.equal(harness.saved.get('id-stream/e')?.next, 6n)
  assert.equal(harness.saved.get('id-stream/e')?.processedMessages, 6)
})

test('after a restart nothing counts twice that is sent again', async () => {
  const before = createExportHarness()
  const source = createFakeSource(before.clock)
  source.append(6)
  before.engine.open(source, [httpExport()], new Map())
  await before.flush()
  await before.last.answer({ kind: 'partial', failed: [1], rejected: REJECTED, reason: 'Slow: one' })
  const saved = before.saved.get('id-stream/e')
  assert.equal(saved?.processedMessages, 1)
  assert.equal(saved.skippedMessages, 1)
  assert.equal(saved.exportedBytes, 0)

  const after = createExportHarness()
  after.engine.open(source, [httpExport()], new Map([['e', saved]]))
  await after.flush()
  assert.deepEqual(after.last.numbers, [1, 2, 3, 4, 5])
  await after.last.answer({ kind: 'partial', failed: [], rejected: [{ index: 3, reason: 'Bad: second' }], reason: '' })
  const [status] = after.engine.statuses(source.streamId)
  assert.equal(status?.exportedMessagesCount, 6)
  assert.equal(status.exportedBytesFromStream, 40)
})

test('a partial answer that only rejects goes on at once and shows the reason', async () => {
  const harness = createExportHarness()
  const source = createFakeSource(harness.clock)
  source.append(4)
  harness.engine.open(source, [httpExport({ batchSize: 2 })], new Map())
  await harness.flush()
  const both = [0, 1].map((index) => ({ index, reason: 'Bad: both' }))
  await harness.last.answer({ kind: 'partial', failed: [], rejected: both, reason: '' })
  assert.deepEqual(harness.last.numbers, [2, 3])
  assert.equal(harness.engine.statuses(source.streamId)[0]?.errorMessage, 'Bad: both')
  assert.deepEqual(
    harness.log.at('WARN').map((line) => line.fields['reason']),
    ['Bad: both']
  )
  await harness.last.answer({ kind: 'delivered' })
  assert.equal(harness.engine.statuses(source.streamId)[0]?.errorMessage, undefined)
})

test('messages that were left out go with the next request, without backoff, error or warning', async () => {
  const harness = createExportHarness()
  const source = createFakeSource(harness.clock)
  source.append(4)
  harness.engine.open(source, [httpExport({ batchSize: 3 })], new Map())
  await harness.flush()
  await harness.last.answer({ kind: 'partial', failed: [], unsent: [1], reason: '' })
  assert.deepEqual(harness.last.numbers, [1], 'nothing behind the batch goes before')
  await harness.last.answer({ kind: 'partial', failed: [], unsent: [0], reason: '', waitMs: 40 })
  await harness.clock.advanceAsync(39)
  assert.equal(harness.sent.length, 2)
  await harness.clock.advanceAsync(1)
  assert.deepEqual(harness.last.numbers, [1])
  await harness.last.answer({ kind: 'delivered' })
  assert.deepEqual(harness.last.numbers, [3])
  assert.equal(harness.log.at('WARN').length, 0)
  assert.equal(harness.engine.statuses(source.streamId)[0]?.errorMessage, undefined)
})

test('left out messages do not end an error that lasts', async () => {
  const harness = createExportHarness()
  const source = createFakeSource(harness.clock)
  source.append(2)
  harness.engine.open(source, [httpExport()], new Map())
  await harness.flush()
  await harness.last.answer({ kind: 'retryLater', reason: 'Down: x' })
  await harness.clock.advanceAsync(750)
  await harness.last.answer({ kind: 'partial', failed: [], unsent: [0, 1], reason: '', waitMs: 10 })
  assert.equal(harness.engine.statuses(source.streamId)[0]?.errorMessage, 'Down: x')
  assert.equal(harness.log.at('INFO').length, 0)
  await harness.clock.advanceAsync(10)
  await harness.last.answer({ kind: 'retryLater', reason: 'Down: x' })
  await harness.clock.advanceAsync(1_499)
  assert.equal(harness.sent.length, 3, 'the backoff goes on growing')
  await harness.clock.advanceAsync(1)
  assert.equal(harness.sent.length, 4)
})

test('rejections under an older definition are not believed, acceptance is', async () => {
  const harness = createExportHarness()
  const source = createFakeSource(harness.clock)
  source.append(3)
  harness.engine.open(source, [httpExport()], new Map())
  await harness.flush()
  harness.engine.update(source.streamId, [httpExport({ uri: 'http://localhost/other' })])
  await harness.last.answer({ kind: 'partial', failed: [], rejected: [{ index: 1, reason: 'Bad: one' }], reason: '' })
  assert.deepEqual(harness.last.numbers, [1])
  assert.equal(harness.saved.get('id-stream/e')?.skippedMessages, 0)
})

test('a destination that leaves most for later is offered less, and more again when it takes all', async () => {
  const harness = createExportHarness()
  const source = createFakeSource(harness.clock)
  source.append(300)
  harness.engine.open(source, [httpExport({ batchSize: 100 })], new Map())
  await harness.flush()
  const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index)
  await harness.last.answer({ kind: 'partial', failed: [], unsent: range(10, 100), reason: '', waitMs: 5 })
  const lengths: number[] = []
  for (let request = 0; request < 5; request += 1) {
    await harness.clock.advanceAsync(5)
    lengths.push(harness.last.numbers.length)
    await harness.last.answer({ kind: 'delivered' })
  }
  assert.deepEqual(lengths, [20, 40, 30, 100, 100])
  assert.equal(harness.saved.get('id-stream/e')?.processedMessages, 300)
})

test('unsent messages are not charged to the bandwidth', async () => {
  const harness = createExportHarness({ bandwidthBitsPerSecond: 800_000 })
  const source = createFakeSource(harness.clock)
  source.append(100, 1_000)
  harness.engine.open(source, [httpExport({ batchSize: 100 })], new Map())
  await harness.flush()
  const unsent = Array.from({ length: 99 }, (_, index) => index + 1)
  for (let request = 0; request < 20; request += 1) {
    await harness.last.answer({
      kind: 'partial',
      failed: [],
      unsent: unsent.slice(0, harness.last.numbers.length - 1),
      reason: ''
    })
  }
  assert.equal(harness.saved.get('id-stream/e')?.next, 20n, 'a second of bandwidth is not used up yet')
})
