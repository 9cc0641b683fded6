import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import net, { type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { openHttpEndpoint } from '../helpers/http-endpoint.ts'
import { startServer } from '../helpers/server-process.ts'
import { succeed } from '../helpers/stream-calls.ts'
import { TEST_CERTIFICATE, TEST_KEY } from '../helpers/tls-fixture.ts'
import { OP, WireClient } from '../helpers/wire-client.ts'

const MESSAGES = 40
const PATIENCE_TURNS = 400

async function listening(server: net.Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

/** A Kinesis behind TLS whose certificate is from a private authority; it takes every record. */
async function openPrivateKinesis(t: TestContext): Promise<{ readonly port: number; readonly records: string[] }> {
  const records: string[] = []
  const server = https.createServer({ cert: TEST_CERTIFICATE, key: TEST_KEY }, (request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      response.setHeader('content-type', 'application/x-amz-json-1.1')
      if (request.headers['x-amz-target'] !== 'Kinesis_20131202.PutRecords') {
        response.writeHead(400).end(JSON.stringify({ __type: 'AccessDeniedException' }))
        return
      }
      const { Records } = JSON.parse(body) as { Records: readonly { readonly Data: string }[] }
      records.push(...Records.map(({ Data }) => Buffer.from(Data, 'base64').toString()))
      const Stored = Records.map(() => ({ SequenceNumber: '1', ShardId: 'shardId-000000000000' }))
      response.end(JSON.stringify({ FailedRecordCount: 0, Records: Stored }))
    })
  })
  const port = await listening(server)
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return { port, records }
}

/** A proxy that lets nobody through but the user of `authorization`, to whatever name, at `port` of this machine. */
async function openProxy(t: TestContext, port: number, users: Set<string>): Promise<number> {
  const sockets = new Set<net.Socket>()
  const proxy = http.createServer().on('connect', (request: http.IncomingMessage, client: net.Socket) => {
    sockets.add(client.on('error', () => undefined))
    if (!users.has(request.headers['proxy-authorization'] ?? '')) {
      client.write(
        'HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic\r\ncontent-length: 0\r\n\r\n'
      )
      return
    }
    const upstream = net.connect(port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n')
      upstream.pipe(client).pipe(upstream)
    })
    sockets.add(upstream.on('error', () => client.destroy()))
  })
  const proxyPort = await listening(proxy)
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    proxy.close()
  })
  return proxyPort
}

/** Asks until the only export of a stream is as wanted. */
async function untilExport(
  client: WireClient,
  name: string,
  isReached: (status: Readonly<Record<string, unknown>>) => boolean
): Promise<void> {
  for (let turn = 0; ; turn += 1) {
    const { messageStreamInfo } = await succeed(client, OP.describeMessageStream, { name })
    const [status = {}] = (messageStreamInfo as { exportStatuses: readonly Record<string, unknown>[] }).exportStatuses
    if (isReached(status)) return
    assert.ok(turn < PATIENCE_TURNS, JSON.stringify(status))
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

test('a proxy that refuses its user holds its exports alone, which go on when it lets them through', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'proxies-'))
  const caFile = join(folder, 'ca.pem')
  writeFileSync(caFile, TEST_CERTIFICATE)
  const kinesis = await openPrivateKinesis(t)
  const users = new Set<string>()
  const proxyPort = await openProxy(t, kinesis.port, users)
  const direct = await openHttpEndpoint()
  const server = await startServer({
    environment: {
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'id',
      AWS_SECRET_ACCESS_KEY: 'secret',
      AWS_ENDPOINT_URL_KINESIS: `https://localhost:${kinesis.port}`,
      GG_ROOT_CA_PATH: caFile,
      HTTPS_PROXY: `http://me%40home:p%3Aw@127.0.0.1:${proxyPort}`
    }
  })
  t.after(async () => {
    await Promise.all([server.dispose(), direct.close()])
    rmSync(folder, { recursive: true })
  })
  const client = await WireClient.connect({ port: server.port })
  const create = (name: string, exportDefinition: object): Promise<unknown> =>
    succeed(client, OP.createMessageStream, { definition: { name, strategyOnFull: 1, exportDefinition } })
  await create('far', { kinesis: [{ identifier: 'k', kinesisStreamName: 'target', batchSize: 10 }] })
  await create('near', { http: [{ identifier: 'h', uri: `http://127.0.0.1:${direct.port}/`, exportFormat: 1 }] })
  const expected = Array.from({ length: MESSAGES }, (_, number) => `message ${number}`)
  for (const payload of expected.map((text) => Buffer.from(text))) {
    for (const name of ['far', 'near']) await succeed(client, OP.appendMessage, { name, payload })
  }

  await untilExport(client, 'far', ({ errorMessage }) => /^ProxyError: .*\b407\b/.test(String(errorMessage)))
  await direct.untilReceived(MESSAGES)
  assert.deepEqual(kinesis.records, [])

  users.add(`Basic ${Buffer.from('me@home:p:w').toString('base64')}`)
  await untilExport(client, 'far', (status) => status['lastExportedSequenceNumber'] === MESSAGES - 1)
  assert.deepEqual(kinesis.records, expected)
  assert.doesNotMatch(server.output(), /p%3Aw|p:w/)
  await client.close()
})
