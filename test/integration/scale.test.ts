import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CONNECTIONS_MAX, MIB, READ_REPLY_BYTES_MAX, REFUSED_CONNECTIONS_MAX } from '../../component/base/limits.ts'
import { memoryOf } from '../helpers/process-memory.ts'
import { ServerLives } from '../helpers/server-lives.ts'
import { startServer } from '../helpers/server-process.ts'
import {
  append,
  createStream,
  describeStream,
  listStreams,
  numbered,
  read,
  readAll,
  refuse,
  STATUS,
  succeed
} from '../helpers/stream-calls.ts'
import { encodeFrame, OP, WireClient } from '../helpers/wire-client.ts'

/* Many of everything, and large ones: behaviour 3.9 Q7, 14.7, reliability ST26, CL3, CL6, CL13. */

const AT_A_TIME = 50

/** Runs `action` for 0 to `count` - 1, some at a time. */
async function forEach<Value>(count: number, action: (index: number) => Promise<Value>): Promise<Value[]> {
  const results: Value[] = []
  let next = 0
  const work = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) results[index] = await action(index)
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, work))
  return results
}

test('a thousand streams and a thousand connections, and all of it after a restart', async (t) => {
  const COUNT = 1_000
  const servers = new ServerLives()
  t.after(() => servers.dispose())
  const server = await servers.start()
  const nameOf = (index: number): string => `stream ${String(index).padStart(4, '0')}`
  const names = Array.from({ length: COUNT }, (_, index) => nameOf(index))
  const clients = await forEach(COUNT, () => WireClient.connect({ port: server.port }))
  await forEach(COUNT, (index) => createStream(clients[index]!, nameOf(index)))
  await forEach(COUNT, async (index) => assert.equal(await append(clients[index]!, nameOf(index), `in ${index}`), 0))
  assert.deepEqual(await listStreams(clients[0]!), names)
  await forEach(COUNT, (index) => clients[index]!.close())
  const { residentMiB } = memoryOf(server.pid)
  assert.deepEqual(await server.kill('SIGTERM'), { code: 0, signal: null })

  const again = await servers.start()
  const client = await WireClient.connect({ port: again.port })
  assert.deepEqual(await listStreams(client), names)
  await forEach(COUNT, async (index) => {
    assert.deepEqual(numbered(await readAll(client, nameOf(index))), [[0, `in ${index}`]])
    if (index % 100 === 0) assert.equal((await describeStream(client, nameOf(index))).definition['name'], nameOf(index))
  })
  t.diagnostic(`resident: ${residentMiB} MiB, after the restart ${memoryOf(again.pid).residentMiB} MiB`)
  assert.ok(residentMiB < 400, `${residentMiB} MiB`)
  await client.close()
})

test('beyond the limit clients are refused with an answer, those that stay are cut off, and all are welcome again later', async (t) => {
  const server = await startServer()
  t.after(() => server.dispose())
  const clients = await forEach(CONNECTIONS_MAX, () => WireClient.connect({ port: server.port }))
  for (const client of clients) assert.equal(client.connectResponse?.map['status'], STATUS.success)
  // They have been told and do not go: each holds one of the places for refusals.
  const refused = await forEach(REFUSED_CONNECTIONS_MAX, () => WireClient.connect({ port: server.port }))
  for (const client of refused) {
    assert.equal(client.connectResponse?.map['status'], STATUS.failedToConnect)
    assert.match(String(client.connectResponse.map['errorMessage']), /already 2000 connections/)
    await client.untilServerEnds()
  }
  const further = await WireClient.connect({ port: server.port })
  assert.equal(further.connectResponse?.map['status'], STATUS.failedToConnect)
  await forEach(CONNECTIONS_MAX, async (index) => assert.deepEqual(await listStreams(clients[index]!), []))
  await forEach(REFUSED_CONNECTIONS_MAX, (index) => refused[index]!.close())
  await clients[0]!.close()
  const late = await WireClient.connect({ port: server.port })
  assert.equal(late.connectResponse?.map['status'], STATUS.success)
  for (const client of [...clients, late, further]) client.reset()
})

test('whoever connects and says nothing keeps no client out, with any number of connections', async (t) => {
  const server = await startServer()
  t.after(() => server.dispose())
  const admitted = await WireClient.connect({ port: server.port })
  const connectSilently = (): Promise<WireClient> => WireClient.connect({ port: server.port, handshake: false })
  const silent = await forEach(CONNECTIONS_MAX + 2 * REFUSED_CONNECTIONS_MAX, connectSilently)
  const late = await forEach(CONNECTIONS_MAX / 4, () => WireClient.connect({ port: server.port }))
  for (const client of late) assert.equal(client.connectResponse?.map['status'], STATUS.success)
  for (const client of [admitted, ...late]) assert.deepEqual(await listStreams(client), [])
  assert.equal((await silent[0]!.takeConnectResponse()).map['status'], STATUS.failedToConnect)
  for (const client of [...silent, ...late, admitted]) client.reset()
})

test('a client that never reads its answers costs a bounded amount of memory, and others go on', async (t) => {
  const server = await startServer()
  t.after(() => server.dispose())
  const client = await WireClient.connect({ port: server.port })
  await createStream(client, 's')
  for (let count = 0; count < 64; count++) await append(client, 's', Buffer.alloc(MIB, count + 1))
  const deaf = await WireClient.connect({ port: server.port })
  deaf.pauseReading()
  // 256 answers of 64 MiB: 16 GiB, if they were all made.
  const readMessagesOptions = { maxMessageCount: 64 }
  for (let count = 0; count < 256; count++) {
    deaf.send(encodeFrame(OP.readMessages, { requestId: `r${count}`, streamName: 's', readMessagesOptions }))
  }
  for (let count = 0; count < 200; count++) await append(client, 's', 'meanwhile')
  assert.equal((await read(client, 's')).length, 1)
  const { peakMiB } = memoryOf(server.pid)
  t.diagnostic(`peak: ${peakMiB} MiB`)
  assert.ok(peakMiB < 640, `${peakMiB} MiB`)
  deaf.reset()
  assert.equal((await read(client, 's', { maxMessageCount: 64 })).length, 64)
  await client.close()
})

test('messages of 200 MiB go in and out without staying in memory, one of them to an answer', async (t) => {
  const server = await startServer()
  t.after(() => server.dispose())
  const client = await WireClient.connect({ port: server.port })
  await createStream(client, 's', { maxSize: 1_024 * MIB, strategyOnFull: 0 })
  const payload = Buffer.alloc(200 * MIB, 'large')
  const residents: number[] = []
  for (let round = 0; round < 3; round++) {
    assert.equal(await append(client, 's', payload), round)
    const [message, ...others] = await read(client, 's', { desiredStartSequenceNumber: round })
    assert.deepEqual(others, [])
    assert.ok(message?.payload.equals(payload))
    residents.push(memoryOf(server.pid).residentMiB)
  }
  const { peakMiB } = memoryOf(server.pid)
  t.diagnostic(`resident: ${residents.join(', ')} MiB, peak ${peakMiB} MiB`)
  // The collector takes its time, so a few copies may be around; more would mean that they add up.
  assert.ok(residents.at(-1)! < residents[0]! + 250, residents.join(', '))
  assert.ok(peakMiB < 1_000, `${peakMiB} MiB`)
  assert.equal((await read(client, 's', { maxMessageCount: 3 })).length, 1)
  const options = { minMessageCount: 2, maxMessageCount: 3 }
  const request = { streamName: 's', readMessagesOptions: options }
  assert.ok(2 * payload.length > READ_REPLY_BYTES_MAX)
  await refuse(client, OP.readMessages, request, STATUS.responsePayloadTooLarge, /would (exceed|be too large)/)
  await succeed(client, OP.deleteMessageStream, { name: 's' })
  await client.close()
})
