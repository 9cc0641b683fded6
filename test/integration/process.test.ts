import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { startFakeNucleus } from '../helpers/fake-nucleus.ts'
import { openLyingEndpoint } from '../helpers/lying-endpoint.ts'
import { ServerLives } from '../helpers/server-lives.ts'
import { spawnServer, startServer } from '../helpers/server-process.ts'
import {
  appendAll,
  createStream,
  defining,
  describeStream,
  listStreams,
  numbered,
  readAll,
  refuse,
  STATUS,
  succeed
} from '../helpers/stream-calls.ts'
import { OP, WireClient } from '../helpers/wire-client.ts'

/* Starts that must fail and how, ends and what they promise: behaviour 2, reliability 3.4, PR2, PR11, CF2, CF3. */

const PATIENCE_TURNS = 50_000
const EXIT = { ok: 0, startFailed: 1, storeInUse: 2 }

/** Starts a server that cannot start; returns what it wrote. */
async function failToStart(code: number, environment: Record<string, string>, storeRoot?: string): Promise<string> {
  const server = spawnServer({ environment, ...(storeRoot === undefined ? {} : { storeRoot }) })
  try {
    assert.deepEqual(await server.untilExit(), { code, signal: null }, server.output())
    assert.doesNotMatch(server.output(), /reporting the state: RUNNING|\n\s+at /)
    return server.output()
  } finally {
    await server.dispose()
  }
}

test('a second server on the same store leaves, says who holds it, and disturbs nobody', async (t) => {
  const server = await startServer()
  t.after(() => server.dispose())
  const client = await WireClient.connect({ port: server.port })
  await createStream(client, 's')
  for (let attempt = 0; attempt < 2; attempt++) {
    const output = await failToStart(EXIT.storeInUse, {}, server.storeRoot)
    assert.match(output, new RegExp(`in use by the process ${server.pid}\\b`))
  }
  assert.deepEqual(await listStreams(client), ['s'])
  await client.close()
})

test('a port that is taken is named, and the store is free again', async (t) => {
  const other = createServer()
  other.listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.after(() => other.close())
  const port = String((other.address() as AddressInfo).port)
  const output = await failToStart(EXIT.startFailed, { STREAM_MANAGER_SERVER_PORT: port })
  assert.match(output, new RegExp(`port ${port} .*another process has it`))
})

test('a store folder that is missing, no folder, or cannot be written is named with the user', async (t) => {
  const server = await startServer()
  t.after(() => server.dispose())
  const file = join(server.storeRoot, 'file')
  writeFileSync(file, 'x')
  for (const [path, reason] of [
    [join(server.storeRoot, 'missing'), /does not exist/],
    [file, /is not a folder/],
    ['/proc', /cannot be used/]
  ] as const) {
    const output = await failToStart(EXIT.startFailed, { STREAM_MANAGER_STORE_ROOT_DIR: path })
    assert.match(output, reason)
    assert.ok(output.includes(`the store folder ${path} `), output)
    assert.match(output, /user \S+ needs to read, write and enter it/)
  }
})

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} answers what is in flight, refuses new clients, and exits with 0`, async (t) => {
    const servers = new ServerLives()
    t.after(() => servers.dispose())
    const server = await servers.start()
    const client = await WireClient.connect({ port: server.port })
    await createStream(client, 's', { flushOnWrite: true })
    const waiting = client.request(OP.readMessages, {
      streamName: 's',
      readMessagesOptions: { desiredStartSequenceNumber: 1_000_000, readTimeoutMillis: 50_000 }
    })
    const appends = Array.from({ length: 300 }, (_, index) =>
      client.request(OP.appendMessage, { name: 's', payload: Buffer.from(`text ${index}`) })
    )
    // The first answer says that the server has taken requests in; most are still on their way.
    await appends[0]
    const end = server.kill(signal)
    const outcomes = await Promise.allSettled(appends)
    assert.equal((await waiting).map['status'], STATUS.notEnoughMessages)
    await client.untilServerEnds()
    await client.close()
    assert.deepEqual(await end, { code: EXIT.ok, signal: null })
    await assert.rejects(WireClient.connect({ port: server.port }))
    const acknowledged = outcomes.flatMap((outcome, index): [number, string][] =>
      outcome.status === 'fulfilled' ? [[outcome.value.map['sequenceNumber'] as number, `text ${index}`]] : []
    )
    assert.ok(acknowledged.length > 0)
    const again = await servers.start()
    const reader = await WireClient.connect({ port: again.port })
    assert.deepEqual(numbered(await readAll(reader, 's')), acknowledged)
    await reader.close()
  })
}

test('a second SIGTERM ends a stop that waits for somebody', async (t) => {
  const server = await startServer()
  t.after(() => server.dispose())
  const client = await WireClient.connect({ port: server.port })
  const end = server.kill('SIGTERM')
  // The client has been told and does not go.
  await client.untilServerEnds()
  await server.kill('SIGTERM')
  assert.deepEqual(await end, { code: EXIT.startFailed, signal: null })
  assert.doesNotMatch(server.output(), /has stopped/)
  client.reset()
})

test('a client that does not go cannot hold up the end', async (t) => {
  const server = await startServer()
  t.after(() => server.dispose())
  const client = await WireClient.connect({ port: server.port })
  assert.deepEqual(await server.kill('SIGTERM'), { code: EXIT.ok, signal: null })
  client.reset()
})

test('destinations, credentials and a nucleus that hang cannot hold up the end, and cost no message', async (t) => {
  const servers = new ServerLives()
  const nucleus = await startFakeNucleus('classic')
  const [web, exchange] = [await openLyingEndpoint('hang'), await openLyingEndpoint('hang')]
  t.after(async () => {
    await servers.dispose()
    await Promise.all([nucleus.dispose(), web.close(), exchange.close()])
  })
  const environment = {
    SVCUID: nucleus.ownToken,
    AWS_GG_NUCLEUS_DOMAIN_SOCKET_FILEPATH_FOR_COMPONENT: nucleus.socketPath,
    AWS_CONTAINER_CREDENTIALS_FULL_URI: `${exchange.origin}/credentials`,
    AWS_REGION: 'eu-central-1'
  }
  const server = await servers.start({ environment })
  const client = await WireClient.connect({ port: server.port })
  const http = [{ identifier: 'h', uri: `${web.origin}/`, exportFormat: 1 }]
  const kinesis = [{ identifier: 'k', kinesisStreamName: 'target' }]
  await createStream(client, 's', { exportDefinition: { http, kinesis } })
  const texts = Array.from({ length: 50 }, (_, index) => `${index}${'x'.repeat(100_000)}`)
  await appendAll(client, 's', texts)
  for (let turn = 0; web.heard === 0 || exchange.heard === 0; turn += 1) {
    assert.ok(turn < PATIENCE_TURNS, server.output())
    await describeStream(client, 's')
  }
  nucleus.answers = false
  assert.deepEqual(await server.kill('SIGTERM'), { code: EXIT.ok, signal: null })
  assert.match(server.output(), /The server has stopped/)
  client.reset()

  const again = await servers.start()
  const reader = await WireClient.connect({ port: again.port })
  assert.deepEqual(
    (await readAll(reader, 's')).map(({ payload }) => payload.toString()),
    texts
  )
  await reader.close()
})

test('a client of protocol 1.0.0 gets no status code that would end its reader', async (t) => {
  const server = await startServer()
  t.after(() => server.dispose())
  const request = { protocolVersion: '1.0.0', otherSupportedProtocolVersions: [] }
  const old = await WireClient.connect({ port: server.port, request })
  assert.equal(old.connectResponse?.map['protocolVersion'], '1.0.0')
  const current = await WireClient.connect({ port: server.port })
  await createStream(old, 's')
  const changed = defining('s', { persistence: 1 })
  const text = 'persistence of a message stream cannot be updated'
  await refuse(current, OP.updateMessageStream, changed, STATUS.updateNotAllowed, text)
  await refuse(old, OP.updateMessageStream, changed, STATUS.invalidRequest, text)
  await refuse(old, 99, {}, STATUS.invalidRequest, /unknown operation 99/)
  await succeed(old, OP.deleteMessageStream, { name: 's' })
  await old.close()
  await current.close()
})
