import assert from 'node:assert/strict'
import { test } from 'node:test'
import { IN_FLIGHT_REQUESTS_MAX, MIB, UNSENT_REPLY_BYTES_MAX } from '../../../component/base/limits.ts'
import { openServerScene, untilSteady, type ServerScene } from '../../helpers/server-scene.ts'
import { definitionOf, streamOf } from '../../helpers/stream-scene.ts'
import { encodeFrame, OP, type WireClient } from '../../helpers/wire-client.ts'

const STATUS = { success: 0, outOfMemory: 15, notEnoughMessages: 13, unexpectedOperation: 9 }

/** A stream whose appends wait for a sync, and one whose appends do not. */
async function createStreams({ streams }: ServerScene): Promise<void> {
  const maxSizeBytes = 64n * BigInt(MIB)
  await streams.registry.create(definitionOf('flushed', { flushOnWrite: true, maxSizeBytes }))
  await streams.registry.create(definitionOf('quick', { maxSizeBytes, segmentSizeBytes: 16 * MIB }))
}

function sendAppend(client: WireClient, name: string, requestId: string, payload = 'x'): void {
  client.send(encodeFrame(OP.appendMessage, { requestId, name, payload: Buffer.from(payload) }))
}

test('at most 256 requests of a connection are open; the rest waits in the socket and is served in order', async (t) => {
  const scene = await openServerScene(t)
  await createStreams(scene)
  const gate = scene.holdSyncs()
  const client = await scene.connect()
  for (let count = 0; count < 1_000; count += 1) sendAppend(client, 'flushed', `${count}`)
  assert.equal(await untilSteady(scene.served), IN_FLIGHT_REQUESTS_MAX)
  gate.open()
  for (let count = 0; count < 1_000; count += 1) {
    const { map } = await client.takeFrame()
    assert.deepEqual([map['requestId'], map['sequenceNumber']], [`${count}`, count])
  }
})

test('a client that waits for each answer is served at the end of its chunk, and in turn with others', async (t) => {
  const scene = await openServerScene(t)
  await createStreams(scene)
  const [first, second] = [await scene.connect(), await scene.connect()]
  const ask = async (client: WireClient, count: number): Promise<void> => {
    for (let index = 0; index < count; index += 1) {
      sendAppend(client, 'quick', `${index}`)
      assert.equal((await client.takeFrame()).map['requestId'], `${index}`)
    }
  }
  await ask(first, 100)
  await Promise.all([ask(first, 100), ask(second, 100)])
  assert.equal(streamOf(scene.streams, 'quick').log.next, 300)
})

test('a client that does not read its answers is not read either, and loses nothing', async (t) => {
  const scene = await openServerScene(t)
  await createStreams(scene)
  const client = await scene.connect()
  sendAppend(client, 'quick', 'fill', 'x'.repeat(256 * 1024))
  await client.takeFrame()
  client.pauseReading()
  const count = 1_000
  for (let index = 0; index < count; index += 1) {
    client.send(encodeFrame(OP.readMessages, { requestId: `${index}`, streamName: 'quick' }))
  }
  // What the two kernels' buffers and the socket take counts as sent: some MiB.
  const servedMax = IN_FLIGHT_REQUESTS_MAX + (UNSENT_REPLY_BYTES_MAX + 32 * MIB) / (256 * 1024)
  const served = await untilSteady(scene.served)
  assert.ok(served < servedMax, `${served} of ${count} were served`)
  client.resumeReading()
  const ids = new Set<unknown>()
  for (let index = 0; index < count; index += 1) ids.add((await client.takeFrame()).map['requestId'])
  assert.equal(ids.size, count)
})

test('a request for which there is no memory is refused; others go on, and the memory is free again', async (t) => {
  const scene = await openServerScene(t, { frameMemoryBytes: MIB })
  await createStreams(scene)
  const client = await scene.connect()
  sendAppend(client, 'quick', 'large', 'x'.repeat(2 * MIB))
  assert.equal((await client.takeFrame()).map['status'], STATUS.outOfMemory)
  for (let count = 0; count < 8; count += 1) {
    sendAppend(client, 'quick', `${count}`, 'x'.repeat(512 * 1024))
    assert.equal((await client.takeFrame()).map['sequenceNumber'], count)
  }
  assert.equal(scene.frameBudget.used, 0)
})

test('the memory of a request is held until it is answered', async (t) => {
  const scene = await openServerScene(t, { frameMemoryBytes: MIB })
  await createStreams(scene)
  const gate = scene.holdSyncs()
  const [first, second] = [await scene.connect(), await scene.connect()]
  sendAppend(first, 'flushed', 'held', 'x'.repeat(700 * 1024))
  await untilSteady(scene.served)
  sendAppend(second, 'flushed', 'too much', 'x'.repeat(700 * 1024))
  assert.equal((await second.takeFrame()).map['status'], STATUS.outOfMemory)
  gate.open()
  assert.equal((await first.takeFrame()).map['status'], STATUS.success)
  sendAppend(second, 'flushed', 'again', 'x'.repeat(700 * 1024))
  assert.equal((await second.takeFrame()).map['status'], STATUS.success)
})

test('the memory of a large append is not used again before its answer, whatever comes meanwhile', async (t) => {
  const scene = await openServerScene(t)
  await createStreams(scene)
  const gate = scene.holdSyncs()
  const [first, second] = [await scene.connect(), await scene.connect()]
  const fill = (index: number): string => String.fromCharCode(97 + (index % 26)).repeat(70_000 + 7_000 * (index % 9))
  // Equal ids: the first of them waits for its sync, and all others leave behind it.
  for (let index = 0; index < 30; index += 1) {
    sendAppend(first, index === 0 ? 'flushed' : 'quick', 'id', fill(index))
    await untilSteady(scene.served)
    sendAppend(second, 'flushed', `own ${index}`, fill(index + 100))
    await untilSteady(scene.served)
  }
  gate.open()
  for (let index = 0; index < 30; index += 1) {
    const [{ map: equal }, { map: own }] = [await first.takeFrame(), await second.takeFrame()]
    assert.deepEqual([equal['status'], equal['requestId']], [STATUS.success, 'id'])
    assert.deepEqual([own['status'], own['requestId']], [STATUS.success, `own ${index}`])
  }
  for (const [name, texts] of [
    ['quick', Array.from({ length: 29 }, (_, index) => fill(index + 1))],
    ['flushed', [fill(0), ...Array.from({ length: 30 }, (_, index) => fill(index + 100))]]
  ] as const) {
    const { log } = streamOf(scene.streams, name)
    const messages = await log.read(0, log.next, 100, 64 * MIB)
    assert.deepEqual(
      messages.map(({ payload }) => [
        payload.length,
        payload.toString() === payload.toString()[0]!.repeat(payload.length)
      ]),
      texts.map((text) => [text.length, true])
    )
    const letters = (list: readonly string[]): string => [...list].toSorted().join('')
    assert.equal(letters(messages.map(({ payload }) => payload.toString()[0]!)), letters(texts.map((text) => text[0]!)))
  }
})

test('small requests wait their turn for memory too, however many connections send them', async (t) => {
  const scene = await openServerScene(t, { frameMemoryBytes: 100 * 1024 })
  await createStreams(scene)
  const gate = scene.holdSyncs()
  const [first, second] = [await scene.connect(), await scene.connect()]
  sendAppend(first, 'flushed', 'holds', 'x'.repeat(40 * 1024))
  assert.equal(await untilSteady(scene.served), 1)
  sendAppend(second, 'flushed', 'also holds', 'x'.repeat(40 * 1024))
  assert.equal(await untilSteady(scene.served), 2)
  sendAppend(second, 'quick', 'waits', 'x'.repeat(40 * 1024))
  sendAppend(second, 'quick', 'behind it')
  assert.equal(await untilSteady(scene.served), 2)
  gate.open()
  assert.equal((await first.takeFrame()).map['status'], STATUS.success)
  const answered = new Set<unknown>()
  for (let count = 0; count < 3; count += 1) answered.add((await second.takeFrame()).map['requestId'])
  assert.deepEqual(answered, new Set(['also holds', 'waits', 'behind it']))
  assert.equal(scene.frameBudget.used, 0)
})

test('a connection whose open requests hold 16 MiB is not read until some are answered', async (t) => {
  const scene = await openServerScene(t)
  await createStreams(scene)
  const gate = scene.holdSyncs()
  const client = await scene.connect()
  for (let count = 0; count < 8; count += 1) sendAppend(client, 'flushed', `${count}`, 'x'.repeat(4 * MIB))
  assert.equal(await untilSteady(scene.served), 4)
  gate.open()
  for (let count = 0; count < 8; count += 1) assert.equal((await client.takeFrame()).map['status'], STATUS.success)
})

test('an answer that would come after 55 s is not given: the connection ends, the append stands', async (t) => {
  const scene = await openServerScene(t)
  await createStreams(scene)
  const gate = scene.holdSyncs()
  const client = await scene.connect()
  sendAppend(client, 'flushed', 'late')
  await untilSteady(scene.served)
  await scene.streams.clock.advanceAsync(55_000)
  assert.equal(client.socket.readableEnded, false)
  await scene.streams.clock.advanceAsync(2_000)
  gate.open()
  assert.equal((await client.untilServerEnds()).length, 0)
  assert.equal(streamOf(scene.streams, 'flushed').log.next, 1)
  await client.close()
  await client.untilClosed()
})

test('a client that has ended its side gets the answers to all it had sent, then FIN', async (t) => {
  const scene = await openServerScene(t)
  await createStreams(scene)
  const gate = scene.holdSyncs()
  const client = await scene.connect()
  const count = IN_FLIGHT_REQUESTS_MAX + 100
  for (let index = 0; index < count; index += 1) sendAppend(client, 'flushed', `${index}`)
  client.halfClose()
  await untilSteady(scene.served)
  gate.open()
  for (let index = 0; index < count; index += 1) {
    assert.equal((await client.takeFrame()).map['sequenceNumber'], index)
  }
  assert.equal((await client.untilServerEnds()).length, 0)
  assert.equal(await untilSteady(() => scene.listener.connectionCount), 0)
})

test('waiting reads hold up nothing and end with their client', async (t) => {
  const scene = await openServerScene(t)
  await createStreams(scene)
  const client = await scene.connect()
  const readMessagesOptions = { readTimeoutMillis: 3_600_000 }
  client.send(encodeFrame(OP.readMessages, { requestId: 'waits', streamName: 'flushed', readMessagesOptions }))
  sendAppend(client, 'quick', 'append')
  assert.equal((await client.takeFrame()).map['requestId'], 'append')
  client.halfClose()
  const { map } = await client.takeFrame()
  assert.deepEqual([map['requestId'], map['status']], ['waits', STATUS.notEnoughMessages])
  assert.equal((await client.untilServerEnds()).length, 0)
})

test('equal request ids are answered in the order of their requests (behaviour 3.9 Q2)', async (t) => {
  const scene = await openServerScene(t)
  await createStreams(scene)
  const gate = scene.holdSyncs()
  const client = await scene.connect()
  sendAppend(client, 'quick', ' ')
  await client.takeFrame()
  sendAppend(client, 'flushed', ' ')
  sendAppend(client, 'quick', ' ')
  sendAppend(client, 'quick', 'other')
  assert.equal((await client.takeFrame()).map['requestId'], 'other')
  gate.open()
  const numbers = [(await client.takeFrame()).map['sequenceNumber'], (await client.takeFrame()).map['sequenceNumber']]
  assert.deepEqual(numbers, [0, 1])
})

test('after a refusal the server sends FIN, discards what still comes, and never resets', async (t) => {
  const scene = await openServerScene(t)
  const client = await scene.connect({ handshake: false })
  client.send(Buffer.concat([Buffer.of(1), encodeFrame(OP.listStreams, { requestId: 'first' })]))
  const answer = await client.takeConnectResponse()
  assert.equal(answer.map['status'], STATUS.unexpectedOperation)
  assert.equal((await client.untilServerEnds()).length, 0)
  for (let count = 0; count < 16; count += 1) client.send(Buffer.alloc(MIB))
  assert.equal(await untilSteady(() => client.socket.writableLength), 0)
  await client.close()
  await client.untilClosed()
})

test('a peer that never closes its side is cut off ten seconds later', async (t) => {
  const scene = await openServerScene(t)
  const client = await scene.connect()
  client.send(encodeFrame(OP.listStreams, Buffer.of(0xff)))
  await client.untilServerEnds()
  await scene.streams.clock.advanceAsync(9_000)
  assert.equal(scene.listener.connectionCount, 1)
  await scene.streams.clock.advanceAsync(3_000)
  assert.equal(await untilSteady(() => scene.listener.connectionCount), 0)
})

test('a client that vanishes leaves nothing behind', async (t) => {
  const scene = await openServerScene(t)
  await createStreams(scene)
  const gate = scene.holdSyncs()
  const client = await scene.connect()
  sendAppend(client, 'flushed', 'a', 'x'.repeat(MIB))
  const readMessagesOptions = { readTimeoutMillis: 3_600_000, desiredStartSequenceNumber: 9 }
  client.send(encodeFrame(OP.readMessages, { requestId: 'r', streamName: 'flushed', readMessagesOptions }))
  await untilSteady(scene.served)
  client.reset()
  assert.equal(await untilSteady(() => scene.listener.connectionCount), 0)
  gate.open()
  await untilSteady(() => streamOf(scene.streams, 'flushed').log.durableNext)
  assert.equal(scene.frameBudget.used, 0)
  assert.equal(streamOf(scene.streams, 'flushed').log.next, 1)
})

test('stopping answers what is in flight, then ends every connection', async (t) => {
  const scene = await openServerScene(t)
  await createStreams(scene)
  const gate = scene.holdSyncs()
  const client = await scene.connect()
  sendAppend(client, 'flushed', 'a')
  await untilSteady(scene.served)
  const stopped = scene.listener.stop(60_000)
  gate.open()
  assert.equal((await client.takeFrame()).map['sequenceNumber'], 0)
  await client.untilServerEnds()
  await client.close()
  await stopped
  assert.equal(scene.listener.connectionCount, 0)
})

test('requests that came in one piece are served in turns, so that others come in between', async (t) => {
  const scene = await openServerScene(t)
  await createStreams(scene)
  const client = await scene.connect()
  const count = 200
  const requests = Array.from({ length: count }, (_, index) =>
    encodeFrame(OP.describeMessageStream, { requestId: `${index}`, name: 'quick' })
  )
  client.send(Buffer.concat(requests))
  let mostInTurn = 0
  while (scene.served() < count) {
    const before = scene.served()
    await new Promise((resolve) => setImmediate(resolve))
    mostInTurn = Math.max(mostInTurn, scene.served() - before)
  }
  assert.ok(mostInTurn <= 16, `${mostInTurn} in one turn`)
  for (let index = 0; index < count; index += 1) assert.equal((await client.takeFrame()).map['requestId'], `${index}`)
})

test('lists of all streams that are asked for together keep their ids, also behind an answer that must come first', async (t) => {
  const scene = await openServerScene(t)
  const names = Array.from({ length: 100 }, (_, index) => `stream ${index} ${'n'.repeat(60)}`).sort()
  for (const name of names) await scene.streams.registry.create(definitionOf(name, { persistence: 'memory' }))
  const client = await scene.connect()
  const reading = { streamName: names[0]!, readMessagesOptions: { readTimeoutMillis: 60_000 } }
  client.send(encodeFrame(OP.readMessages, { requestId: 'same', ...reading }))
  const ids = ['same', 'a', 'b', 'same', 'c']
  for (const requestId of ids) client.send(encodeFrame(OP.listStreams, { requestId }))
  sendAppend(client, names[0]!, 'wakes the read')
  const answers = new Map<unknown, unknown[]>()
  for (let count = 0; count < ids.length + 2; count += 1) {
    const { map } = await client.takeFrame()
    answers.set(map['requestId'], [...(answers.get(map['requestId']) ?? []), map['streams']])
  }
  const [messages, ...lists] = answers.get('same')!
  assert.equal(messages, undefined)
  assert.deepEqual(lists, [names, names])
  for (const id of ['a', 'b', 'c']) assert.deepEqual(answers.get(id), [names])
})
