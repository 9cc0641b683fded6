import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startEmulatedKinesis, type EmulatedKinesis } from '../helpers/kinesis-fixture.ts'
import { ServerLives } from '../helpers/server-lives.ts'
import { succeed } from '../helpers/stream-calls.ts'
import { OP, WireClient } from '../helpers/wire-client.ts'

const SHARDS = 2
const PATIENCE_TURNS = 600

/** Every payload that has arrived, with how often. */
async function arrived(kinesis: EmulatedKinesis): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>()
  for (let shard = 0; shard < SHARDS; shard += 1) {
    for (const payload of await kinesis.payloads(shard)) {
      counts.set(payload.toString(), (counts.get(payload.toString()) ?? 0) + 1)
    }
  }
  return counts
}

async function untilArrived(kinesis: EmulatedKinesis, count: number): Promise<ReadonlyMap<string, number>> {
  for (let turn = 0; ; turn += 1) {
    const counts = await arrived(kinesis)
    if (counts.size >= count) return counts
    assert.ok(turn < PATIENCE_TURNS, `${counts.size} of ${count} messages arrived`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

async function appendMany(client: WireClient, from: number, count: number): Promise<void> {
  const numbers = Array.from({ length: count }, (_, index) => from + index)
  await Promise.all(
    numbers.map((number) => succeed(client, OP.appendMessage, { name: 's', payload: Buffer.from(`message ${number}`) }))
  )
}

test('messages arrive in Kinesis, also those of a broker that is killed during the export', async (t) => {
  const kinesis = await startEmulatedKinesis(SHARDS)
  const lives = new ServerLives()
  t.after(async () => {
    await lives.dispose()
    await kinesis.close()
  })
  const environment = {
    AWS_REGION: 'eu-central-1',
    AWS_ENDPOINT_URL_KINESIS: kinesis.endpoint,
    AWS_ACCESS_KEY_ID: 'id',
    AWS_SECRET_ACCESS_KEY: 'secret'
  }
  let server = await lives.start({ environment })
  let client = await WireClient.connect({ port: server.port })
  const exportDefinition = { kinesis: [{ identifier: 'k', kinesisStreamName: 'target', batchSize: 50 }] }
  await succeed(client, OP.createMessageStream, { definition: { name: 's', strategyOnFull: 1, exportDefinition } })
  for (let round = 0; round < 2; round += 1) {
    await appendMany(client, round * 500, 500)
    await untilArrived(kinesis, round * 500 + 100)
    await server.kill('SIGKILL')
    server = await lives.start({ environment })
    client = await WireClient.connect({ port: server.port })
  }
  const counts = await untilArrived(kinesis, 1_000)
  const expected = Array.from({ length: 1_000 }, (_, number) => `message ${number}`)
  assert.deepEqual([...counts.keys()].sort(), expected.sort())
  await client.close()
})
