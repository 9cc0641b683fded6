import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ExportDefinition, HttpExport } from '../../../component/model/export-definition.ts'
import {
  createExportHarness,
  createFakeSource,
  httpExport,
  type ExportHarness,
  type FakeSource
} from '../../helpers/export-harness.ts'

const DELIVERED = { kind: 'delivered' } as const

async function sending(fields: Partial<HttpExport> = {}, count = 3): Promise<ExportHarness & { source: FakeSource }> {
  const harness = createExportHarness()
  const source = createFakeSource(harness.clock)
  harness.engine.open(source, [httpExport(fields)], new Map())
  source.append(count)
  await harness.flush()
  return Object.assign(harness, { source })
}

function next(harness: ExportHarness, identifier = 'e'): bigint | undefined {
  return harness.saved.get(`id-stream/${identifier}`)?.next
}

test('the exports of a stream are independent cursors', async () => {
  const h = createExportHarness()
  const source = createFakeSource(h.clock)
  h.engine.open(source, [httpExport({ identifier: 'a' }), httpExport({ identifier: 'b' })], new Map())
  source.append(2)
  await h.flush()
  assert.equal(h.sent.length, 2)
  await h.sent[0]!.answer(DELIVERED)
  await h.sent[1]!.answer({ kind: 'retryLater', reason: 'x' })
  assert.deepEqual(
    h.engine.statuses('id-stream').map((status) => [status.exportConfigIdentifier, status.lastExportedSequenceNumber]),
    [
      ['a', 1n],
      ['b', -1n]
    ]
  )
})

test('statuses come in the order of the kinds, also of a stream that is not open', () => {
  const h = createExportHarness()
  const exports: ExportDefinition[] = [
    { kind: 'kinesis', identifier: 'k', kinesisStreamName: 's' },
    { kind: 'sitewise', identifier: 'w' },
    httpExport({ identifier: 'h' })
  ]
  h.engine.open(createFakeSource(h.clock), exports, new Map())
  assert.deepEqual(
    h.engine.statuses('id-stream').map((status) => status.exportConfigIdentifier),
    ['h', 'k', 'w']
  )
  assert.deepEqual(h.engine.statuses('other'), [])
})

test('streams are opened before the start, requests go out after it', async () => {
  const harness = createExportHarness({}, { isStarted: false })
  const source = createFakeSource(harness.clock)
  source.append(3)
  harness.engine.open(source, [httpExport()], new Map())
  await harness.clock.advanceAsync(60_000)
  assert.equal(harness.sent.length, 0)
  harness.engine.start()
  await harness.flush()
  assert.deepEqual(harness.last.numbers, [0, 1, 2])
})

test('an engine that was stopped does not start', async () => {
  const harness = createExportHarness({}, { isStarted: false })
  const source = createFakeSource(harness.clock)
  source.append(3)
  harness.engine.open(source, [httpExport()], new Map())
  await harness.engine.stop(0)
  harness.engine.start()
  await harness.clock.advanceAsync(60_000)
  assert.equal(harness.sent.length, 0)
})

test('exports that cannot be done say why, with one warning for all of a kind', async () => {
  const harness = createExportHarness({ whyUnavailable: ({ kind }) => `no ${kind} here` })
  const source = createFakeSource(harness.clock)
  source.append(1)
  const exports = ['a', 'b'].map((identifier) => ({ kind: 'sitewise' as const, identifier }))
  harness.engine.open(source, exports, new Map())
  await harness.flush()
  assert.deepEqual(
    harness.engine.statuses(source.streamId).map((status) => status.errorMessage),
    ['no sitewise here', 'no sitewise here']
  )
  assert.equal(harness.log.at('WARN').length, 1)
  assert.equal(harness.clock.pendingTimers, 0)
})

test('a thousand idle exports take no timer, no read and no request', async () => {
  const harness = createExportHarness()
  const sources = Array.from({ length: 1_000 }, (_, index) => createFakeSource(harness.clock, `s${index}`))
  for (const source of sources) harness.engine.open(source, [httpExport({ batchIntervalMs: 60_000 })], new Map())
  await harness.clock.advanceAsync(3_600_000)
  assert.equal(harness.clock.pendingTimers, 0)
  assert.equal(harness.sent.length, 0)
  assert.ok(sources.every((source) => source.reads === 0))
})

test('over 30 seconds the bandwidth of all exports together is within a tenth of the limit', async () => {
  for (const bytesPerSecond of [40_000, 250_000, 2_000_000]) {
    const harness = createExportHarness({ bandwidthBitsPerSecond: bytesPerSecond * 8 })
    let bytes = 0
    harness.autoAnswer = ({ messages }) => {
      for (const { payload } of messages) bytes += payload.length
      return { kind: 'delivered' }
    }
    for (const [name, size] of [
      ['small', 100],
      ['middle', 1_500],
      ['large', 9_000]
    ] as const) {
      const source = createFakeSource(harness.clock, name)
      source.append(Math.ceil((31 * bytesPerSecond) / size), size)
      harness.engine.open(source, [httpExport()], new Map())
    }
    await harness.clock.advanceAsync(30_000)
    const ratio = bytes / (30 * bytesPerSecond)
    assert.ok(ratio > 0.9 && ratio < 1.1, `${bytesPerSecond} bytes/s: ratio ${ratio}`)
    await harness.engine.stop(0)
  }
})

test('a kind that is not available waits at its position, says so once, and sends nothing', async () => {
  const h = createExportHarness()
  const source = createFakeSource(h.clock)
  h.engine.open(source, [{ kind: 'sitewise', identifier: 'w' }], new Map())
  source.append(3)
  await h.flush()
  h.engine.update('id-stream', [{ kind: 'sitewise', identifier: 'w', batchSize: 3 }])
  source.append(3)
  await h.flush()
  assert.equal(h.sent.length, 0)
  assert.equal(h.log.at('WARN').length, 1)
  const [status] = h.engine.statuses('id-stream')
  assert.equal(status?.errorMessage, 'sitewise exports are not available in this version')
  assert.equal(status.lastExportedSequenceNumber, -1n)
  assert.equal(h.clock.pendingTimers, 0)
})

test('a disabled export keeps its position, its request in flight completes, and it resumes from there', async () => {
  const h = await sending()
  h.engine.update('id-stream', [httpExport({ disabled: true })])
  assert.equal(h.last.signal.aborted, false)
  h.source.append(2)
  await h.last.answer(DELIVERED)
  await h.clock.advanceAsync(600_000)
  assert.equal(h.sent.length, 1)
  assert.equal(next(h), 3n)
  h.engine.update('id-stream', [httpExport()])
  await h.flush()
  assert.deepEqual(h.last.numbers, [3, 4])
  assert.deepEqual(
    h.log.at('INFO').map((entry) => entry.message),
    ['Export paused', 'Export resumed']
  )
})

test('disabling ends the repetition of a failed request', async () => {
  const h = await sending()
  await h.last.answer({ kind: 'retryLater', reason: 'x' })
  h.engine.update('id-stream', [httpExport({ disabled: true })])
  assert.equal(h.engine.observe('id-stream')[0]?.nextAttemptMs, undefined)
  const { length } = h.sent
  await h.clock.advanceAsync(600_000)
  assert.equal(h.sent.length, length)
})

test('an unchanged definition moves nothing but tries again at once', async () => {
  const h = await sending()
  await h.last.answer(DELIVERED)
  h.source.append(1)
  await h.flush()
  await h.last.answer({ kind: 'retryLater', reason: 'x', waitMs: 200_000 })
  h.engine.update('id-stream', [httpExport()])
  await h.flush()
  assert.deepEqual(h.last.numbers, [3])
  await h.last.answer({ kind: 'retryLater', reason: 'x' })
  assert.equal(h.clock.nextTimerMs, 750, 'the backoff starts anew')
})

test('a changed startSequenceNumber replays, and the outcome of the request in flight does not move the cursor', async () => {
  const h = await sending({}, 5)
  await h.last.answer(DELIVERED)
  h.source.append(1)
  await h.flush()
  const flying = h.last
  h.engine.update('id-stream', [httpExport({ startSequenceNumber: 2n })])
  assert.equal(flying.signal.aborted, true)
  await flying.answer(DELIVERED)
  assert.deepEqual(h.last.numbers, [2, 3, 4, 5])
  assert.equal(next(h), 2n)
  assert.equal(h.engine.statuses('id-stream')[0]?.lastExportedSequenceNumber, 1n)
  await h.last.answer(DELIVERED)
  assert.equal(next(h), 6n)
})

test('a replay from before the oldest message starts there, and nothing counts as lost', async () => {
  const h = await sending({ startSequenceNumber: 2n }, 5)
  await h.last.answer(DELIVERED)
  h.source.drop(3)
  h.engine.update('id-stream', [httpExport({ startSequenceNumber: 0n })])
  await h.flush()
  assert.deepEqual(h.last.numbers, [3, 4])
  assert.equal(h.engine.totals.http.droppedMessages, 0)
})

test('moving the position while messages are being read drops what was read', async () => {
  const h = createExportHarness()
  const source = createFakeSource(h.clock)
  source.append(5)
  h.engine.open(source, [httpExport()], new Map())
  await Promise.resolve()
  h.engine.update('id-stream', [httpExport({ startSequenceNumber: 3n })])
  await h.flush()
  assert.deepEqual(
    h.sent.map((send) => send.numbers),
    [[3, 4]]
  )
})

test('a changed destination keeps the position; a failure or rejection of the old one is not held against the new', async () => {
  const outcomes = [
    { kind: 'retryLater', reason: 'x', waitMs: 100_000 },
    { kind: 'rejected', reason: 'x' }
  ] as const
  for (const outcome of outcomes) {
    const h = await sending({}, 1)
    h.engine.update('id-stream', [httpExport({ uri: 'http://other/' })])
    await h.last.answer(outcome)
    assert.equal(h.sent.length, 2)
    assert.deepEqual(h.last.numbers, [0])
    assert.equal((h.last.batch.definition as HttpExport).uri, 'http://other/')
  }
})

test('a removed export is aborted, its progress is removed, and a late success changes nothing', async () => {
  const h = await sending()
  h.engine.update('id-stream', [httpExport({ identifier: 'new' })])
  assert.equal(h.sent[0]?.signal.aborted, true)
  await h.sent[0].answer(DELIVERED)
  assert.equal(next(h), undefined)
  await h.flush()
  assert.deepEqual(h.last.numbers, [0, 1, 2], 'the added one starts at the beginning')
  assert.equal(h.engine.statuses('id-stream').length, 1)
})

test('closing a stream aborts its requests, frees the slots and removes the progress', async () => {
  const h = createExportHarness({ concurrencyMax: 1 })
  const gone = createFakeSource(h.clock, 'gone')
  const stays = createFakeSource(h.clock, 'stays')
  h.engine.open(gone, [httpExport()], new Map())
  h.engine.open(stays, [httpExport()], new Map())
  gone.append(1)
  stays.append(1)
  await h.flush()
  const [flying] = h.sent
  assert.equal(flying?.batch.streamName, 'gone')
  void h.engine.close('id-gone')
  assert.equal(flying.signal.aborted, true)
  await flying.answer({ kind: 'retryLater', reason: 'aborted' })
  assert.equal(h.last.batch.streamName, 'stays')
  gone.append(1)
  await h.flush()
  assert.equal(h.sent.length, 2)
  assert.equal(h.saved.has('id-gone/e'), false)
  assert.deepEqual(h.engine.statuses('id-gone'), [])
  h.engine.open(createFakeSource(h.clock, 'gone', 'id-gone'), [httpExport()], new Map())
  assert.equal(h.engine.statuses('id-gone')[0]?.lastExportedSequenceNumber, -1n)
})

test('exports in backoff hold no slot', async () => {
  const h = createExportHarness({ concurrencyMax: 1 })
  const sources = ['a', 'b', 'c'].map((name) => createFakeSource(h.clock, name))
  for (const source of sources) {
    h.engine.open(source, [httpExport()], new Map())
    source.append(1)
  }
  h.autoAnswer = (batch) => (batch.streamName === 'c' ? DELIVERED : { kind: 'retryLater', reason: 'x' })
  await h.flush()
  assert.deepEqual(
    h.sent.map((send) => send.batch.streamName),
    ['a', 'b', 'c']
  )
})

test('exports of better priority go first', async () => {
  const h = createExportHarness({ concurrencyMax: 1 })
  const source = createFakeSource(h.clock)
  h.autoAnswer = () => DELIVERED
  source.append(1)
  const exports = [
    httpExport({ identifier: 'absent' }),
    httpExport({ identifier: 'three', priority: 3 }),
    httpExport({ identifier: 'one', priority: 1 })
  ]
  h.engine.open(source, exports, new Map())
  await h.flush()
  assert.deepEqual(
    h.sent.map((send) => send.batch.definition.identifier),
    ['one', 'three', 'absent']
  )
})

test('a bandwidth limit spaces requests out and keeps them small', async () => {
  const h = createExportHarness({ bandwidthBitsPerSecond: 80_000 })
  const source = createFakeSource(h.clock)
  h.autoAnswer = () => DELIVERED
  source.append(300, 1_000)
  h.engine.open(source, [httpExport()], new Map())
  await h.flush()
  assert.equal(h.sent.length, 1)
  assert.equal(h.last.numbers.length, 16, 'the smallest bound on a request')
  await h.clock.advanceAsync(599)
  assert.equal(h.sent.length, 1)
  await h.clock.advanceAsync(1)
  assert.equal(h.sent.length, 2)
})

test('the end waits for requests in flight and starts none', async () => {
  const h = await sending({ batchSize: 1 })
  let stopped = false
  const stopping = h.engine.stop(5_000).then(() => (stopped = true))
  await h.clock.advanceAsync(1_000)
  assert.equal(stopped, false)
  await h.last.answer(DELIVERED)
  await stopping
  assert.equal(next(h), 1n)
  h.source.append(1)
  await h.clock.advanceAsync(600_000)
  assert.equal(h.sent.length, 1)
  assert.equal(h.clock.pendingTimers, 0)
})

test('at the deadline requests in flight are aborted and nothing is saved later', async () => {
  const h = await sending()
  const stopping = h.engine.stop(5_000)
  await h.clock.advanceAsync(5_000)
  await stopping
  assert.equal(h.last.signal.aborted, true)
  const before = next(h)
  await h.last.answer(DELIVERED)
  assert.equal(next(h), before)
  await h.engine.stop(5_000)
})

test('a stream that is created, updated or deleted during the end is left to the next start', async () => {
  const h = await sending()
  const stopping = h.engine.stop(5_000)
  const late = createFakeSource(h.clock, 'late')
  h.engine.open(late, [httpExport()], new Map())
  late.append(1)
  h.engine.update('id-late', [httpExport({ identifier: 'other' })])
  h.engine.update('id-stream', [httpExport({ identifier: 'other' })])
  await h.clock.advanceAsync(5_000)
  await stopping
  assert.equal(h.sent.length, 1)
  assert.deepEqual(h.engine.statuses('id-late'), [])
  assert.equal(h.saved.has('id-stream/e'), false)
  void h.engine.close('id-late')
})
