import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '../../../component/base/fault.ts'
import type { HttpExport } from '../../../component/model/export-definition.ts'
import type { ExportProgress } from '../../../component/export/source.ts'
import {
  createExportHarness,
  createFakeSource,
  httpExport,
  type ExportHarness,
  type FakeSource
} from '../../helpers/export-harness.ts'

function open(
  fields: Partial<HttpExport> = {},
  remembered?: ExportProgress,
  prepare: (source: FakeSource) => void = () => undefined
): ExportHarness & { source: FakeSource } {
  const harness = createExportHarness()
  const source = createFakeSource(harness.clock)
  prepare(source)
  harness.engine.open(source, [httpExport(fields)], new Map(remembered === undefined ? [] : [['e', remembered]]))
  return Object.assign(harness, { source })
}

function statusOf(harness: ExportHarness): ReturnType<ExportHarness['engine']['statuses']>[number] {
  const [status] = harness.engine.statuses('id-stream')
  assert.ok(status !== undefined)
  return status
}

/** Milliseconds until the next attempt. */
function nextAttemptMs(harness: ExportHarness): number | undefined {
  const atMs = harness.engine.observe('id-stream')[0]?.nextAttemptMs
  return atMs === undefined ? undefined : atMs - harness.clock.wallMs()
}

function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index)
}

test('messages are sent as soon as they are durable, one request at a time, gathering what arrives meanwhile', async () => {
  const h = open()
  assert.deepEqual(statusOf(h), {
    exportConfigIdentifier: 'e',
    lastExportedSequenceNumber: -1n,
    exportedBytesFromStream: 0,
    exportedMessagesCount: 0
  })
  h.source.append(1)
  await h.flush()
  assert.deepEqual(h.last.numbers, [0])
  h.source.append(3)
  await h.flush()
  assert.equal(h.sent.length, 1)
  await h.last.answer({ kind: 'delivered' })
  assert.deepEqual(h.last.numbers, [1, 2, 3])
  await h.last.answer({ kind: 'delivered' })
  assert.deepEqual(statusOf(h), {
    exportConfigIdentifier: 'e',
    lastExportedSequenceNumber: 3n,
    lastExportTimeMs: h.clock.wallMs(),
    exportedBytesFromStream: 40,
    exportedMessagesCount: 4
  })
  assert.equal(h.saved.get('id-stream/e')?.next, 4n)
})

test('a batch holds at most batchSize messages', async () => {
  const h = open({ batchSize: 3 })
  h.source.append(7)
  h.autoAnswer = () => ({ kind: 'delivered' })
  await h.flush()
  assert.deepEqual(
    h.sent.map((send) => send.numbers),
    [numbers(0, 3), numbers(3, 6), numbers(6, 7)]
  )
})

test('an idle export arms no timer', async () => {
  const h = open()
  h.source.append(1)
  await h.flush()
  await h.last.answer({ kind: 'delivered' })
  assert.equal(h.clock.pendingTimers, 0)
})

test('with an interval a batch goes out when it is full or when its oldest message is that old', async () => {
  const h = open({ batchSize: 3, batchIntervalMs: 60_000 })
  h.source.append(1)
  await h.clock.advanceAsync(20_000)
  h.source.append(1)
  await h.clock.advanceAsync(39_999)
  assert.equal(h.sent.length, 0)
  await h.clock.advanceAsync(1)
  assert.deepEqual(h.last.numbers, [0, 1])
  await h.last.answer({ kind: 'delivered' })
  h.source.append(4)
  await h.flush()
  assert.deepEqual(h.last.numbers, [2, 3, 4])
  await h.last.answer({ kind: 'delivered' })
  assert.equal(h.sent.length, 2, 'the last message waits for its interval')
  await h.clock.advanceAsync(60_000)
  assert.deepEqual(h.last.numbers, [5])
})

test('a full batch that one request cannot hold is released as a whole', async () => {
  const harness = createExportHarness({
    limitsOf: () => ({ countMax: 1, bytesMax: 1000, sizeOf: (payloadBytes) => payloadBytes })
  })
  const source = createFakeSource(harness.clock)
  harness.autoAnswer = () => ({ kind: 'delivered' })
  harness.engine.open(source, [httpExport({ batchSize: 3, batchIntervalMs: 60_000 })], new Map())
  source.append(4)
  await harness.flush()
  assert.deepEqual(
    harness.sent.map((send) => send.numbers),
    [[0], [1], [2]]
  )
})

test('failures are repeated for ever with growing delays up to five minutes, and the cursor stays', async () => {
  const h = open()
  h.source.append(2)
  h.autoAnswer = () => ({ kind: 'retryLater', reason: 'HttpError: status 500' })
  await h.flush()
  const delays: number[] = []
  for (let attempt = 0; attempt < 12; attempt += 1) {
    const delayMs = nextAttemptMs(h) ?? 0
    delays.push(delayMs)
    await h.clock.advanceAsync(delayMs)
  }
  assert.deepEqual(delays.slice(0, 4), [750, 1_500, 3_000, 6_000])
  assert.deepEqual(delays.slice(9), [225_000, 225_000, 225_000])
  assert.ok(h.sent.every((send) => send.numbers.join() === '0,1'))
  assert.equal(statusOf(h).lastExportedSequenceNumber, -1n)
  assert.equal(statusOf(h).errorMessage, 'HttpError: status 500')
  h.autoAnswer = () => ({ kind: 'delivered' })
  await h.clock.advanceAsync(300_000)
  assert.equal(statusOf(h).errorMessage, undefined)
  assert.equal(statusOf(h).exportedMessagesCount, 2)
  assert.equal(h.log.at('INFO').at(-1)?.message, 'Export works again')
  h.autoAnswer = undefined
  h.source.append(1)
  await h.flush()
  await h.last.answer({ kind: 'retryLater', reason: 'again' })
  assert.equal(nextAttemptMs(h), 750, 'a success resets the backoff')
})

test('an unchanged failure is logged at most once a minute, a new one at once', async () => {
  const h = open()
  h.source.append(1)
  h.autoAnswer = () => ({ kind: 'retryLater', reason: 'a' })
  await h.clock.advanceAsync(20_000)
  assert.equal(h.sent.length, 5)
  assert.equal(h.log.at('WARN').length, 1)
  h.autoAnswer = () => ({ kind: 'retryLater', reason: 'b' })
  await h.clock.advanceAsync(15_000)
  const told = h.log.at('WARN').map(({ fields }) => [fields['reason'], fields['repeats']])
  assert.deepEqual(told, [
    ['a', undefined],
    ['a', 4],
    ['b', undefined]
  ])
})

test('a destination that comes and goes is told of twice, then once a minute with how often, and last as it is', async () => {
  const h = open()
  let isUp = false
  h.autoAnswer = () => (isUp ? { kind: 'delivered' } : { kind: 'retryLater', reason: 'a' })
  const flap = async (): Promise<void> => {
    isUp = false
    h.source.append(1)
    await h.flush()
    isUp = true
    await h.clock.advanceAsync(1_000)
  }
  for (let time = 0; time < 50; time += 1) await flap()
  const told = (): readonly unknown[] =>
    h.log.entries
      .filter(({ level }) => level !== 'DEBUG')
      .splice(0)
      .map(({ message, fields }) => [message, fields['repeats']])
  const [fails, works] = ['Export failed and will be repeated', 'Export works again']
  const first = [
    [fails, undefined],
    [works, undefined]
  ]
  assert.deepEqual(told(), first)
  await h.clock.advanceAsync(60_000)
  assert.deepEqual(told(), [...first, [fails, 49], [works, 49]])
})

test("the destination's wish for a pause is honoured up to five minutes", async () => {
  const h = open()
  h.source.append(2)
  await h.flush()
  await h.last.answer({ kind: 'retryLater', reason: 'slow', waitMs: 30_000 })
  assert.equal(nextAttemptMs(h), 30_000)
  await h.clock.advanceAsync(30_000)
  await h.last.answer({ kind: 'retryLater', reason: 'slow', waitMs: 86_400_000 })
  assert.equal(nextAttemptMs(h), 300_000)
  await h.clock.advanceAsync(300_000)
  await h.last.answer({ kind: 'delivered', waitMs: 1_000 })
  h.source.append(1)
  await h.clock.advanceAsync(999)
  assert.equal(h.sent.length, 3)
  await h.clock.advanceAsync(1)
  assert.equal(h.sent.length, 4)
})

test('after a partial success only failed messages are sent again, and the cursor moves over the accepted prefix', async () => {
  const h = open({ batchSize: 6 })
  h.source.append(8)
  await h.flush()
  await h.last.answer({ kind: 'partial', failed: [2, 4], reason: 'Throttled: shard' })
  assert.equal(statusOf(h).lastExportedSequenceNumber, 1n)
  assert.equal(statusOf(h).exportedMessagesCount, 4)
  assert.equal(statusOf(h).exportedBytesFromStream, 40)
  assert.equal(statusOf(h).errorMessage, 'Throttled: shard')
  await h.clock.advanceAsync(750)
  assert.deepEqual(h.last.numbers, [2, 4])
  await h.last.answer({ kind: 'partial', failed: [0], reason: 'Throttled: shard' })
  assert.equal(statusOf(h).lastExportedSequenceNumber, 1n)
  await h.clock.advanceAsync(750)
  assert.deepEqual(h.last.numbers, [2])
  await h.last.answer({ kind: 'delivered' })
  assert.equal(statusOf(h).lastExportedSequenceNumber, 5n)
  assert.deepEqual(h.last.numbers, [6, 7])
  await h.last.answer({ kind: 'delivered' })
  assert.equal(statusOf(h).exportedMessagesCount, 8)
})

test('a partial answer in which all failed backs off further', async () => {
  const h = open()
  h.source.append(2)
  await h.flush()
  await h.last.answer({ kind: 'partial', failed: [0, 1], reason: 'x' })
  await h.clock.advanceAsync(750)
  await h.last.answer({ kind: 'partial', failed: [0, 1], reason: 'x' })
  assert.equal(nextAttemptMs(h), 1_500)
  await h.clock.advanceAsync(1_500)
  await h.last.answer({ kind: 'partial', failed: [], reason: 'x' })
  assert.equal(statusOf(h).lastExportedSequenceNumber, 1n)
})

test('a poison message is isolated by halving and skipped alone', async () => {
  const h = open({ batchSize: 16 })
  h.autoAnswer = (batch) =>
    batch.messages.some((message) => message.sequenceNumber === 11)
      ? { kind: 'rejected', reason: 'Bad: record' }
      : { kind: 'delivered' }
  h.source.append(20)
  await h.flush()
  const delivered = h.sent.filter((send) => !send.numbers.includes(11)).flatMap((send) => send.numbers)
  assert.deepEqual(delivered, [...numbers(0, 11), ...numbers(12, 20)])
  assert.equal(h.sent.filter((send) => send.numbers.includes(11)).length, 5)
  assert.deepEqual(statusOf(h), {
    exportConfigIdentifier: 'e',
    lastExportedSequenceNumber: 19n,
    lastExportTimeMs: h.clock.wallMs(),
    exportedBytesFromStream: 190,
    exportedMessagesCount: 20
  })
  assert.equal(h.saved.get('id-stream/e')?.skippedMessages, 1)
  const [warning] = h.log.at('WARN')
  assert.deepEqual(
    [warning?.fields['first'], warning?.fields['count'], warning?.fields['reason']],
    [11, 1, 'Bad: record']
  )
  assert.equal(h.engine.totals.http.skippedMessages, 1)
})

test('a skip stays visible in errorMessage until the next success', async () => {
  const h = open()
  h.source.append(1)
  await h.flush()
  await h.last.answer({ kind: 'rejected', reason: 'Bad: record' })
  assert.equal(statusOf(h).errorMessage, 'Bad: record')
  assert.equal(statusOf(h).lastExportedSequenceNumber, 0n)
  assert.equal(statusOf(h).exportedMessagesCount, 1)
  assert.equal(statusOf(h).exportedBytesFromStream, 0)
})

test('gaps are jumped over without counting', async () => {
  const h = open({}, undefined, (source) => {
    source.append(6)
    source.damage(0)
    source.damage(3)
    source.damage(5)
  })
  h.autoAnswer = () => ({ kind: 'delivered' })
  await h.flush()
  assert.deepEqual(h.last.numbers, [1, 2, 4])
  assert.equal(statusOf(h).exportedMessagesCount, 3)
  assert.equal(h.log.at('WARN').length, 0)
  h.source.append(1)
  await h.flush()
  assert.deepEqual(h.last.numbers, [6])
})

test('when nothing readable is left the position moves to the end', async () => {
  const h = open({}, undefined, (source) => {
    source.append(2)
    source.damage(0)
    source.damage(1)
  })
  await h.flush()
  assert.equal(h.sent.length, 0)
  assert.equal(h.saved.get('id-stream/e')?.next, 2n)
})

test('data removed before its export is reported with count and range, at most once a minute, and there is no stall', async () => {
  const h = open()
  h.source.append(10)
  h.autoAnswer = () => ({ kind: 'retryLater', reason: 'offline' })
  await h.flush()
  h.source.drop(4)
  await h.clock.advanceAsync(750)
  assert.deepEqual(h.last.numbers, numbers(4, 10))
  h.source.drop(6)
  await h.clock.advanceAsync(1_500)
  assert.deepEqual(h.last.numbers, numbers(6, 10))
  const lost = (): unknown[] =>
    h.log.entries
      .filter((entry) => entry.message.startsWith('Messages were removed'))
      .map(({ fields }) => [fields['count'], fields['first'], fields['last']])
  assert.deepEqual(lost(), [[4, 0, 3]])
  await h.clock.advanceAsync(60_000)
  assert.deepEqual(lost(), [
    [4, 0, 3],
    [2, 4, 5]
  ])
  assert.equal(h.engine.totals.http.droppedMessages, 6)
})

test('data that was gone when the export was made is not lost', async () => {
  const h = open({ startSequenceNumber: 2n }, undefined, (source) => {
    source.append(10)
    source.drop(7)
  })
  await h.flush()
  assert.deepEqual(h.last.numbers, [7, 8, 9])
  assert.equal(statusOf(h).lastExportedSequenceNumber, 1n, 'one less than the start before the first success')
  assert.equal(h.log.at('WARN').length, 0)
})

test('an accepted message behind a failed one that retention removes is not waited for', async () => {
  const h = open()
  h.source.append(4)
  await h.flush()
  await h.last.answer({ kind: 'partial', failed: [0], reason: 'x' })
  h.source.drop(2)
  await h.clock.advanceAsync(750)
  assert.equal(h.sent.length, 1)
  assert.equal(statusOf(h).lastExportedSequenceNumber, 3n)
})

test('a start position in the future waits for its number', async () => {
  const h = open({ startSequenceNumber: 2n ** 63n - 1n })
  h.source.append(5)
  await h.flush()
  assert.equal(h.sent.length, 0)
  assert.equal(statusOf(h).lastExportedSequenceNumber, 2n ** 63n - 2n)
})

test('after a restart the export goes on where it was, with its counters', async () => {
  const remembered: ExportProgress = {
    next: 3n,
    startSequenceNumber: 0n,
    lastExportTimeMs: 7,
    exportedBytes: 30,
    processedMessages: 3,
    skippedMessages: 0
  }
  const h = open({}, remembered, (source) => source.append(5))
  assert.equal(statusOf(h).lastExportTimeMs, 7)
  await h.flush()
  assert.deepEqual(h.last.numbers, [3, 4])
  await h.last.answer({ kind: 'delivered' })
  assert.equal(statusOf(h).exportedBytesFromStream, 50)
})

test('a startSequenceNumber that changed while the server was down moves the position', async () => {
  const remembered = { next: 4n, startSequenceNumber: 0n, exportedBytes: 40, processedMessages: 4, skippedMessages: 0 }
  const h = open({ startSequenceNumber: 1n }, remembered, (source) => source.append(5))
  await h.flush()
  assert.deepEqual(h.last.numbers, [1, 2, 3, 4])
})

test('a fault while reading is retried with backoff', async () => {
  const h = open()
  h.source.readError = new Fault('cannot read segment')
  h.source.append(1)
  await h.flush()
  assert.equal(statusOf(h).errorMessage, 'MessageStoreReadError: cannot read segment')
  assert.equal(nextAttemptMs(h), 750)
  h.source.readError = undefined
  await h.clock.advanceAsync(750)
  assert.deepEqual(h.last.numbers, [0])
})

test('a fault while looking at the age of a message is retried as well', async () => {
  const h = open({ batchIntervalMs: 60_000 })
  h.source.readError = new Fault('cannot read segment')
  h.source.append(1)
  await h.flush()
  h.source.readError = undefined
  await h.clock.advanceAsync(60_000)
  assert.deepEqual(h.last.numbers, [0])
})
