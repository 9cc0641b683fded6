import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'
import { Fault } from '../../../../component/base/fault.ts'
import type { ExportBatch, SendOutcome, Sink } from '../../../../component/export/sink.ts'
import type { KinesisExport } from '../../../../component/model/export-definition.ts'
import type { ShardDirectory } from '../../../../component/sinks/kinesis/shard-directory.ts'
import { createShardPacer } from '../../../../component/sinks/kinesis/shard-pacer.ts'
import { createFakeClock, type FakeClock } from '../../../helpers/fake-clock.ts'
import { localKinesisClient, localKinesisSink } from '../../../helpers/kinesis-fixture.ts'
import { answering, startScriptedServer, type ReceivedRequest } from '../../../helpers/scripted-server.ts'

const server = await startScriptedServer()
const client = localKinesisClient(server.origin)
after(() => server.close())
beforeEach(() => (server.requests.length = 0))

const definition: KinesisExport = { kind: 'kinesis', identifier: 'k', kinesisStreamName: 'target' }
const JSON_TYPE = { 'content-type': 'application/x-amz-json-1.1' }
const THROTTLED = { ErrorCode: 'ProvisionedThroughputExceededException', ErrorMessage: 'Rate exceeded for shard 0' }
const INTERNAL = { ErrorCode: 'InternalFailure', ErrorMessage: 'Internal Service Failure' }

interface PutRecords {
  readonly StreamName: string
  readonly Records: readonly {
    readonly Data: string
    readonly PartitionKey: string
    readonly ExplicitHashKey?: string
  }[]
}

function bodyOf(request: ReceivedRequest | undefined): PutRecords {
  return JSON.parse(request?.body.toString() ?? '') as PutRecords
}

function stored(index: number): { SequenceNumber: string; ShardId: string } {
  return { SequenceNumber: `${index + 1}`, ShardId: 'shardId-0' }
}

function answerRecords(...records: unknown[]): ReturnType<typeof answering> {
  return answering(200, JSON_TYPE, JSON.stringify({ FailedRecordCount: 0, Records: records }))
}

/** Stores all records of whatever comes. */
const storeAll: ReturnType<typeof answering> = (request, response) =>
  answerRecords(...bodyOf(request).Records.map((_, index) => stored(index)))(request, response)

function answerError(name: string, message: string, status = 400): ReturnType<typeof answering> {
  return answering(status, JSON_TYPE, JSON.stringify({ __type: name, message }))
}

function batchOf(...sizes: number[]): ExportBatch {
  const messages = sizes.map((size, sequenceNumber) => ({
    sequenceNumber,
    ingestTimeMs: 0,
    payload: Buffer.alloc(size, sequenceNumber)
  }))
  return { streamName: 's', definition, messages }
}

function send(
  batch: ExportBatch,
  sink: Sink = localKinesisSink(client),
  signal = new AbortController().signal
): Promise<SendOutcome> {
  return sink.send(batch, signal)
}

test('records carry the payload under random UUIDs, in one signed request', async () => {
  server.script = [storeAll]
  assert.deepEqual(await send(batchOf(1, 2)), { kind: 'delivered', waitMs: 0 })
  const [request, second] = server.requests
  assert.equal(second, undefined)
  assert.equal(request?.headers['x-amz-target'], 'Kinesis_20131202.PutRecords')
  assert.match(request.headers.authorization ?? '', /^AWS4-HMAC-SHA256 .*eu-central-1\/kinesis/)
  assert.match(request.headers['user-agent'] ?? '', /test\/1/)
  const { StreamName, Records } = bodyOf(request)
  assert.equal(StreamName, 'target')
  assert.deepEqual(
    Records.map((record) => record.Data),
    ['AA==', 'AQE=']
  )
  for (const record of Records) {
    assert.match(record.PartitionKey, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  }
  assert.notEqual(Records[0]?.PartitionKey, Records[1]?.PartitionKey)
})

test('connections are kept between requests', async () => {
  server.script = [storeAll]
  await send(batchOf(1))
  const before = server.connections
  await send(batchOf(1))
  assert.equal(server.connections, before)
})

test('failed records are told by their index, with the first error', async () => {
  server.script = [answerRecords(stored(0), INTERNAL, stored(2), THROTTLED)]
  assert.deepEqual(await send(batchOf(1, 1, 1, 1)), {
    kind: 'partial',
    failed: [1, 3],
    reason: 'InternalFailure: Internal Service Failure',
    waitMs: 1_000
  })
})

test('a request of which nothing was stored is repeated as a whole', async () => {
  server.script = [answerRecords(THROTTLED, THROTTLED)]
  assert.deepEqual(await send(batchOf(1, 1)), {
    kind: 'retryLater',
    reason: 'ProvisionedThroughputExceededException: Rate exceeded for shard 0',
    waitMs: 1_000
  })
})

test('only a result with a sequence number counts as stored', async () => {
  server.script = [answerRecords(stored(0), {})]
  const outcome = await send(batchOf(1, 1))
  assert.deepEqual(outcome.kind === 'partial' && outcome.failed, [1])
})

test('an answer that does not list a result per record is not believed', async () => {
  const html = answering(200, { 'content-type': 'text/html' }, '<html>Please log in</html>')
  for (const answer of [
    answerRecords(stored(0)),
    answerRecords(stored(0), stored(1), stored(2)),
    answering(200),
    html
  ]) {
    server.script = [answer]
    assert.equal((await send(batchOf(1, 1))).kind, 'retryLater')
  }
})

test('a throttled request is repeated after a pause; requests are never repeated by the client itself', async () => {
  server.script = [answerError('ProvisionedThroughputExceededException', 'slow down')]
  assert.deepEqual(await send(batchOf(1)), {
    kind: 'retryLater',
    reason: 'ProvisionedThroughputExceededException: slow down',
    waitMs: 1_000
  })
  assert.equal(server.requests.length, 1)
})

test('configuration faults and server errors are repeated for ever, never skipped', async () => {
  for (const [name, message, status] of [
    ['AccessDeniedException', 'not authorized', 400],
    ['ExpiredTokenException', 'expired', 400],
    ['InvalidArgumentException', 'KMS key is not usable', 400],
    ['ValidationException', "Value at 'streamName' failed to satisfy constraint", 400],
    ['InternalFailure', 'oops', 500]
  ] as const) {
    server.script = [answerError(name, message, status)]
    const outcome = await send(batchOf(1, 1))
    assert.deepEqual([outcome.kind, 'reason' in outcome && outcome.reason], ['retryLater', `${name}: ${message}`])
  }
})

test('a size that is refused rejects the batch, so that the offender is isolated', async () => {
  server.script = [answerError('ValidationException', 'Member must have length less than or equal to 1048576')]
  assert.equal((await send(batchOf(1, 2_000_000))).kind, 'rejected')
  assert.equal((await send(batchOf(2_000_000))).kind, 'rejected')
})

test('after a size error large batches go out in requests of 5 MiB, for good', async () => {
  const sink = localKinesisSink(client)
  const counts = (): number[] => server.requests.map((request) => bodyOf(request).Records.length)
  server.script = [answerError('InvalidArgumentException', 'Records size exceeds 5 MB limit'), storeAll]
  assert.equal((await send(batchOf(2_000_000, 2_000_000, 2_000_000, 2_000_000), sink)).kind, 'delivered')
  assert.deepEqual(counts(), [4, 2, 2])
  await send(batchOf(2_000_000, 2_000_000, 2_000_000), sink)
  assert.deepEqual(counts().slice(3), [2, 1])
})

test('when a later one of several requests fails, what was stored before counts', async () => {
  const sink = localKinesisSink(client)
  server.script = [answering(413), storeAll, answerError('InternalFailure', 'oops', 500)]
  assert.deepEqual(await send(batchOf(2_000_000, 2_000_000, 2_000_000), sink), {
    kind: 'partial',
    failed: [2],
    reason: 'InternalFailure: oops',
    waitMs: 0
  })
})

test('a record larger than any stream can hold makes no request', async () => {
  const outcome = await send(batchOf(10 * 1024 * 1024))
  assert.deepEqual(outcome, { kind: 'rejected', reason: 'RecordTooLarge: a record of 10485760 bytes' })
  assert.equal(server.requests.length, 0)
})

test('a configured pause follows every request; otherwise pauses follow throttling and fade', async () => {
  server.script = [storeAll]
  const fixed = await send(batchOf(1), localKinesisSink(client, 250))
  assert.deepEqual(fixed, { kind: 'delivered', waitMs: 250 })
  const sink = localKinesisSink(client)
  server.script = [answerRecords(THROTTLED), storeAll]
  const waits: (number | undefined)[] = []
  for (let request = 0; request < 7; request += 1) waits.push((await send(batchOf(1), sink)).waitMs)
  assert.deepEqual(waits, [1_000, 500, 250, 125, 62.5, 0, 0])
})

test('an answer without end is cut off', async () => {
  server.script = [
    (_request, response) => {
      response.writeHead(200, JSON_TYPE)
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536, 32)));
      }
      response.on('drain', more).on('error', () => undefined)
      more()
    }
  ]
  const outcome = await send(batchOf(1))
  assert.equal('reason' in outcome && outcome.reason.includes('the answer is too long'), true)
})

test('a reset connection and an abort are failures', async () => {
  server.script = [(_request, response) => void response.socket?.resetAndDestroy()]
  assert.equal((await send(batchOf(1))).kind, 'retryLater')
  server.script = [() => undefined]
  const abort = new AbortController()
  const outcome = send(batchOf(1), undefined, abort.signal)
  await server.received(2)
  abort.abort()
  const ended = await outcome
  assert.equal(ended.kind === 'retryLater' && ended.reason.startsWith('AbortError'), true)
})

test('missing credentials are waited for', async () => {
  const refusing = localKinesisClient(server.origin, () =>
    Promise.reject(new Fault('CredentialsError: the endpoint is down'))
  )
  assert.deepEqual(await send(batchOf(1), localKinesisSink(refusing)), {
    kind: 'retryLater',
    reason: 'CredentialsError: the endpoint is down',
    waitMs: 0
  })
  assert.equal(server.requests.length, 0)
})

/** A directory that knows some shards, and what was suspected of it. */
function knownShards(...ids: string[]): { directory: ShardDirectory; clock: FakeClock; suspected: string[] } {
  const clock = createFakeClock()
  const shards = ids.map((id, index) => ({ id, startKey: BigInt(index) * 100n, endKey: BigInt(index) * 100n + 99n }))
  const pacer = createShardPacer(clock, shards)
  const suspected: string[] = []
  const directory = {
    pacerOf: () => Promise.resolve(pacer),
    noticeOf: () => undefined,
    suspect: (name: string) => void suspected.push(name)
  }
  return { directory, clock, suspected }
}

test('with known shards records name a place in their shard and keep their random keys', async () => {
  server.script = [storeAll]
  const { directory } = knownShards('a', 'b')
  assert.deepEqual(await send(batchOf(1, 1, 1), localKinesisSink(client, 1_000, directory)), {
    kind: 'delivered',
    waitMs: 0
  })
  const records = bodyOf(server.requests[0]).Records
  const hundreds = records.map((record) => Math.floor(Number(record.ExplicitHashKey) / 100))
  assert.deepEqual(hundreds, [0, 1, 0])
  assert.equal(new Set(records.map((record) => record.PartitionKey)).size, 3)
})

test('what the shards have no room for is left for later, without an error', async () => {
  server.script = [storeAll]
  const { directory, clock } = knownShards('a')
  const sink = localKinesisSink(client, undefined, directory)
  const batch = batchOf(400_000, 400_000, 400_000, 10)
  const first = await send(batch, sink)
  assert.deepEqual(first, { kind: 'partial', failed: [], unsent: [2, 3], reason: '', waitMs: 201 })
  assert.equal(bodyOf(server.requests[0]).Records.length, 2)
  const rest = { ...batch, messages: batch.messages.slice(2) }
  const second = await send(rest, sink)
  assert.deepEqual(second, { kind: 'partial', failed: [], unsent: [0, 1], reason: '', waitMs: 201 })
  assert.equal(server.requests.length, 1, 'no request without records')
  clock.advance(300)
  assert.equal((await send(rest, sink)).kind, 'delivered')
})

test('a throttled shard rests and is looked up again, a failed part keeps its place before the unsent one', async () => {
  server.script = [answerRecords(stored(0), THROTTLED, stored(2))]
  const { directory, suspected } = knownShards('a', 'b')
  const sink = localKinesisSink(client, undefined, directory)
  assert.deepEqual(await send(batchOf(900_000, 900_000, 50_000, 900_000), sink), {
    kind: 'partial',
    failed: [1],
    unsent: [3],
    reason: 'ProvisionedThroughputExceededException: Rate exceeded for shard 0',
    waitMs: 801
  })
  assert.deepEqual(suspected, ['target'])
  server.script = [storeAll]
  const outcome = await send(batchOf(1, 1), sink)
  assert.equal(outcome.kind, 'delivered')
  const hundreds = bodyOf(server.requests[1]).Records.map((record) => Math.floor(Number(record.ExplicitHashKey) / 100))
  assert.deepEqual(hundreds, [0, 0], 'nothing for the throttled shard')
})

test('a part that fails or is refused as a whole stands for its batch', async () => {
  const { directory } = knownShards('a')
  server.script = [answerError('InternalFailure', 'Internal Service Failure', 500)]
  const outcome = await send(batchOf(600_000, 600_000), localKinesisSink(client, undefined, directory))
  assert.deepEqual(outcome.kind === 'partial' && [outcome.failed, outcome.unsent], [[0], [1]])
  server.script = [answerError('ValidationException', 'Member must have length less than or equal to 1048576')]
  const refused = await send(batchOf(600_000, 600_000), localKinesisSink(client, undefined, knownShards('a').directory))
  assert.equal(refused.kind, 'rejected')
})

test('what is to be said about the shards comes with the outcome, which it does not change', async () => {
  server.script = [storeAll]
  const shards: ShardDirectory = {
    pacerOf: () => Promise.resolve(undefined),
    noticeOf: (name) => `no list of ${name}`,
    suspect: () => undefined
  }
  assert.deepEqual(await send(batchOf(1), localKinesisSink(client, undefined, shards)), {
    kind: 'delivered',
    waitMs: 0,
    notice: 'no list of target'
  })
})
