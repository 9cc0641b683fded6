import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openServerScene, untilSteady } from '../../helpers/server-scene.ts'
import { encodeFrame, OP } from '../../helpers/wire-client.ts'
import { createPromiseGate } from '../../helpers/promise-gate.ts'

const UNAUTHORIZED = 2

test('a client whose token is valid is admitted', async (t) => {
  const tokens: (string | undefined)[] = []
  const { connect } = await openServerScene(t, {
    authenticate: (token) => Promise.resolve(tokens.push(token) > 0)
  })
  const client = await connect({ request: { authToken: 'secret' } })
  assert.equal(client.connectResponse?.map['status'], 0)
  assert.equal((await client.request(OP.listStreams, {})).map['status'], 0)
  assert.deepEqual(tokens, ['secret'])
})

for (const [what, authenticate, text] of [
  ['a token that is not valid', () => Promise.resolve(false), 'Unauthorized'],
  ['a verdict that cannot be had', () => Promise.reject(new Error('no nucleus')), /could not be validated/]
] as const) {
  test(`${what} is refused with an answer, then FIN`, async (t) => {
    const { connect } = await openServerScene(t, { authenticate })
    const client = await connect()
    assert.equal(client.connectResponse?.map['status'], UNAUTHORIZED)
    const message = String(client.connectResponse.map['errorMessage'])
    if (typeof text === 'string') assert.equal(message, text)
    else assert.match(message, text)
    assert.equal((await client.untilServerEnds()).length, 0)
    await client.close()
    await client.untilClosed()
  })
}

test('without a verdict in 5 s a client is refused, never admitted later', async (t) => {
  const verdict = createPromiseGate()
  const { connect, streams } = await openServerScene(t, { authenticate: () => verdict.promise.then(() => true) })
  const client = await connect({ handshake: false })
  const answer = client.handshake()
  const received = (): number => client.socket.bytesRead
  await untilSteady(received)
  await streams.clock.advanceAsync(4_999)
  assert.equal(await untilSteady(received), 0)
  await streams.clock.advanceAsync(1)
  assert.equal((await answer).map['status'], UNAUTHORIZED)
  verdict.open()
  client.send(encodeFrame(OP.listStreams, { requestId: 'late' }))
  assert.equal((await client.untilServerEnds()).length, 0)
})

test('a client that says nothing is ended after ten seconds, without an answer', async (t) => {
  const { connect, streams, listener } = await openServerScene(t)
  const client = await connect({ handshake: false })
  await untilSteady(() => listener.connectionCount)
  await streams.clock.advanceAsync(10_000)
  assert.equal(listener.connectionCount, 1)
  await streams.clock.advanceAsync(1_000)
  assert.equal((await client.untilServerEnds()).length, 0)
  await client.close()
  await untilSteady(() => listener.connectionCount)
  assert.equal(listener.connectionCount, 0)
})

test('while its token is checked a client is not read: what it sends waits, and is served later', async (t) => {
  const verdict = createPromiseGate()
  const { connect, listener } = await openServerScene(t, { authenticate: () => verdict.promise.then(() => true) })
  const client = await connect({ handshake: false })
  const answer = client.handshake()
  await untilSteady(() => listener.connectionCount)
  const filler = Buffer.alloc(1024 * 1024)
  for (let count = 0; count < 64; count += 1) {
    client.send(encodeFrame(OP.listStreams, { requestId: `${count}`, ignored: filler }))
  }
  const unsent = await untilSteady(() => client.socket.writableLength)
  assert.ok(unsent > 32 * 1024 * 1024, `${unsent} bytes are left of 64 MiB`)
  verdict.open()
  assert.equal((await answer).map['status'], 0)
  for (let count = 0; count < 64; count += 1) {
    assert.equal((await client.takeFrame()).map['requestId'], `${count}`)
  }
})

test('a client that has ended its side while its token is checked still hears the verdict and its answers', async (t) => {
  const verdict = createPromiseGate()
  const { connect, listener } = await openServerScene(t, { authenticate: () => verdict.promise.then(() => true) })
  const client = await connect({ handshake: false })
  const answer = client.handshake()
  client.send(encodeFrame(OP.listStreams, { requestId: 'early' }))
  client.halfClose()
  await untilSteady(() => listener.connectionCount)
  verdict.open()
  assert.equal((await answer).map['status'], 0)
  assert.equal((await client.takeFrame()).map['requestId'], 'early')
  assert.equal((await client.untilServerEnds()).length, 0)
})
