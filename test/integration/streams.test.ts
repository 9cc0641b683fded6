import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startServer, type ServerProcess } from '../helpers/server-process.ts'
import {
  append,
  appendAll,
  createStream,
  defining,
  describeStream,
  numbered,
  readAll,
  refuse,
  STATUS,
  statusOfStorage,
  succeed
} from '../helpers/stream-calls.ts'
import { OP, WireClient, type WireMap } from '../helpers/wire-client.ts'

/* Size, retention and update of streams over the wire: behaviour 3.2, 3.3, 3.6, 3.7, 3.8, 4.3. */

let server: ServerProcess
let client: WireClient

before(async () => {
  server = await startServer()
  client = await WireClient.connect({ port: server.port })
})

after(async () => {
  await client.close()
  await server.dispose()
})

const RECORD_HEADER_BYTES = 24
const texts = (count: number, bytes: number): string[] =>
  Array.from({ length: count }, (_, index) => String(index).padStart(bytes, '.'))

/** Waits for each answer, so that segments fill one message at a time. */
async function appendSlowly(name: string, payloads: readonly string[]): Promise<void> {
  for (const payload of payloads) await append(client, name, payload)
}

test('a full stream that rejects new data says so, keeps everything, and takes what still fits', async () => {
  await createStream(client, 'rejecting', { strategyOnFull: 0, maxSize: 1_024 })
  await appendSlowly('rejecting', texts(8, 100))
  const full: WireMap = { name: 'rejecting', payload: Buffer.alloc(100) }
  await refuse(client, OP.appendMessage, full, STATUS.invalidRequest, 'the message stream is full')
  assert.equal(await append(client, 'rejecting', 'y'.repeat(1_024 - 8 * 124 - RECORD_HEADER_BYTES)), 8)
  assert.deepEqual(await statusOfStorage(client, 'rejecting'), {
    oldestSequenceNumber: 0,
    newestSequenceNumber: 8,
    totalBytes: 1_024
  })
  assert.equal((await readAll(client, 'rejecting')).length, 9)
})

test('a full stream that overwrites drops whole segments, the oldest first, and never more than it must', async () => {
  await createStream(client, 'overwriting', { maxSize: 10_240, streamSegmentSize: 2_048 })
  // 8 records of 248 bytes to a segment, 5 segments to the stream.
  await appendSlowly('overwriting', texts(41, 224))
  assert.deepEqual(await statusOfStorage(client, 'overwriting'), {
    oldestSequenceNumber: 0,
    newestSequenceNumber: 40,
    totalBytes: 41 * 248
  })
  await append(client, 'overwriting', 'x'.repeat(224))
  const { oldestSequenceNumber, totalBytes } = await statusOfStorage(client, 'overwriting')
  assert.deepEqual([oldestSequenceNumber, totalBytes], [8, (42 - 8) * 248])
  const found = await readAll(client, 'overwriting')
  assert.deepEqual(
    found.map(({ sequenceNumber }) => sequenceNumber),
    Array.from({ length: 34 }, (_, index) => 8 + index)
  )
})

test('a stream smaller than its segment never empties itself', async () => {
  await createStream(client, 'small', { maxSize: 4_096 })
  await appendSlowly('small', texts(100, 100))
  const { oldestSequenceNumber, newestSequenceNumber, totalBytes } = await statusOfStorage(client, 'small')
  assert.equal(newestSequenceNumber, 99)
  assert.ok(oldestSequenceNumber > 0 && newestSequenceNumber - oldestSequenceNumber >= 16)
  assert.ok(totalBytes <= 4_096)
  assert.equal((await describeStream(client, 'small')).definition['streamSegmentSize'], 16_777_216)
})

test('a message that can never fit is refused and costs nothing; one larger than a segment is stored', async () => {
  for (const strategyOnFull of [0, 1]) {
    const name = `oversize ${strategyOnFull}`
    await createStream(client, name, { strategyOnFull, maxSize: 8_192, streamSegmentSize: 1_024 })
    await appendSlowly(name, texts(20, 100))
    const before = await statusOfStorage(client, name)
    const payload = Buffer.alloc(8_192 - RECORD_HEADER_BYTES + 1)
    const text = 'the message is larger than the maximum size of the stream'
    await refuse(client, OP.appendMessage, { name, payload }, STATUS.invalidRequest, text)
    assert.deepEqual(await statusOfStorage(client, name), before)
    assert.equal(await append(client, name, Buffer.alloc(4_000)), 20)
    assert.equal((await readAll(client, name)).at(-1)?.payload.length, 4_000)
  }
  assert.equal(await append(client, 'oversize 1', Buffer.alloc(8_192 - RECORD_HEADER_BYTES)), 21)
  assert.deepEqual(await statusOfStorage(client, 'oversize 1'), {
    oldestSequenceNumber: 21,
    newestSequenceNumber: 21,
    totalBytes: 8_192
  })
})

test('an empty stream has the numbers 0 and -1', async () => {
  await createStream(client, 'empty')
  assert.deepEqual(await statusOfStorage(client, 'empty'), {
    oldestSequenceNumber: 0,
    newestSequenceNumber: -1,
    totalBytes: 0
  })
})

test('streams with flushOnWrite acknowledge, in order, and also when they are deleted meanwhile', async () => {
  await createStream(client, 'flushed', { flushOnWrite: true })
  const numbers = await appendAll(client, 'flushed', texts(200, 10))
  assert.deepEqual(
    numbers,
    texts(200, 10).map((_, index) => index)
  )
  assert.deepEqual(
    numbered(await readAll(client, 'flushed')),
    texts(200, 10).map((text, index) => [index, text])
  )
  const late = Array.from({ length: 100 }, () =>
    client.request(OP.appendMessage, { name: 'flushed', payload: Buffer.from('late') })
  )
  await succeed(client, OP.deleteMessageStream, { name: 'flushed' })
  for (const { map } of await Promise.all(late)) {
    const isRefused = map['errorMessage'] === 'the message stream does not exist'
    assert.ok(map['status'] === STATUS.success || isRefused, String(map['errorMessage']))
  }
  await createStream(client, 'flushed')
  assert.equal(await append(client, 'flushed', 'anew'), 0)
})

const update = (name: string, fields: WireMap): WireMap => defining(name, fields)
const refuseUpdate = (name: string, fields: WireMap, status: number, text: string): Promise<void> =>
  refuse(client, OP.updateMessageStream, update(name, fields), status, text)
const accept = (name: string, fields: WireMap): Promise<WireMap> =>
  succeed(client, OP.updateMessageStream, update(name, fields))

test('what an update may not do, in the words of the original', async () => {
  const text = 'the message stream does not exist'
  await refuseUpdate('nowhere', {}, STATUS.resourceNotFound, text)
  await createStream(client, 'updated', { maxSize: 10_000, streamSegmentSize: 2_000 })
  await appendSlowly('updated', texts(20, 200))
  const { totalBytes } = await statusOfStorage(client, 'updated')
  const persistence = 'persistence of a message stream cannot be updated'
  await refuseUpdate('updated', { persistence: 1 }, STATUS.updateNotAllowed, persistence)
  const tooSmall = `maxSize ${totalBytes - 1} is smaller than the current size ${totalBytes} of the message stream`
  const fields = { maxSize: totalBytes - 1, streamSegmentSize: 2_000 }
  await refuseUpdate('updated', fields, STATUS.invalidRequest, tooSmall)
  const segment = 'streamSegmentSize 20000 is larger than maxSize 10000'
  const larger = { maxSize: 10_000, streamSegmentSize: 20_000 }
  await refuseUpdate('updated', larger, STATUS.invalidRequest, segment)
  const { definition } = await describeStream(client, 'updated')
  assert.deepEqual([definition['maxSize'], definition['streamSegmentSize']], [10_000, 2_000])
  await accept('updated', { maxSize: totalBytes, streamSegmentSize: 2_000 })
})

test('a segment size beyond maxSize that was created so may stay, and everything absent reverts', async () => {
  const small = { maxSize: 100_000 }
  await createStream(client, 'inherited', { ...small, timeToLiveMillis: 60_000, strategyOnFull: 0 })
  await accept('inherited', { ...small, flushOnWrite: true })
  const { definition } = await describeStream(client, 'inherited')
  assert.equal(definition['flushOnWrite'], true)
  assert.equal(definition['strategyOnFull'], 1)
  assert.equal(definition['timeToLiveMillis'] ?? undefined, undefined)
  const text = 'streamSegmentSize 16777216 is larger than maxSize 100001'
  await refuseUpdate('inherited', { maxSize: 100_001 }, STATUS.invalidRequest, text)
})

test('an update holds at once: a larger stream takes more, another strategy makes room', async () => {
  await createStream(client, 'growing', { strategyOnFull: 0, maxSize: 1_024, streamSegmentSize: 1_024 })
  await appendSlowly('growing', texts(8, 100))
  const message: WireMap = { name: 'growing', payload: Buffer.alloc(100) }
  await refuse(client, OP.appendMessage, message, STATUS.invalidRequest, 'the message stream is full')
  await accept('growing', { strategyOnFull: 0, maxSize: 2_048, streamSegmentSize: 1_024 })
  await succeed(client, OP.appendMessage, message)
  await accept('growing', { strategyOnFull: 1, maxSize: 2_048, streamSegmentSize: 1_024 })
  await appendSlowly('growing', texts(20, 100))
  const { oldestSequenceNumber, newestSequenceNumber } = await statusOfStorage(client, 'growing')
  assert.equal(newestSequenceNumber, 28)
  assert.ok(oldestSequenceNumber > 0)
})

test('an export is sent back or forward to a message that exists, or not at all', async () => {
  const exporting = (startSequenceNumber: number): WireMap => ({
    exportDefinition: { http: [{ identifier: 'e', uri: 'http://127.0.0.1:9/', disabled: true, startSequenceNumber }] }
  })
  await createStream(client, 'replayed', exporting(0))
  await appendAll(client, 'replayed', texts(10, 5))
  const text = 'startSequenceNumber 9 must be less than the newest sequence number 9'
  await refuseUpdate('replayed', exporting(9), STATUS.invalidRequest, text)
  await accept('replayed', exporting(8))
  const [status] = (await describeStream(client, 'replayed')).exportStatuses
  assert.equal(status?.lastExportedSequenceNumber, 7)
})

test('a delete empties, a create of the same name starts at 0, and both refuse what they must', async () => {
  await createStream(client, 'again')
  await append(client, 'again', 'old')
  await refuse(
    client,
    OP.createMessageStream,
    defining('again'),
    STATUS.invalidRequest,
    'the message stream already exists'
  )
  await succeed(client, OP.deleteMessageStream, { name: 'again' })
  const missing = 'the message stream does not exist'
  await refuse(client, OP.deleteMessageStream, { name: 'again' }, STATUS.resourceNotFound, missing)
  await refuse(client, OP.describeMessageStream, { name: 'again' }, STATUS.resourceNotFound, missing)
  const payload = Buffer.from('x')
  await refuse(client, OP.appendMessage, { name: 'again', payload }, STATUS.resourceNotFound, missing)
  await createStream(client, 'again')
  assert.equal(await append(client, 'again', 'new'), 0)
  assert.deepEqual(numbered(await readAll(client, 'again')), [[0, 'new']])
})
