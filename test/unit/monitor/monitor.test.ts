import assert from 'node:assert/strict'
import { request, type IncomingHttpHeaders } from 'node:http'
import { describe, it, type TestContext } from 'node:test'
import { exportSourceOf } from '../../../component/export/index.ts'
import type { SendOutcome } from '../../../component/export/sink.ts'
import { isLoopbackHost, listenForMonitoring } from '../../../component/monitor/listener.ts'
import type { StatusReport } from '../../../component/monitor/report.ts'
import type { MonitorSources } from '../../../component/monitor/sources.ts'
import { createStatusMaker } from '../../../component/monitor/status.ts'
import { CALM_SOURCES } from '../../helpers/calm-sources.ts'
import { createExportHarness, httpExport } from '../../helpers/export-harness.ts'
import { flush } from '../../helpers/fake-clock.ts'
import { createRecordingLog } from '../../helpers/recording-log.ts'
import { append, definitionOf, openScene, streamOf } from '../../helpers/stream-scene.ts'

const URI = 'https://user:SECRET-PASSWORD@host.example:8443/path-SECRET?key=SECRET'
const ODD_NAME = 'odd, name'

interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** A stream with two exports under a served monitor. */
async function createMonitorScene(context: TestContext, overrides: Partial<MonitorSources> = {}) {
  const scene = await openScene()
  const { clock, registry } = scene
  const exports = [
    httpExport({ identifier: 'works', uri: URI }),
    httpExport({ identifier: 'fails', batchSize: 2, priority: 3 })
  ]
  await registry.create(definitionOf(ODD_NAME, { exports }))
  const { engine } = createExportHarness({
    clock,
    sendBatch: ({ definition }): Promise<SendOutcome> =>
      Promise.resolve(
        definition.identifier === 'works' ? { kind: 'delivered' } : { kind: 'retryLater', reason: 'HttpError: 503' }
      )
  })
  engine.open(exportSourceOf(streamOf(scene, ODD_NAME)), exports, new Map())
  const sources: MonitorSources = {
    ...CALM_SOURCES,
    clock,
    registry,
    engine,
    ...overrides
  }
  const status = createStatusMaker(sources)
  const listener = await listenForMonitoring(0, () => status.report(), createRecordingLog())
  context.after(async () => {
    status.stop()
    await listener.stop()
  })
  const get = (path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Reply> =>
    new Promise((resolve, reject) => {
      const sent = request(
        { port: listener.port, host: '127.0.0.1', path, method, headers, agent: false },
        (answer) => {
          let body = ''
          answer.setEncoding('utf8')
          answer.on('data', (part: string) => (body += part))
          answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body }))
        }
      )
      sent.on('error', reject)
      sent.end()
    })
  const statusOf = async (path = '/status'): Promise<StatusReport> => JSON.parse((await get(path)).body) as StatusReport
  return { scene, clock, get, statusOf }
}

describe('/status', () => {
  it('tells of streams and exports all that an operator asks for', async (context) => {
    const { scene, clock, statusOf } = await createMonitorScene(context)
    for (let count = 0; count < 20; count += 1) await append(scene, ODD_NAME, 'x'.repeat(100))
    await clock.advanceAsync(1_100)
    await flush()
    await clock.advanceAsync(10_000)
    const { streams, process, health } = await statusOf()
    const [stream] = streams
    assert.ok(stream !== undefined)
    assert.equal(stream.name, ODD_NAME)
    assert.deepEqual([stream.oldestSequenceNumber, stream.nextSequenceNumber, stream.storedMessages], [0, 20, 20])
    // 20 messages in the 11 s since the first sample.
    assert.ok(Math.abs(stream.rates.messagesPerSecond.over1m - 20 / 11.1) < 0.01)
    const [works, fails] = stream.exports
    assert.deepEqual([works?.activity, works?.account.exported, works?.account.waiting], ['idle', 20, 0])
    assert.deepEqual(works?.lag, { messages: 0, bytes: 0, seconds: 0 })
    assert.equal(works.destination, 'https://host.example:8443')
    assert.deepEqual([fails?.activity, fails?.lastError, fails?.account.waiting], ['retrying', 'HttpError: 503', 20])
    assert.deepEqual(fails?.lag, { messages: 20, bytes: stream.storedBytes, seconds: 11.1 })
    assert.ok(fails.nextAttemptMs !== null && fails.nextAttemptMs > clock.wallMs())
    assert.deepEqual([process.connections, process.residentBytes], [3, 1_000])
    assert.deepEqual(
      [health.status, health.reasons.map(({ code, export: name }) => [code, name])],
      ['degraded', [['export_failing', 'fails']]]
    )
  })

  it('holds no payload and nothing of an address but its host', async (context) => {
    const { scene, clock, get } = await createMonitorScene(context)
    await append(scene, ODD_NAME, 'SECRET-PAYLOAD')
    await clock.advanceAsync(2_000)
    for (const path of ['/status', '/metrics', '/health', '/'])
      assert.ok(!(await get(path)).body.includes('SECRET'), path)
  })

  it('is made at most once a second, for one stream if asked', async (context) => {
    let looks = 0
    const { statusOf, clock } = await createMonitorScene(context, {
      connectionCount: () => (looks += 1)
    })
    for (let count = 0; count < 5; count += 1) await statusOf()
    assert.equal(looks, 1)
    clock.advance(1_000)
    assert.equal((await statusOf('/status?stream=other')).streams.length, 0)
    assert.equal((await statusOf(`/status?stream=${encodeURIComponent(ODD_NAME)}`)).streams.length, 1)
    assert.equal(looks, 2)
  })
})

describe('/metrics', () => {
  it('are in the text format of Prometheus, and that of OpenMetrics on request', async (context) => {
    const { scene, clock, get } = await createMonitorScene(context)
    await append(scene, ODD_NAME, 'x')
    await clock.advanceAsync(2_000)
    const { body, headers } = await get('/metrics')
    assert.match(headers['content-type'] ?? '', /^text\/plain; version=0\.0\.4/)
    const line = /^(# (HELP|TYPE) [a-z_0-9]+ .+|[a-z_0-9]+(\{([a-z_]+="([^"\\]|\\.)*",?)+\})? [0-9.e+-]+)$/
    for (const text of body.trimEnd().split('\n')) assert.match(text, line)
    assert.ok(
      body.includes(`stream_manager_export_messages{stream="odd, name",export="works",kind="http",fate="exported"} 1`)
    )
    assert.ok(body.includes('# TYPE stream_manager_stream_appended_messages_total counter'))
    const open = await get('/metrics', { accept: 'application/openmetrics-text; version=1.0.0' })
    assert.match(open.headers['content-type'] ?? '', /^application\/openmetrics-text/)
    assert.ok(open.body.endsWith('# EOF\n'))
    assert.ok(open.body.includes('# TYPE stream_manager_stream_appended_messages counter'))
    assert.ok(open.body.includes('stream_manager_stream_appended_messages_total{stream="odd, name"} 1'))
  })
})

describe('/health', () => {
  it('is 200 while clients are served, and 503 with the reasons when they are not', async (context) => {
    const trouble: { space?: string } = {}
    const { get, clock } = await createMonitorScene(context, { spaceProblem: () => trouble.space })
    assert.equal((await get('/health')).status, 200)
    trouble.space = 'no space left on the device'
    clock.advance(1_000)
    const { status, body } = await get('/health')
    assert.equal(status, 503)
    assert.deepEqual(JSON.parse(body), {
      status: 'failing',
      reasons: [
        {
          code: 'disk_full',
          severity: 'failing',
          text: 'no space left on the device',
          meaning: 'Appends to file streams are refused for want of space or inodes',
          remedy: 'Free space on the file system of the store'
        }
      ],
      omittedReasons: 0
    })
  })
})

describe('the listener', () => {
  it('serves loopback names and pages of this machine only', async (context) => {
    const { get } = await createMonitorScene(context)
    for (const host of ['localhost', 'LOCALHOST:9000', '127.0.0.1:1', '[::1]:80'])
      assert.equal((await get('/health', { host })).status, 200, host)
    for (const host of [
      'evil.example',
      'localhost.evil.example',
      '127.0.0.1.evil.example:80',
      'localhost:99999999',
      '10.0.0.1'
    ])
      assert.notEqual((await get('/health', { host })).status, 200, host)
    assert.equal((await get('/health', { origin: 'http://localhost:9000' })).status, 200)
    for (const origin of ['https://evil.example', 'null', 'http://localhost.evil.example'])
      assert.equal((await get('/health', { origin })).status, 403, origin)
    assert.equal(isLoopbackHost(undefined), false)
  })

  it('changes nothing, and knows its paths', async (context) => {
    const { get } = await createMonitorScene(context)
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE'])
      assert.deepEqual([(await get('/status', {}, method)).status, method], [405, method])
    const head = await get('/metrics', {}, 'HEAD')
    assert.deepEqual([head.status, head.body], [200, ''])
    assert.ok(Number(head.headers['content-length']) > 0)
    for (const path of ['/nothing', '/constructor', '/__proto__', '/status/', '//status'])
      assert.equal((await get(path)).status, 404, path)
    assert.deepEqual(JSON.parse((await get('/')).body), { routes: ['/', '/metrics', '/health', '/status'] })
  })

  it('takes no more headers than it has room for', async (context) => {
    const { get } = await createMonitorScene(context)
    assert.equal((await get('/health', { 'x-much': 'x'.repeat(9_000) })).status, 431)
  })
})
