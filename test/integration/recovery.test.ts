import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { openHttpEndpoint } from '../helpers/http-endpoint.ts'
import { ServerLives } from '../helpers/server-lives.ts'
import {
  append,
  appendAll,
  createStream,
  describeStream,
  listStreams,
  numbered,
  readAll,
  refuse,
  STATUS,
  statusOfStorage,
  succeed
} from '../helpers/stream-calls.ts'
import { OP, WireClient } from '../helpers/wire-client.ts'

/* What a restart keeps: behaviour 3.6, 4.2, 4.4, 4.5, 4.7, 14.9, 14.15. */

/** One store and the servers that serve it one after another. */
interface Lives {
  client: WireClient
  /** Ends the server in order and starts another. */
  restart(nodeArguments?: readonly string[]): Promise<void>
}

async function startLives(t: TestContext): Promise<Lives> {
  const servers = new ServerLives()
  t.after(() => servers.dispose())
  let server = await servers.start()
  const lives: Lives = {
    client: await WireClient.connect({ port: server.port }),
    async restart(nodeArguments = []) {
      lives.client.halfClose()
      assert.deepEqual(await server.kill('SIGTERM'), { code: 0, signal: null }, server.output())
      server = await servers.start({ nodeArguments })
      lives.client = await WireClient.connect({ port: server.port })
    }
  }
  t.after(() => lives.client.halfClose())
  return lives
}

const texts = (count: number): string[] => Array.from({ length: count }, (_, index) => `text ${index}`)

test('names of every kind come back with their own messages, and can be deleted for good', async (t) => {
  const odd = ['.', '..', '...', 'a.log', 'A', 'a', ' ', 'end.', 'end ', 'CON', '__proto__', 'constructor', '-', ',']
  const names = [...odd, 'n'.repeat(255), `${'n'.repeat(254)}N`, '.'.repeat(255)]
  const lives = await startLives(t)
  for (const name of names) await createStream(lives.client, name)
  for (const name of names) assert.equal(await append(lives.client, name, `of ${name}`), 0)
  await lives.restart()
  assert.deepEqual(await listStreams(lives.client), names.toSorted())
  for (const name of names) {
    assert.deepEqual(numbered(await readAll(lives.client, name)), [[0, `of ${name}`]])
    await succeed(lives.client, OP.deleteMessageStream, { name })
  }
  await lives.restart()
  assert.deepEqual(await listStreams(lives.client), [])
})

test('a memory stream keeps its definition and starts anew', async (t) => {
  const lives = await startLives(t)
  const exportDefinition = { http: [{ identifier: 'e', uri: 'http://127.0.0.1:9/', disabled: true }] }
  await createStream(lives.client, 'm', { persistence: 1, maxSize: 50_000, exportDefinition })
  await appendAll(lives.client, 'm', texts(100))
  const { definition } = await describeStream(lives.client, 'm')
  await lives.restart()
  const restarted = await describeStream(lives.client, 'm')
  assert.deepEqual(restarted.definition, definition)
  assert.deepEqual(restarted.storageStatus, { oldestSequenceNumber: 0, newestSequenceNumber: -1, totalBytes: 0 })
  assert.equal(restarted.exportStatuses[0]?.lastExportedSequenceNumber, -1)
  assert.equal(await append(lives.client, 'm', 'first'), 0)
})

test('sizes, numbers, segments and updates are the same after every restart', async (t) => {
  const lives = await startLives(t)
  const shape = { maxSize: 8_192, streamSegmentSize: 1_024, strategyOnFull: 1 }
  await createStream(lives.client, 's', { ...shape, flushOnWrite: true })
  for (let round = 0; round < 3; round++) {
    for (let part = 0; part < 5; part++) await appendAll(lives.client, 's', texts(20))
    const { client } = lives
    const [status, messages] = [await statusOfStorage(client, 's'), numbered(await readAll(client, 's'))]
    assert.equal(status.newestSequenceNumber, round * 100 + 99)
    await lives.restart()
    assert.deepEqual(await statusOfStorage(lives.client, 's'), status)
    assert.deepEqual(numbered(await readAll(lives.client, 's')), messages)
  }
  await succeed(lives.client, OP.updateMessageStream, { definition: { name: 's', ...shape, maxSize: 9_000 } })
  await lives.restart()
  const { definition } = await describeStream(lives.client, 's')
  assert.deepEqual([definition['maxSize'], definition['flushOnWrite']], [9_000, false])
})

test('an orderly stop keeps where the exports stand: nothing is sent twice, and nothing is counted anew', async (t) => {
  const endpoint = await openHttpEndpoint()
  t.after(() => endpoint.close())
  const lives = await startLives(t)
  const uri = `http://127.0.0.1:${endpoint.port}/`
  const http = [{ identifier: 'out', uri, exportFormat: 1, batchSize: 10 }]
  await createStream(lives.client, 's', { flushOnWrite: true, exportDefinition: { http } })
  for (let round = 1; round <= 3; round++) {
    await appendAll(lives.client, 's', texts(50))
    await endpoint.untilReceived(round * 50)
    await lives.restart()
    const [status] = (await describeStream(lives.client, 's')).exportStatuses
    assert.equal(status?.lastExportedSequenceNumber, round * 50 - 1)
    assert.equal(status.exportedMessagesCount, round * 50)
  }
  assert.equal(endpoint.duplicates, 0)
})

/** Lets the process live in the future, as after a long time without power. */
const LATER = 'data:text/javascript,const now=Date.now;Date.now=()=>now()+7200000'

test('a device that was off for longer than the time to live: the stream is empty and its numbers go on', async (t) => {
  const lives = await startLives(t)
  const fields = { streamSegmentSize: 1_024, timeToLiveMillis: 3_600_000 }
  await createStream(lives.client, 's', fields)
  for (let part = 0; part < 5; part++) await appendAll(lives.client, 's', texts(20))
  await lives.restart(['--import', LATER])
  const expired = { oldestSequenceNumber: 100, newestSequenceNumber: 99, totalBytes: 0 }
  for (let attempt = 0; (await statusOfStorage(lives.client, 's')).totalBytes > 0; attempt++) {
    assert.ok(attempt < 200, 'nothing expires')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  assert.deepEqual(await statusOfStorage(lives.client, 's'), expired)
  const beyond = 'desired starting sequence number is greater than the last sequence number of the stream'
  await refuse(lives.client, OP.readMessages, { streamName: 's' }, STATUS.notEnoughMessages, beyond)
  await lives.restart(['--import', LATER])
  assert.deepEqual(await statusOfStorage(lives.client, 's'), expired)
  assert.equal(await append(lives.client, 's', 'after'), 100)
  assert.deepEqual(numbered(await readAll(lives.client, 's')), [[100, 'after']])
})
