import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startServer, type ServerProcess } from '../helpers/server-process.ts'
import {
  append,
  appendAll,
  createStream,
  numbered,
  read,
  readAll,
  refuse,
  STATUS,
  statusOfStorage,
  succeed,
  type ReadMessage
} from '../helpers/stream-calls.ts'
import { OP, WireClient, type WireMap } from '../helpers/wire-client.ts'

/* ReadMessages over the wire, with the texts that programs compare: behaviour 3.4. */

const TIMED_OUT = 'not enough messages to return before time out'
const BEYOND_END = 'desired starting sequence number is greater than the last sequence number of the stream'
const LONG_MS = 50_000

let server: ServerProcess
let client: WireClient

before(async () => {
  server = await startServer()
  client = await WireClient.connect({ port: server.port })
  await createStream(client, 'ten')
  await appendAll(
    client,
    'ten',
    Array.from({ length: 10 }, (_, index) => `message ${index}`)
  )
})

after(async () => {
  await client.close()
  await server.dispose()
})

async function numbersOf(name: string, options?: WireMap): Promise<number[]> {
  return (await read(client, name, options)).map(({ sequenceNumber }) => sequenceNumber)
}

const requestOf = (name: string, options: WireMap): WireMap => ({ streamName: name, readMessagesOptions: options })

function refuseRead(name: string, options: WireMap, text: string): Promise<void> {
  return refuse(client, OP.readMessages, requestOf(name, options), STATUS.notEnoughMessages, text)
}

test('the defaults read the first message', async () => {
  const [message, ...others] = await read(client, 'ten')
  assert.deepEqual(others, [])
  assert.deepEqual(numbered([message!]), [[0, 'message 0']])
  assert.equal(message?.streamName, 'ten')
  assert.ok(Number.isSafeInteger(message.ingestTime) && message.ingestTime > 0)
  assert.deepEqual(await numbersOf('ten', {}), [0])
})

test('without a maximum a read returns the minimum, and what is there up to a maximum otherwise', async () => {
  assert.deepEqual(await numbersOf('ten', { minMessageCount: 3 }), [0, 1, 2])
  assert.deepEqual(await numbersOf('ten', { maxMessageCount: 4 }), [0, 1, 2, 3])
  const rest = { desiredStartSequenceNumber: 7, minMessageCount: 2, maxMessageCount: 2_147_483_647 }
  assert.deepEqual(await numbersOf('ten', rest), [7, 8, 9])
  assert.deepEqual(await numbersOf('ten', { desiredStartSequenceNumber: 9 }), [9])
})

test('a start before the oldest message means the oldest', async () => {
  await createStream(client, 'rolled', { maxSize: 2_048, streamSegmentSize: 1_024 })
  for (let count = 0; count < 40; count++) await append(client, 'rolled', 'x'.repeat(100))
  const { oldestSequenceNumber: oldest } = await statusOfStorage(client, 'rolled')
  assert.ok(oldest > 1)
  assert.deepEqual(await numbersOf('rolled', { desiredStartSequenceNumber: 1, minMessageCount: 2 }), [
    oldest,
    oldest + 1
  ])
  assert.deepEqual(await numbersOf('rolled', { desiredStartSequenceNumber: 0 }), [oldest])
})

test('a read without time-out that finds too little says why', async () => {
  await createStream(client, 'nothing')
  await refuseRead('nothing', {}, BEYOND_END)
  await refuseRead('ten', { desiredStartSequenceNumber: 10 }, BEYOND_END)
  await refuseRead('ten', { desiredStartSequenceNumber: Number.MAX_SAFE_INTEGER }, BEYOND_END)
  await refuseRead('ten', { desiredStartSequenceNumber: 8, minMessageCount: 3 }, TIMED_OUT)
  await refuseRead('ten', { minMessageCount: 11 }, TIMED_OUT)
})

test('a read whose time-out passes returns nothing, also when something was there', async () => {
  await refuseRead('ten', { desiredStartSequenceNumber: 10, readTimeoutMillis: 50 }, TIMED_OUT)
  await refuseRead('ten', { minMessageCount: 11, readTimeoutMillis: 50 }, TIMED_OUT)
  assert.deepEqual(
    await numbersOf('ten', { minMessageCount: 10, readTimeoutMillis: 50 }),
    await numbersOf('ten', {
      minMessageCount: 10
    })
  )
})

test('impossible options are refused, and a stream that is not there', async () => {
  const text = 'minMessageCount 5 is larger than maxMessageCount 4'
  const options = { minMessageCount: 5, maxMessageCount: 4 }
  await refuse(client, OP.readMessages, requestOf('ten', options), STATUS.invalidRequest, text)
  const missing = 'the message stream does not exist'
  for (const wait of [0, LONG_MS]) {
    const request = requestOf('nowhere', { readTimeoutMillis: wait })
    await refuse(client, OP.readMessages, request, STATUS.resourceNotFound, missing)
  }
})

interface Waiting {
  readonly answer: Promise<readonly ReadMessage[]>
  isAnswered: boolean
}

/** A read that waits; the answer to a later request of the connection says that it has been taken in. */
async function startWaiting(name: string, options: WireMap): Promise<Waiting> {
  const waiting: Waiting = {
    answer: read(client, name, { readTimeoutMillis: LONG_MS, ...options }).finally(() => (waiting.isAnswered = true)),
    isAnswered: false
  }
  await succeed(client, OP.listStreams, {})
  return waiting
}

test('several reads wait at once, for different things, and hold nobody up', async () => {
  await createStream(client, 'awaited')
  const first = await startWaiting('awaited', {})
  const third = await startWaiting('awaited', { desiredStartSequenceNumber: 2 })
  const many = await startWaiting('awaited', { minMessageCount: 4, maxMessageCount: 10 })
  const other = await WireClient.connect({ port: server.port })
  assert.deepEqual([first.isAnswered, third.isAnswered, many.isAnswered], [false, false, false])
  await append(other, 'awaited', 'a')
  assert.deepEqual(numbered(await first.answer), [[0, 'a']])
  await append(other, 'awaited', 'b')
  assert.deepEqual(numbered(await readAll(client, 'awaited')), [
    [0, 'a'],
    [1, 'b']
  ])
  assert.deepEqual([third.isAnswered, many.isAnswered], [false, false])
  await append(client, 'awaited', 'c')
  assert.deepEqual(numbered(await third.answer), [[2, 'c']])
  assert.equal(many.isAnswered, false)
  await append(other, 'awaited', 'd')
  assert.deepEqual(numbered(await many.answer), [
    [0, 'a'],
    [1, 'b'],
    [2, 'c'],
    [3, 'd']
  ])
  await other.close()
})

test('a hundred reads that wait for the same message all get it', async () => {
  await createStream(client, 'popular', { persistence: 1 })
  const waiting = await Promise.all(Array.from({ length: 100 }, () => startWaiting('popular', {})))
  assert.ok(waiting.every(({ isAnswered }) => !isAnswered))
  await append(client, 'popular', 'for all')
  for (const { answer } of waiting) assert.deepEqual(numbered(await answer), [[0, 'for all']])
})

test('a waiting read goes on from the oldest message when what it waited behind was dropped', async () => {
  await createStream(client, 'moving', { maxSize: 2_048, streamSegmentSize: 1_024 })
  const waiting = await startWaiting('moving', { minMessageCount: 12 })
  for (let count = 0; count < 60 && !waiting.isAnswered; count++) await append(client, 'moving', 'x'.repeat(100))
  const numbers = (await waiting.answer).map(({ sequenceNumber }) => sequenceNumber)
  assert.equal(numbers.length, 12)
  assert.deepEqual(
    numbers,
    Array.from({ length: 12 }, (_, index) => numbers[0]! + index)
  )
})

test('a delete ends the reads that wait for the stream', async () => {
  await createStream(client, 'ended')
  const request = requestOf('ended', { readTimeoutMillis: LONG_MS })
  const missing = 'the message stream does not exist'
  const refused = Array.from({ length: 3 }, () =>
    refuse(client, OP.readMessages, request, STATUS.resourceNotFound, missing)
  )
  await succeed(client, OP.listStreams, {})
  await succeed(client, OP.deleteMessageStream, { name: 'ended' })
  await Promise.all(refused)
})
