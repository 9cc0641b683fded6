import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'
import { createShardDirectory, type ShardDirectory } from '../../../../component/sinks/kinesis/shard-directory.ts'
import { createFakeClock, type FakeClock } from '../../../helpers/fake-clock.ts'
import { localKinesisClient } from '../../../helpers/kinesis-fixture.ts'
import { answering, startScriptedServer, type ReceivedRequest } from '../../../helpers/scripted-server.ts'

const server = await startScriptedServer()
const client = localKinesisClient(server.origin)
after(() => server.close())
beforeEach(() => (server.requests.length = 0))

const JSON_TYPE = { 'content-type': 'application/x-amz-json-1.1' }
const signal = new AbortController().signal

function listing(ids: readonly string[], NextToken?: string): ReturnType<typeof answering> {
  const Shards = ids.map((id) => ({
    ShardId: id,
    HashKeyRange: { StartingHashKey: '0', EndingHashKey: '9' },
    SequenceNumberRange: { StartingSequenceNumber: '1' }
  }))
  return answering(200, JSON_TYPE, JSON.stringify({ Shards, NextToken }))
}

function failing(name: string, status = 400): ReturnType<typeof answering> {
  return answering(status, JSON_TYPE, JSON.stringify({ __type: name, message: 'told so' }))
}

const bodyOf = (request: ReceivedRequest | undefined): unknown => JSON.parse(request?.body.toString() ?? '')

function start(): { clock: FakeClock; directory: ShardDirectory } {
  const clock = createFakeClock()
  return { clock, directory: createShardDirectory(client, clock) }
}

/** Ids of the shards that records would go to now. */
async function shardsOf(directory: ShardDirectory): Promise<string[] | undefined> {
  const pacer = await directory.pacerOf('s', signal)
  const message = { sequenceNumber: 0, ingestTimeMs: 0, payload: Buffer.alloc(1) }
  const given = pacer?.place(Array.from({ length: 10 }, () => message)).shards
  return given && [...new Set(given.map((shard) => shard.id))].sort()
}

/** Waits for a question that is asked in the background. */
async function untilShards(directory: ShardDirectory, expected: string[] | undefined): Promise<void> {
  for (let turn = 0; JSON.stringify(await shardsOf(directory)) !== JSON.stringify(expected); turn += 1) {
    assert.ok(turn < 1_000, `the shards become ${JSON.stringify(expected)}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

test('the first use waits for the layout, page by page; the next ones ask nothing', async () => {
  const { clock, directory } = start()
  server.script = [listing(['a', 'b'], 'more'), listing(['c'])]
  assert.deepEqual(await shardsOf(directory), ['a', 'b', 'c'])
  clock.advance(299_999)
  assert.deepEqual(await shardsOf(directory), ['a', 'b', 'c'])
  assert.deepEqual(server.requests.map(bodyOf), [
    { StreamName: 's', MaxResults: 1_000 },
    { NextToken: 'more', MaxResults: 1_000 }
  ])
  assert.equal(server.requests[0]?.headers['x-amz-target'], 'Kinesis_20131202.ListShards')
})

test('after five minutes the layout is asked for again, without holding anybody up', async () => {
  const { clock, directory } = start()
  server.script = [listing(['a']), () => undefined]
  await shardsOf(directory)
  clock.advance(300_000)
  assert.deepEqual(await shardsOf(directory), ['a'], 'the answer never comes')
  await server.received(2)
})

test('a new layout takes over', async () => {
  const { clock, directory } = start()
  server.script = [listing(['a']), listing(['b', 'c'])]
  await shardsOf(directory)
  clock.advance(300_000)
  await untilShards(directory, ['b', 'c'])
})

test('a suspicion asks sooner, but not at every throttle', async () => {
  const { clock, directory } = start()
  server.script = [listing(['a'])]
  await shardsOf(directory)
  directory.suspect('s')
  directory.suspect('other')
  clock.advance(29_999)
  await shardsOf(directory)
  assert.equal(server.requests.length, 1)
  clock.advance(1)
  await shardsOf(directory)
  await server.received(2)
})

test('without the permission nothing is known, and it is asked for again after five minutes', async () => {
  const { clock, directory } = start()
  server.script = [failing('AccessDeniedException'), listing(['a'])]
  assert.equal(await shardsOf(directory), undefined)
  directory.suspect('s')
  clock.advance(29_999)
  assert.equal(await shardsOf(directory), undefined)
  assert.equal(server.requests.length, 1)
  clock.advance(300_000)
  await untilShards(directory, ['a'])
})

test('a permission that is taken away ends the knowledge, any other failure does not', async () => {
  const { clock, directory } = start()
  server.script = [listing(['a']), failing('InternalFailure', 500), failing('AccessDeniedException')]
  await shardsOf(directory)
  clock.advance(300_000)
  await shardsOf(directory)
  await server.received(2)
  assert.deepEqual(await shardsOf(directory), ['a'])
  for (let turn = 0; server.requests.length < 3; turn += 1) {
    assert.ok(turn < 1_000)
    clock.advance(30_000)
    await shardsOf(directory)
    await new Promise((resolve) => setImmediate(resolve))
  }
  await untilShards(directory, undefined)
})

test('answers that tell no shards, or never end, are no knowledge', async () => {
  for (const answer of [
    listing([]),
    answering(200, JSON_TYPE, '{}'),
    answering(200, JSON_TYPE, '{"Shards":[{"ShardId":"x"}]}'),
    answering(200, { 'content-type': 'text/html' }, '<html>'),
    listing(['a'], 'for ever')
  ]) {
    server.script = [answer]
    assert.equal(await shardsOf(start().directory), undefined)
  }
})

test('an abort ends the wait for the first answer', async () => {
  const { directory } = start()
  server.script = [() => undefined]
  const abort = new AbortController()
  const asking = directory.pacerOf('s', abort.signal)
  await server.received(1)
  abort.abort()
  assert.equal(await asking, undefined)
})

test('a list that does not come holds the first request up for five seconds only', async () => {
  const { clock, directory } = start()
  server.script = [() => undefined]
  const asking = directory.pacerOf('s', signal)
  await server.received(1)
  clock.advance(5_000)
  assert.equal(await asking, undefined)
  assert.equal(directory.noticeOf('s'), undefined, 'nothing is known yet')
  clock.advance(55_000)
  for (let turn = 0; directory.noticeOf('s') === undefined; turn += 1) {
    assert.ok(turn < 1_000, 'all pages together get a minute')
    await new Promise((resolve) => setImmediate(resolve))
  }
})

test('why shards are not known is told until they are', async () => {
  const { clock, directory } = start()
  server.script = [failing('AccessDeniedException'), listing(['a']), failing('InternalFailure', 500)]
  await shardsOf(directory)
  assert.equal(
    directory.noticeOf('s'),
    'the shards of s cannot be listed, so requests are not paced by shard (AccessDeniedException: told so)'
  )
  clock.advance(300_000)
  await untilShards(directory, ['a'])
  assert.equal(directory.noticeOf('s'), undefined)
  clock.advance(300_000)
  await shardsOf(directory)
  await server.received(3)
  assert.deepEqual(await shardsOf(directory), ['a'])
  assert.equal(directory.noticeOf('s'), undefined, 'what was known still holds')
})

test('all exports to one stream share its pace, and a new export gets no burst of its own', async () => {
  const { clock, directory } = start()
  server.script = [listing(['a'])]
  const messages = Array.from({ length: 1_500 }, () => ({
    sequenceNumber: 0,
    ingestTimeMs: 0,
    payload: Buffer.alloc(1)
  }))
  const placed = async (): Promise<number> => (await directory.pacerOf('s', signal))?.place(messages).shards.length ?? 0
  assert.equal(await placed(), 1_000)
  assert.equal(await placed(), 0)
  clock.advance(500)
  assert.equal(await placed(), 500)
})
