import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { test } from 'node:test'
import type { Worker } from 'node:worker_threads'
import { createExporterHost, type ExporterHost } from '../../../component/exporter/host.ts'
import type { FromExporterWorker, ToExporterWorker } from '../../../component/exporter/messages.ts'
import { unpackBatch } from '../../../component/export/message-batch.ts'
import type { ExportBatch, SendOutcome } from '../../../component/export/sink.ts'
import type { TaskStep } from '../../../component/export/task.ts'
import { httpExport } from '../../helpers/export-harness.ts'
import { createFakeClock, flush, type FakeClock } from '../../helpers/fake-clock.ts'
import { createRecordingLog, type RecordingLog } from '../../helpers/recording-log.ts'
import { S3_SETTINGS } from '../../helpers/s3-fixture.ts'
import { createFixedRandom } from '../../helpers/seeded-random.ts'
import { packed } from '../../helpers/unpacked.ts'

/** As much of a worker as the host uses. */
class FakeWorker extends EventEmitter {
  readonly posted: ToExporterWorker[] = []
  postMessage(message: ToExporterWorker): void {
    this.posted.push(message)
  }
  /** Answers a batch, with the memory that came with it. */
  answer(id: number, outcome: SendOutcome): void {
    const sent = this.posted.find((message) => message.kind === 'send' && message.id === id)
    const packed = sent?.kind === 'send' ? sent.packed : new ArrayBuffer(8)
    this.emit('message', { kind: 'outcome', id, outcome, packed } satisfies FromExporterWorker)
  }
  isTerminated = false
  terminate(): Promise<number> {
    this.isTerminated = true
    this.emit('exit', 1)
    return Promise.resolve(1)
  }
}

const BATCH: ExportBatch = {
  streamName: 's',
  definition: httpExport(),
  messages: [{ sequenceNumber: 0, ingestTimeMs: 0, payload: Buffer.from('x') }]
}

function startHost(create?: () => Worker): ExporterHost & {
  clock: FakeClock
  log: RecordingLog
  workers: FakeWorker[]
  sendOne: () => ReturnType<ExporterHost['send']>
} {
  const clock = createFakeClock()
  const log = createRecordingLog()
  const workers: FakeWorker[] = []
  const host = createExporterHost({
    clock,
    log,
    random: createFixedRandom(0.5),
    settings: { version: '1', aws: { AWS_SECRET_ACCESS_KEY: 'secret' }, kinesisInterCallDelayMs: 7, s3: S3_SETTINGS },
    createWorker:
      create ??
      (() => {
        const worker = new FakeWorker()
        workers.push(worker)
        return worker as unknown as Worker
      })
  })
  return { ...host, clock, log, workers, sendOne: () => host.send(packed(BATCH), new AbortController().signal) }
}

test('the settings are the first message of a worker', () => {
  const host = startHost()
  void host.sendOne()
  assert.deepEqual(
    host.workers[0]?.posted.map((message) => message.kind),
    ['start', 'send']
  )
})

test('a renewed token reaches the worker that runs and those that come after it', async () => {
  const host = startHost()
  const lost = host.sendOne()
  const [worker] = host.workers
  assert.ok(worker !== undefined)
  host.renewToken('NEW')
  assert.deepEqual(worker.posted.at(-1), { kind: 'token', token: 'NEW' })
  worker.emit('exit', 1)
  await lost
  host.renewToken('NEWER')
  host.clock.advance(60_000)
  void host.sendOne()
  const [first] = host.workers[1]?.posted ?? []
  assert.ok(first?.kind === 'start')
  assert.deepEqual(first.settings.aws, { AWS_SECRET_ACCESS_KEY: 'secret', AWS_CONTAINER_AUTHORIZATION_TOKEN: 'NEWER' })
})

test('answers are matched by id; answers that nobody waits for are ignored', async () => {
  const host = startHost()
  const first = host.sendOne()
  const second = host.sendOne()
  const [worker] = host.workers
  const [, one, two] = worker?.posted ?? []
  assert.ok(one?.kind === 'send' && two?.kind === 'send')
  worker?.answer(999, { kind: 'delivered' })
  worker?.answer(two.id, { kind: 'rejected', reason: 'r' })
  worker?.answer(one.id, { kind: 'delivered' })
  assert.deepEqual(await first, { kind: 'delivered' })
  assert.deepEqual(await second, { kind: 'rejected', reason: 'r' })
})

test('pauses between restarts grow with quick crashes up to a minute, and start anew after a healthy life', async () => {
  const host = startHost()
  const pauses: unknown[] = []
  for (let crash = 0; crash < 9; crash += 1) {
    const outcome = host.sendOne()
    host.workers.at(-1)?.emit('exit', 134)
    assert.deepEqual(await outcome, { kind: 'retryLater', reason: 'ExporterWorkerError: exit code 134' })
    pauses.push(host.log.entries.at(-1)?.fields['pauseMs'])
    host.clock.advance(60_000)
  }
  assert.deepEqual(pauses, [750, 1_500, 3_000, 6_000, 12_000, 24_000, 45_000, 45_000, 45_000])
  void host.sendOne()
  host.clock.advance(60_000)
  host.workers.at(-1)?.emit('exit', 1)
  assert.equal(host.log.entries.at(-1)?.fields['pauseMs'], 750)
})

test('a worker that cannot be started counts as a crash', async () => {
  const host = startHost(() => {
    throw new Error('no threads left')
  })
  assert.deepEqual(await host.sendOne(), { kind: 'retryLater', reason: 'ExporterWorkerError: no threads left' })
  const second = await host.sendOne()
  assert.equal(second.kind === 'retryLater' && second.waitMs, 750)
})

test("the worker's log lines come out of the main thread's logger, and secrets never do", async () => {
  const host = startHost()
  const outcome = host.sendOne()
  const [worker] = host.workers
  worker?.emit('message', { kind: 'log', level: 'WARN', message: 'm', fields: { a: 1 } })
  worker?.emit('error', new Error('boom'))
  worker?.emit('exit', 1)
  await outcome
  assert.deepEqual(host.log.entries[0], { level: 'WARN', message: 'm', fields: { a: 1 } })
  assert.equal(JSON.stringify(host.log.entries).includes('secret'), false)
})

test('an aborted signal starts no worker', async () => {
  const host = startHost()
  assert.equal((await host.send(packed(BATCH), AbortSignal.abort())).kind, 'retryLater')
  assert.equal(host.workers.length, 0)
})

test('a busy worker that gives no sign of life for a minute is replaced, and its batches are sent again', async () => {
  const host = startHost()
  const outcome = host.sendOne()
  const [worker] = host.workers
  host.clock.advance(69_999)
  assert.equal(worker?.posted.filter(({ kind }) => kind === 'ping').length, 6)
  assert.equal(worker.isTerminated, false)
  host.clock.advance(1)
  assert.equal(worker.isTerminated, true)
  assert.deepEqual(await outcome, { kind: 'retryLater', reason: 'ExporterWorkerError: the worker hangs' })
  assert.equal(host.log.at('ERROR').length, 1, 'it ends once, although its thread ends later')
  assert.equal(host.clock.pendingTimers, 0)
  host.clock.advance(45_000)
  void host.sendOne()
  assert.equal(host.workers.length, 2)
})

test('a worker that answers may take its time, and an idle one is left alone', async () => {
  const host = startHost()
  const outcome = host.sendOne()
  const [worker] = host.workers
  for (let second = 0; second < 600; second += 1) {
    host.clock.advance(1_000)
    if (worker?.posted.at(-1)?.kind === 'ping') worker.emit('message', { kind: 'pong' })
  }
  assert.equal(worker?.isTerminated, false)
  const sent = worker.posted.find((message) => message.kind === 'send')
  assert.ok(sent !== undefined)
  worker.answer(sent.id, { kind: 'delivered' })
  assert.deepEqual(await outcome, { kind: 'delivered' })
  host.clock.advance(10_000)
  assert.equal(host.clock.pendingTimers, 0)
  const asked = worker.posted.length
  host.clock.advance(3_600_000)
  assert.equal(worker.posted.length, asked)
})

const STEP: TaskStep = {
  streamName: 's',
  definition: { kind: 's3', identifier: 'e' },
  message: { sequenceNumber: 3, ingestTimeMs: 5, payload: Buffer.from('task') },
  action: 'proceed',
  state: 'state',
  resumed: true
}
const unpaced = (): Promise<void> => Promise.resolve()

test('a step goes to the worker with its message, and its outcome comes back', async () => {
  const host = startHost()
  const outcome = host.runStep(STEP, unpaced, new AbortController().signal)
  const [worker] = host.workers
  const posted = worker?.posted[1]
  assert.ok(posted?.kind === 'step' && posted.packed !== undefined)
  const { message, ...rest } = STEP
  assert.deepEqual(posted.step, rest)
  assert.deepEqual(unpackBatch(posted.packed), [message])
  const stepped = { kind: 'continued', state: 'next', events: [] }
  worker?.emit('message', { kind: 'stepped', id: posted.id, outcome: stepped })
  assert.deepEqual(await outcome, stepped)
})

test('a body gets its bandwidth when the main thread says so, and not after the step has ended', async () => {
  const host = startHost()
  const abort = new AbortController()
  const asked: number[] = []
  const outcome = host.runStep(
    STEP,
    (bytes) => {
      asked.push(bytes)
      return Promise.resolve()
    },
    abort.signal
  )
  const [worker] = host.workers
  const id = worker?.posted[1]?.kind === 'step' ? worker.posted[1].id : 0
  worker?.emit('message', { kind: 'pace', id, bytes: 100 })
  await flush()
  assert.deepEqual(asked, [100])
  assert.deepEqual(worker?.posted.at(-1), { kind: 'paced', id })
  abort.abort()
  assert.deepEqual(await outcome, { kind: 'retryLater', reason: 'AbortError: aborted', events: [] })
  worker.emit('message', { kind: 'pace', id, bytes: 200 })
  await flush()
  assert.deepEqual(asked, [100])
})

test('an outcome brings the memory of its batch back, but not to whoever has stopped waiting for it', async () => {
  const host = startHost()
  const [waiting, given] = [packed(BATCH), packed(BATCH)]
  const abort = new AbortController()
  const outcome = host.send(waiting, new AbortController().signal)
  void host.send(given, abort.signal)
  for (const { batch } of [waiting, given]) assert.throws(() => batch.messageAt(0), /handed over/)
  abort.abort()
  const [worker] = host.workers
  for (const id of [1, 2]) worker?.answer(id, { kind: 'retryLater', reason: 'r' })
  await outcome
  assert.deepEqual(waiting.batch.messages(), BATCH.messages)
  assert.throws(() => given.batch.messageAt(0), /handed over/)
})

test('a crash ends steps as it ends batches', async () => {
  const host = startHost()
  const outcome = host.runStep(STEP, unpaced, new AbortController().signal)
  host.workers[0]?.emit('exit', 134)
  assert.deepEqual(await outcome, { kind: 'retryLater', reason: 'ExporterWorkerError: exit code 134', events: [] })
})

test('progress of a request reaches the one who waits for it, and nobody after the end', async () => {
  const host = startHost()
  let progressed = 0
  let begunBytes = 0
  const outcome = host.send(packed(BATCH), new AbortController().signal, (bodyBytes) => {
    if (bodyBytes === undefined) progressed += 1
    else begunBytes += bodyBytes
  })
  const [worker] = host.workers
  const [, sent] = worker?.posted ?? []
  assert.ok(sent?.kind === 'send')
  worker?.emit('message', { kind: 'progress', id: sent.id })
  worker?.emit('message', { kind: 'progress', id: 999 })
  worker?.emit('message', { kind: 'began', id: sent.id, bodyBytes: 7 })
  assert.equal(begunBytes, 7)
  assert.equal(progressed, 1)
  worker?.answer(sent.id, { kind: 'delivered' })
  await outcome
  worker?.emit('message', { kind: 'progress', id: sent.id })
  assert.equal(progressed, 1)
})
