import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { ExportBatch, PackedExport, SendOutcome } from '../../component/export/sink.ts'
import { createExporterHost, type ExporterHost } from '../../component/exporter/index.ts'
import { S3_SETTINGS } from '../helpers/s3-fixture.ts'
import { httpExport } from '../helpers/export-harness.ts'
import { createFakeClock, type FakeClock } from '../helpers/fake-clock.ts'
import { createRecordingLog, type RecordingLog } from '../helpers/recording-log.ts'
import { answering, startScriptedServer } from '../helpers/scripted-server.ts'
import { createFixedRandom } from '../helpers/seeded-random.ts'
import { startTypescriptWorker } from '../helpers/typescript-worker.ts'
import { packed } from '../helpers/unpacked.ts'

const server = await startScriptedServer()
after(() => server.close())

function startHost(): ExporterHost & { clock: FakeClock; log: RecordingLog; starts: () => number } {
  const clock = createFakeClock()
  const log = createRecordingLog()
  let starts = 0
  const host = createExporterHost({
    clock,
    random: createFixedRandom(0.5),
    log,
    createWorker: () => {
      starts += 1
      return startTypescriptWorker('exporter-worker-entry.ts', { crashOn: 'crash', hangOn: 'hang' })
    },
    settings: {
      version: '9.9.9',
      aws: { AWS_REGION: 'eu-central-1' },
      kinesisInterCallDelayMs: undefined,
      s3: S3_SETTINGS
    }
  })
  return { ...host, clock, log, starts: () => starts }
}

function batchOf(streamName: string, ...payloads: Buffer[]): ExportBatch {
  return {
    streamName,
    definition: httpExport({ uri: server.origin, startSequenceNumber: 5n }),
    messages: payloads.map((payload, index) => ({ sequenceNumber: 5 + index, ingestTimeMs: 1_000, payload }))
  }
}

const packedOf = (streamName: string, ...payloads: Buffer[]): PackedExport => packed(batchOf(streamName, ...payloads))

test('batches cross to the worker, outcomes come back, and the thread starts with the first one', async () => {
  const host = startHost()
  try {
    assert.equal(host.starts(), 0)
    server.script = [answering(503), answering(200)]
    const batch = batchOf('s', Buffer.from('one'), Buffer.alloc(0), Buffer.from('three'))
    const first = await host.send(packed(batch), new AbortController().signal)
    assert.deepEqual(first, { kind: 'retryLater', reason: 'HttpError: status 503 Service Unavailable' })
    assert.deepEqual(await host.send(packed(batch), new AbortController().signal), { kind: 'delivered' })
    assert.equal(host.starts(), 1)
    const request = server.requests.at(-1)
    assert.equal(request?.headers['user-agent'], 'edge-stream-manager/9.9.9')
    const received = JSON.parse(request.body.toString()) as { sequenceNumber: number; payload: string }[]
    assert.deepEqual(
      received.map(({ sequenceNumber, payload }) => [sequenceNumber, Buffer.from(payload, 'base64').toString()]),
      [
        [5, 'one'],
        [6, ''],
        [7, 'three']
      ]
    )
  } finally {
    await host.stop()
  }
})

test('an abort ends the batch at once and closes its connection', async () => {
  const host = startHost()
  try {
    let closed: () => void = () => undefined
    const connectionClosed = new Promise<void>((resolve) => (closed = resolve))
    server.script = [(_request, response) => void response.on('close', closed)]
    const before = server.requests.length
    const abort = new AbortController()
    const outcome = host.send(packedOf('s', Buffer.from('x')), abort.signal)
    await server.received(before + 1)
    abort.abort()
    assert.equal((await outcome).kind, 'retryLater')
    await connectionClosed
  } finally {
    await host.stop()
  }
})

test('a crash ends all batches in flight with retryLater, and the worker starts anew after a pause', async () => {
  const host = startHost()
  const signal = new AbortController().signal
  const reasonOf = (outcome: SendOutcome): string => (outcome.kind === 'retryLater' ? outcome.reason : outcome.kind)
  try {
    server.script = [() => undefined]
    const before = server.requests.length
    const waiting = host.send(packedOf('s', Buffer.from('x')), signal)
    await server.received(before + 1)
    const crashing = host.send(packedOf('crash', Buffer.from('x')), signal)
    assert.equal(reasonOf(await waiting), 'ExporterWorkerError: planted crash')
    assert.equal(reasonOf(await crashing), 'ExporterWorkerError: planted crash')
    assert.equal(host.log.at('ERROR').length, 1)

    const refused = await host.send(packedOf('s', Buffer.from('x')), signal)
    assert.deepEqual(refused, {
      kind: 'retryLater',
      reason: 'ExporterWorkerError: the exporter worker is being restarted',
      waitMs: 750
    })
    host.clock.advance(750)
    server.script = [answering(200)]
    assert.deepEqual(await host.send(packedOf('s', Buffer.from('x')), signal), { kind: 'delivered' })
    assert.equal(host.starts(), 2)
  } finally {
    await host.stop()
  }
})

test('a worker whose event loop hangs is replaced', async () => {
  const host = startHost()
  const signal = new AbortController().signal
  try {
    server.script = [answering(200)]
    assert.deepEqual(await host.send(packedOf('s', Buffer.from('x')), signal), { kind: 'delivered' })
    const hanging = host.send(packedOf('hang', Buffer.from('x')), signal)
    for (let tick = 0; tick < 7; tick += 1) host.clock.advance(10_000)
    assert.equal((await hanging).kind, 'retryLater')
    host.clock.advance(60_000)
    assert.deepEqual(await host.send(packedOf('s', Buffer.from('x')), signal), { kind: 'delivered' })
    assert.equal(host.starts(), 2)
  } finally {
    await host.stop()
  }
})

test('the end of the host ends batches in flight, and nothing is sent later', async () => {
  const host = startHost()
  server.script = [() => undefined]
  const before = server.requests.length
  const outcome = host.send(packedOf('s', Buffer.from('x')), new AbortController().signal)
  await server.received(before + 1)
  await host.stop()
  assert.equal((await outcome).kind, 'retryLater')
  assert.equal((await host.send(packedOf('s', Buffer.from('x')), new AbortController().signal)).kind, 'retryLater')
  assert.equal(host.starts(), 1)
  assert.equal(host.log.at('ERROR').length, 0)
})
