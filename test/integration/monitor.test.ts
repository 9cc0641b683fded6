import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import type { ExportReport, StatusReport } from '../../component/monitor/report.ts'
import { parseExposition } from '../helpers/exposition-parser.ts'
import { startMonitored, type MonitoredServer } from '../helpers/monitored-server.ts'
import { openHttpEndpoint } from '../helpers/http-endpoint.ts'
import { append, appendAll, createStream, describeStream, listStreams } from '../helpers/stream-calls.ts'
import { WireClient } from '../helpers/wire-client.ts'

/* The monitor of the built server, as scrapers, operators and strangers meet it. */

const COUNT = 50
const PAYLOADS = Array.from({ length: COUNT }, (_, number) => `message ${number}`)
const ODD_NAME = 'Line 1, east'

async function start(
  t: TestContext,
  environment: Readonly<Record<string, string>> = {}
): Promise<{ server: MonitoredServer; client: WireClient }> {
  const server = await startMonitored({ environment })
  t.after(() => server.dispose())
  return { server, client: await WireClient.connect({ port: server.port }) }
}

const httpExport = (port: number): object => ({
  http: [{ identifier: 'plant', uri: `http://127.0.0.1:${port}/`, exportFormat: 1 }]
})

const exportOf = ({ streams }: StatusReport, name: string): ExportReport => {
  const found = streams.find((stream) => stream.name === name)?.exports[0]
  assert.ok(found !== undefined)
  return found
}

/** A server whose stream has delivered all messages to an endpoint. */
async function startDelivered(t: TestContext) {
  const endpoint = await openHttpEndpoint()
  t.after(() => endpoint.close())
  const { server, client } = await start(t)
  await createStream(client, ODD_NAME, { exportDefinition: httpExport(endpoint.port), flushOnWrite: true })
  await appendAll(client, ODD_NAME, PAYLOADS)
  await endpoint.untilReceived(COUNT)
  await server.untilReport((report) => exportOf(report, ODD_NAME).account.exported === COUNT)
  return { server, client, endpoint }
}

describe('/metrics', () => {
  it('is what scrapers read in either format, and adds up with what the destination has', async (t) => {
    const { server, endpoint } = await startDelivered(t)
    const plain = await server.ask('/metrics')
    assert.match(plain.headers['content-type'] ?? '', /^text\/plain; version=0\.0\.4/)
    const open = await server.ask('/metrics', {
      Accept: 'application/openmetrics-text; version=1.0.0,text/plain;q=0.5'
    })
    assert.match(open.headers['content-type'] ?? '', /^application\/openmetrics-text; version=1\.0\.0/)
    const families = parseExposition(plain.body, 'prometheus')
    assert.deepEqual([...parseExposition(open.body, 'openmetrics').keys()], [...families.keys()])
    for (const { name, help, type, samples } of families.values()) {
      assert.match(name, /^(process|stream_manager)_[a-z0-9_]+$/)
      assert.doesNotMatch(name, /_(ms|millis|milliseconds|minutes|kb|kib|mb|mib|percent|total)(_|$)/, 'base units')
      assert.ok(help.length > 10 && samples.length > 0, name)
      if (type === 'counter') for (const { value } of samples) assert.ok(value >= 0, name)
    }

    const valueOf = (name: string, labels: Readonly<Record<string, string>> = {}): number => {
      const samples = families.get(name)?.samples ?? []
      const found = samples.filter((sample) =>
        Object.entries(labels).every(([label, value]) => sample.labels[label] === value)
      )
      return found.reduce((sum, { value }) => sum + value, 0)
    }
    const stream = { stream: ODD_NAME }
    const bytes = [...endpoint.received.values()].reduce((sum, payload) => sum + Buffer.byteLength(payload), 0)
    assert.equal(endpoint.received.size, COUNT)
    assert.equal(valueOf('stream_manager_stream_appended_messages', stream), COUNT)
    assert.equal(valueOf('stream_manager_export_messages', { ...stream, fate: 'exported' }), COUNT)
    assert.equal(valueOf('stream_manager_export_messages', stream), COUNT, 'the fates add up')
    assert.equal(valueOf('stream_manager_export_exported_messages', stream), COUNT + endpoint.duplicates)
    assert.equal(valueOf('stream_manager_export_exported_bytes', stream), bytes)
    assert.equal(valueOf('stream_manager_connections'), 1)
    assert.equal(valueOf('stream_manager_health', { status: 'ok' }), 1)
  })
})

describe('/status', () => {
  it('says the same as the server says to its clients, and asking changes nothing', async (t) => {
    const { server, client } = await startDelivered(t)
    const before = [await listStreams(client), await describeStream(client, ODD_NAME)]
    const log = server.output()
    const [stream] = (await server.report()).streams
    const { definition, storageStatus, exportStatuses } = await describeStream(client, ODD_NAME)
    assert.deepEqual(
      [stream?.name, stream?.definition.maxSizeBytes, stream?.definition.segmentSizeBytes],
      [definition['name'], Number(definition['maxSize']), definition['streamSegmentSize']]
    )
    assert.deepEqual(
      [stream?.oldestSequenceNumber, stream?.nextSequenceNumber, stream?.storedBytes],
      [storageStatus.oldestSequenceNumber, storageStatus.newestSequenceNumber + 1, storageStatus.totalBytes]
    )
    const [item] = stream?.exports ?? []
    assert.deepEqual(
      [item?.identifier, item?.exportedMessages, item?.position],
      [
        exportStatuses[0]?.exportConfigIdentifier,
        exportStatuses[0]?.exportedMessagesCount,
        (exportStatuses[0]?.lastExportedSequenceNumber ?? 0) + 1
      ]
    )
    for (const path of ['/', '/metrics', '/health', '/status', '/status?stream=x', '/messages?stream=x', '/none'])
      for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])
        await server.ask(path, {}, method)
    assert.deepEqual([await listStreams(client), await describeStream(client, ODD_NAME)], before)
    assert.equal(server.output(), log)
  })
})

describe('/health', () => {
  /** A destination that refuses, or does not. */
  async function openMoody(t: TestContext): Promise<{ port: number; server: Server; status: { code: number } }> {
    const status = { code: 500 }
    const server = createServer((request, response) => {
      request.resume()
      request.on('end', () => response.writeHead(status.code).end())
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.after(() => {
      server.closeAllConnections()
      server.close()
    })
    return { port: (server.address() as AddressInfo).port, server, status }
  }

  it('turns bad with an export that fails, and good again', async (t) => {
    const moody = await openMoody(t)
    const { server, client } = await start(t)
    await createStream(client, 's', { exportDefinition: httpExport(moody.port), flushOnWrite: true })
    await append(client, 's', 'message')
    const failing = await server.untilReport(({ health }) => health.status !== 'ok')
    assert.deepEqual(
      failing.health.reasons.map(({ code, severity, stream, export: item }) => [code, severity, stream, item]),
      [['export_failing', 'degraded', 's', 'plant']]
    )
    assert.equal((await server.ask('/health')).status, 200)
    moody.status.code = 200
    await server.untilReport(({ health }) => health.status === 'ok')
    assert.equal((await server.ask('/health')).status, 200)
  })

  it('answers 503 while appends are refused for want of space', async (t) => {
    const { server, client } = await start(t, { STREAM_MANAGER_STORE_RESERVE_BYTES: String(2 ** 50) })
    const { status, body } = await server.ask('/health')
    assert.equal(status, 503)
    const health = JSON.parse(body) as StatusReport['health']
    assert.deepEqual([health.status, health.reasons[0]?.code], ['failing', 'disk_full'])
    assert.deepEqual(await listStreams(client), [])
  })
})

describe('strangers', () => {
  const untilClosed = (socket: Socket): Promise<void> => new Promise((resolve) => socket.on('close', () => resolve()))

  /** Sends bytes; resolves with all that came until the end of the connection. */
  async function send(port: number, text: string): Promise<string> {
    const socket = connect({ host: '127.0.0.1', port })
    socket.on('error', () => undefined)
    let received = ''
    socket.setEncoding('utf8').on('data', (part: string) => (received += part))
    socket.write(text)
    await untilClosed(socket)
    return received
  }

  it('are refused by method, path, host, origin and size, and clients do not notice', async (t) => {
    const { server, client } = await start(t)
    await createStream(client, 's')
    const statusOf = async (...ask: Parameters<MonitoredServer['ask']>): Promise<number> =>
      (await server.ask(...ask)).status
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE'])
      assert.equal(await statusOf('/status', {}, method), 405, method)
    for (const path of ['/none', '/status/', '/../etc/passwd', '/%2e%2e/', '/__proto__', '//health'])
      assert.equal(await statusOf(path), 404, path)
    for (const host of ['evil.example', '127.0.0.1.evil.example', 'localhost:1:2', '0.0.0.0'])
      assert.equal(await statusOf('/status', { Host: host }), 403, host)
    for (const origin of ['http://evil.example', 'null', 'https://localhost'])
      assert.equal(await statusOf('/status', { Origin: origin }), 403, origin)
    assert.equal(await statusOf('/messages?stream=s'), 403, 'messages are not shown unasked')
    assert.equal(await statusOf('/status', { 'X-Huge': 'x'.repeat(9_000) }), 431)
    assert.match(await send(server.monitorPort, 'GET /status HTTP/1.1\r\n\r\n'), /^HTTP\/1\.1 400 /)
    assert.match(await send(server.monitorPort, 'GET /status HTTP/1.1\r\nHost:\r\n\r\n'), /^HTTP\/1\.1 403 /)
    assert.match(await send(server.monitorPort, '\0\x01 nonsense\r\n\r\n'), /^HTTP\/1\.1 400 /)
    const smuggled =
      'POST /status HTTP/1.1\r\nHost: localhost\r\nContent-Length: 40\r\n\r\nGET /health HTTP/1.1\r\nHost: x\r\n\r\n'
    assert.equal((await send(server.monitorPort, smuggled)).match(/HTTP\/1\.1 /g)?.length, 1)
    assert.equal(await append(client, 's', 'served'), 0)
    assert.equal(await statusOf('/health'), 200)
  })

  it('that are slow are closed, and as many as are let in keep clients from nothing', async (t) => {
    const { server, client } = await start(t)
    await createStream(client, 's')
    const closed: Promise<void>[] = []
    for (let count = 0; count < 40; count += 1) {
      const socket = connect({ host: '127.0.0.1', port: server.monitorPort })
      socket.on('error', () => undefined)
      socket.resume()
      socket.write('GET /status HTTP/1.1\r\nHost: loc')
      closed.push(untilClosed(socket))
    }
    await Promise.race(closed)
    assert.equal(await append(client, 's', 'served'), 0)
    // Nobody closes them but the server.
    await Promise.all(closed)
    assert.equal((await server.ask('/health')).status, 200)
  })
})
