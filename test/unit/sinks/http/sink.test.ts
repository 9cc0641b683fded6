import assert from 'node:assert/strict'
import net, { type AddressInfo } from 'node:net'
import { after, beforeEach, test } from 'node:test'
import type { SendOutcome } from '../../../../component/export/sink.ts'
import { createHttpAgents } from '../../../../component/sinks/http/post.ts'
import { createHttpSink } from '../../../../component/sinks/http/sink.ts'
import { createTargetPolicy } from '../../../../component/sinks/http/target.ts'
import { httpExport } from '../../../helpers/export-harness.ts'
import { createFakeClock, flush } from '../../../helpers/fake-clock.ts'
import { answering, startScriptedServer } from '../../../helpers/scripted-server.ts'

const server = await startScriptedServer()
const other = await startScriptedServer()
after(() => Promise.all([server.close(), other.close()]))
beforeEach(() => {
  for (const each of [server, other]) {
    each.requests.length = 0
    each.script = [answering(200)]
  }
})

const clock = createFakeClock()
const context = { clock, agents: createHttpAgents(), policy: createTargetPolicy(undefined), userAgent: 'test/1' }
after(() => {
  context.agents.http.destroy()
  context.agents.https.destroy()
})

function send(
  uri: string,
  signal = new AbortController().signal,
  payload = Buffer.from('hello')
): Promise<SendOutcome> {
  const definition = httpExport({ uri, exportFormat: 'rawNotBatched' })
  const messages = [{ sequenceNumber: 1, ingestTimeMs: 2, payload }]
  return createHttpSink(context, definition).send({ streamName: 's', definition, messages }, signal)
}

function failureOf(outcome: SendOutcome): string {
  assert.ok(outcome.kind === 'retryLater')
  return outcome.reason
}

/** Moves the clock in steps until the request has ended. */
async function advanceUntil(outcome: Promise<unknown>, stepMs: number): Promise<void> {
  const state = { ended: false }
  void outcome.then(() => (state.ended = true))
  while (!state.ended) {
    await flush()
    clock.advance(stepMs)
  }
}

test('any 2xx status is acceptance', async () => {
  for (const status of [200, 201, 202, 204, 299]) {
    server.script = [answering(status)]
    assert.deepEqual(await send(server.origin), { kind: 'delivered' })
  }
  const [request] = server.requests
  assert.equal(request?.method, 'POST')
  assert.equal(request.body.toString(), 'hello')
  assert.equal(request.headers['content-length'], '5')
  assert.equal(request.headers['user-agent'], 'test/1')
  assert.equal(request.headers['x-sequence-number'], '1')
})

test('connections are kept between requests', async () => {
  await send(server.origin)
  const before = server.connections
  await send(server.origin)
  await send(server.origin)
  assert.equal(server.connections, before)
})

test('everything else is a failure with a short reason', async () => {
  for (const [status, reason] of [
    [500, 'HttpError: status 500 Internal Server Error'],
    [404, 'HttpError: status 404 Not Found'],
    [304, 'HttpError: status 304 Not Modified']
  ] as const) {
    server.script = [answering(status)]
    assert.equal(failureOf(await send(server.origin)), reason)
  }
})

test('retry-after is passed on', async () => {
  server.script = [answering(429, { 'retry-after': '7' })]
  assert.deepEqual(await send(server.origin), {
    kind: 'retryLater',
    reason: 'HttpError: status 429 Too Many Requests',
    waitMs: 7_000
  })
  const [date, later] = ['Wed, 15 Nov 2023 00:00:04 GMT', 'Wed, 15 Nov 2023 00:00:10 GMT']
  server.script = [answering(503, { 'retry-after': later, date })]
  const outcome = await send(server.origin)
  assert.equal(outcome.kind === 'retryLater' && outcome.waitMs, 6_000)
})

test('307 and 308 are followed with method and body', async () => {
  for (const status of [307, 308]) {
    server.script = [answering(status, { location: `${other.origin}/next` })]
    assert.deepEqual(await send(server.origin), { kind: 'delivered' })
    const received = other.requests.at(-1)
    assert.deepEqual([received?.method, received?.url, received?.body.toString()], ['POST', '/next', 'hello'])
  }
})

test('redirects that would lose the body are failures', async () => {
  for (const status of [300, 301, 302, 303]) {
    server.script = [answering(status, { location: `${other.origin}/` })]
    assert.match(failureOf(await send(server.origin)), new RegExp(`status ${status}`))
  }
  assert.equal(other.requests.length, 0)
})

test('at most five redirects are followed', async () => {
  server.script = [answering(307, { location: '/again' })]
  assert.equal(failureOf(await send(server.origin)), 'RefusedTarget: more than 5 redirects')
  assert.equal(server.requests.length, 6)
})

test('redirects pass the same checks as the first URL', async () => {
  for (const location of ['http://169.254.169.254/', 'ftp://host/', 'http://user@host/', 'http://[']) {
    server.script = [answering(307, { location })]
    assert.match(failureOf(await send(server.origin)), /^RefusedTarget: /, location)
  }
  server.script = [answering(307)]
  assert.match(failureOf(await send(server.origin)), /status 307/)
})

test('refused targets and URLs that cannot be parsed make no connection', async () => {
  assert.match(failureOf(await send('http://169.254.169.254/')), /^RefusedTarget: /)
  assert.match(failureOf(await send('not a url')), /^RefusedTarget: /)
})

test('a refused connection is told by its code', async () => {
  const closed = await startScriptedServer()
  await closed.close()
  assert.match(failureOf(await send(closed.origin)), /^ECONNREFUSED: /)
})

test('a connection that is reset before the answer is a failure', async () => {
  server.script = [(_request, response) => void response.socket?.resetAndDestroy()]
  assert.match(failureOf(await send(server.origin)), /^(ECONNRESET|EPIPE): /)
})

test('a kept connection that the server has closed meanwhile is replaced without a failure', async () => {
  await send(server.origin)
  server.script = [(_request, response) => void response.socket?.resetAndDestroy(), answering(200)]
  assert.deepEqual(await send(server.origin), { kind: 'delivered' })
})

test('a server that never answers is given up after 60 s', async () => {
  server.script = [() => undefined]
  const outcome = send(server.origin)
  await server.received(1)
  await flush()
  clock.advance(59_000)
  await flush()
  clock.advance(1_000)
  assert.equal(failureOf(await outcome), 'TimeoutError: no progress for 60 s')
})

test('a server that accepts and reads nothing is given up as well', async () => {
  const sockets: net.Socket[] = []
  const silent = net.createServer((socket) => sockets.push(socket.pause().on('error', () => undefined)))
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  const outcome = send(
    `http://127.0.0.1:${(silent.address() as AddressInfo).port}/`,
    undefined,
    Buffer.alloc(32 * 1024 * 1024)
  )
  // The kernel's buffers take some of it first.
  await advanceUntil(outcome, 60_000)
  assert.equal(failureOf(await outcome), 'TimeoutError: no progress for 60 s')
  for (const socket of sockets) socket.destroy()
  silent.close()
})

test('the status decides, whatever becomes of the body: cut, endless, slow', async () => {
  server.script = [
    (_request, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('cut')
      setImmediate(() => response.socket?.destroy())
    }
  ]
  assert.deepEqual(await send(server.origin), { kind: 'delivered' })

  server.script = [
    (_request, response) => {
      response.writeHead(200)
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536)));
      }
      response.on('drain', more).on('error', () => undefined)
      more()
    }
  ]
  assert.deepEqual(await send(server.origin), { kind: 'delivered' })

  server.script = [(_request, response) => void response.writeHead(503).write('slow')]
  const outcome = send(server.origin)
  await server.received(3)
  await advanceUntil(outcome, 500)
  assert.match(failureOf(await outcome), /status 503/)
})

test('an answer that is not HTTP is a failure', async () => {
  const garbage = net.createServer((socket) => socket.on('error', () => undefined).end('garbage\r\n\r\n'))
  await new Promise<void>((resolve) => garbage.listen(0, '127.0.0.1', resolve))
  assert.match(
    failureOf(await send(`http://127.0.0.1:${(garbage.address() as AddressInfo).port}/`)),
    /^HPE_|^ECONNRESET/
  )
  garbage.close()
})

test('an answer that changes to another protocol is a failure', { timeout: 10_000 }, async () => {
  const switching = net.createServer((socket) => {
    const head = 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: other\r\n\r\n'
    socket.on('error', () => undefined).once('data', () => socket.write(head))
  })
  await new Promise<void>((resolve) => switching.listen(0, '127.0.0.1', resolve))
  const outcome = await send(`http://127.0.0.1:${(switching.address() as AddressInfo).port}/`)
  assert.equal(failureOf(outcome), 'HttpError: status 101 Switching Protocols')
  switching.close()
})

test('aborting ends the request', async () => {
  server.script = [() => undefined]
  const abort = new AbortController()
  const outcome = send(server.origin, abort.signal)
  await server.received(1)
  abort.abort()
  assert.match(failureOf(await outcome), /^AbortError: /)
})

test('an aborted signal makes no request', async () => {
  assert.match(failureOf(await send(server.origin, AbortSignal.abort())), /^AbortError: /)
  assert.equal(server.requests.length, 0)
})

test('redirects share one deadline, however slowly each of them comes', async () => {
  server.script = [
    (_request, response) =>
      void clock.after(50_000, () => response.writeHead(307, { location: '/again', connection: 'close' }).end())
  ]
  const outcome = send(server.origin)
  const startMs = clock.monotonicMs()
  await advanceUntil(outcome, 5_000)
  assert.equal(failureOf(await outcome), 'TimeoutError: no answer in time')
  assert.ok(clock.monotonicMs() - startMs <= 80_000, 'a minute, and two looks at the clock')
})

test('the length of the body and each piece that is taken are told, a mere answer is not', async () => {
  const definition = httpExport({ uri: server.origin, exportFormat: 'rawNotBatched' })
  const told: (number | undefined)[] = []
  const messages = [{ sequenceNumber: 1, ingestTimeMs: 2, payload: Buffer.alloc(1024 * 1024) }]
  const sink = createHttpSink(context, definition)
  const { signal } = new AbortController()
  assert.deepEqual(
    await sink.send({ streamName: 's', definition, messages }, signal, (bodyBytes) => told.push(bodyBytes)),
    {
      kind: 'delivered'
    }
  )
  assert.equal(told[0], 1024 * 1024)
  assert.ok(told.length > 16, `${told.length - 1} pieces`)
  assert.ok(told.slice(1).every((bodyBytes) => bodyBytes === undefined))
})
