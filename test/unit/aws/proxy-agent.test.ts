import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import net, { type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, beforeEach, test } from 'node:test'
import type { Clock } from '../../../component/base/clock.ts'
import type { AwsEnvironment } from '../../../component/aws/index.ts'
import { ProxyAgent } from '../../../component/aws/proxy-agent.ts'
import { createFakeClock } from '../../helpers/fake-clock.ts'
import { TEST_CERTIFICATE, TEST_KEY } from '../../helpers/tls-fixture.ts'

const folder = mkdtempSync(join(tmpdir(), 'proxy-'))
const caFile = join(folder, 'ca.pem')
writeFileSync(caFile, TEST_CERTIFICATE)

const tlsFiles = { cert: TEST_CERTIFICATE, key: TEST_KEY }
const destination = https.createServer(tlsFiles, (_request, response) => void response.end('from the destination'))
const asked: http.IncomingMessage[] = []
let refusal: number | undefined
/** What the proxy does instead of an answer. */
let instead: ((client: net.Socket) => void) | undefined

/** A forwarding proxy that writes down whom it was asked for. */
function forward(request: http.IncomingMessage, client: net.Socket): void {
  asked.push(request)
  if (instead !== undefined) {
    instead(client)
    return
  }
  if (refusal !== undefined) {
    client.end(`HTTP/1.1 ${refusal} Refused\r\n\r\n`)
    return
  }
  const [host, port] = (request.url ?? '').split(':')
  const upstream = net.connect(Number(port), host, () => {
    client.write('HTTP/1.1 200 Connection established\r\n\r\n')
    upstream.pipe(client).pipe(upstream)
  })
  upstream.on('error', () => client.destroy())
  client.on('error', () => upstream.destroy())
}

const plainProxy = http.createServer().on('connect', forward)
const secureProxy = https.createServer(tlsFiles).on('connect', forward)
const servers = [destination, plainProxy, secureProxy]
await Promise.all(servers.map((server) => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))))
const portOf = (server: net.Server): number => (server.address() as AddressInfo).port

const agents: ProxyAgent[] = []
after(() => {
  for (const agent of agents) agent.destroy()
  for (const server of servers) {
    server.close()
    server.closeAllConnections()
  }
  rmSync(folder, { recursive: true })
})
beforeEach(() => {
  asked.length = 0
  refusal = undefined
  instead = undefined
})

function agentFor(environment: AwsEnvironment, clock?: Clock): ProxyAgent {
  const agent = new ProxyAgent(environment, clock)
  agents.push(agent)
  return agent
}

function get(
  agent: ProxyAgent,
  host = 'localhost',
  trusted: https.RequestOptions = { ca: TEST_CERTIFICATE }
): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = https.get({ host, port: portOf(destination), agent, ...trusted })
    request.on('error', reject)
    request.on('response', (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      response.on('end', () => resolve(text))
    })
  })
}

test('without a proxy the connection is direct', async () => {
  assert.equal(await get(agentFor({})), 'from the destination')
  assert.equal(asked.length, 0)
})

test('through a proxy the TLS session is with the destination, and it is kept', async () => {
  const agent = agentFor({ HTTPS_PROXY: `http://127.0.0.1:${portOf(plainProxy)}` })
  assert.equal(await get(agent), 'from the destination')
  assert.equal(await get(agent), 'from the destination')
  assert.deepEqual(
    asked.map((request) => request.url),
    [`localhost:${portOf(destination)}`]
  )
  assert.equal(asked[0]?.headers['proxy-authorization'], undefined)
})

test('user and password are percent-decoded', async () => {
  await get(agentFor({ HTTPS_PROXY: `http://me%40home:p%3Aw@127.0.0.1:${portOf(plainProxy)}` }))
  const authorization = asked[0]?.headers['proxy-authorization']
  assert.equal(authorization, `Basic ${Buffer.from('me@home:p:w').toString('base64')}`)
})

test('exceptions are connected to directly', async () => {
  const environment = { HTTPS_PROXY: `http://127.0.0.1:${portOf(plainProxy)}`, NO_PROXY: 'localhost' }
  assert.equal(await get(agentFor(environment)), 'from the destination')
  assert.equal(asked.length, 0)
})

test("a proxy with TLS is trusted by the nucleus' certificates, and by nothing less", async () => {
  const HTTPS_PROXY = `https://localhost:${portOf(secureProxy)}`
  assert.equal(await get(agentFor({ HTTPS_PROXY, GG_ROOT_CA_PATH: caFile })), 'from the destination')
  assert.equal(asked.length, 1)
  await assert.rejects(get(agentFor({ HTTPS_PROXY })), /^Fault: ProxyError: .*self-signed/)
})

test('a proxy that refuses, is down, or cannot be configured is a fault', async () => {
  refusal = 407
  const refusing = agentFor({ HTTPS_PROXY: `http://127.0.0.1:${portOf(plainProxy)}` })
  await assert.rejects(get(refusing), /ProxyError: the proxy refused .* 407 Proxy Authentication Required$/)
  refusal = 599
  await assert.rejects(get(refusing), /ProxyError: the proxy refused .* 599$/)
  await assert.rejects(get(agentFor({ HTTPS_PROXY: 'http://127.0.0.1:1' })), /^Fault: ProxyError: .*ECONNREFUSED/)
  await assert.rejects(get(agentFor({ HTTPS_PROXY: 'http://%zz@127.0.0.1:1' })), /^Fault: ProxyError: /)
  const absent = { HTTPS_PROXY: 'https://localhost:1', GG_ROOT_CA_PATH: join(folder, 'absent') }
  await assert.rejects(get(agentFor(absent)), /^Fault: ProxyError: .*ENOENT/)
})

/** Resolves when the other side has let go of a connection, which itself stays half open. */
function released(client: net.Socket): Promise<void> {
  return new Promise((resolve) => {
    for (const end of ['end', 'error']) client.once(end, () => resolve(void client.destroy()))
    client.resume()
  })
}

test(
  'a proxy that has refused keeps no connection, and one that is slow none either',
  { timeout: 10_000 },
  async () => {
    const clock = createFakeClock()
    const [refused, late] = ['HTTP/1.1 407 Asks\r\ncontent-length: 9000\r\n\r\n', 'HTTP/1.1 200 OK\r\n']
    for (const [text, reason] of [
      [refused, /status 407/],
      [late, /the proxy does not answer/]
    ] as const) {
      const reached = new Promise<net.Socket>((resolve) => (instead = resolve))
      const asking = get(agentFor({ HTTPS_PROXY: `http://127.0.0.1:${portOf(plainProxy)}` }, clock))
      const failed = assert.rejects(asking, reason)
      const client = await reached
      const gone = released(client)
      // It says something now and then, which is no answer yet.
      for (const piece of text === late ? [text, 'x-a: b\r\n'] : [text]) {
        client.write(piece)
        clock.advance(40_000)
      }
      await failed
      await gone
    }
  }
)

test("the nucleus' certificates are trusted for the destination too, with a proxy and without", async () => {
  const HTTPS_PROXY = `http://127.0.0.1:${portOf(plainProxy)}`
  for (const environment of [{}, { HTTPS_PROXY }]) {
    await assert.rejects(get(agentFor(environment), 'localhost', {}), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
    const agent = agentFor({ ...environment, GG_ROOT_CA_PATH: caFile })
    assert.equal(await get(agent, 'localhost', {}), 'from the destination')
  }
})

test('a destination may be an address', async () => {
  const agent = agentFor({ HTTPS_PROXY: `http://127.0.0.1:${portOf(plainProxy)}`, GG_ROOT_CA_PATH: caFile })
  assert.equal(await get(agent, '127.0.0.1', {}), 'from the destination')
  refusal = 403
  await assert.rejects(get(agent, '::1', {}), /status 403/)
  const port = portOf(destination)
  assert.deepEqual(
    asked.map(({ url, headers }) => [url, headers.host]),
    [`127.0.0.1:${port}`, `[::1]:${port}`].map((target) => [target, target])
  )
})

test(
  'a peer that takes the connection, but not part in the TLS handshake, is given up',
  { timeout: 10_000 },
  async (t) => {
    const sockets: net.Socket[] = []
    let reached: (() => void) | undefined
    const silent = net.createServer((socket) => {
      sockets.push(socket)
      socket.on('error', () => undefined).once('data', () => reached?.())
    })
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    t.after(() => {
      for (const socket of sockets) socket.destroy()
      silent.close()
    })
    for (const environment of [{}, { HTTPS_PROXY: `http://127.0.0.1:${portOf(plainProxy)}` }]) {
      const clock = createFakeClock()
      const agent = agentFor(environment, clock)
      const arrived = new Promise<void>((resolve) => (reached = resolve))
      const failed = new Promise<Error>((resolve) => {
        https.get({ host: '127.0.0.1', port: portOf(silent), agent }).on('error', resolve)
      })
      await arrived
      clock.advance(60_000)
      assert.match(String(await failed), /TimeoutError: no TLS handshake/)
      assert.equal(clock.pendingTimers, 0)
    }
  }
)
