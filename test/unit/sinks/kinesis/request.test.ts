import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StoredMessage } from '../../../../component/model/message.ts'
import { putRecordsBody } from '../../../../component/sinks/kinesis/request.ts'
import { createSeededRandom } from '../../../helpers/seeded-random.ts'

const LARGEST_KEY = 2n ** 128n - 1n
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

function messagesOf(...payloads: string[]) {
  return payloads.map((text, sequenceNumber) => ({ sequenceNumber, ingestTimeMs: 0, payload: Buffer.from(text) }))
}

function parse(body: Buffer): { StreamName: string; Records: Record<string, string>[] } {
  return JSON.parse(body.toString()) as { StreamName: string; Records: Record<string, string>[] }
}

test('a body names the stream and holds one record per message, in order', () => {
  const body = parse(putRecordsBody('target', messagesOf('', 'a', 'bc'), () => undefined, createSeededRandom(1)))
  assert.deepEqual(Object.keys(body), ['StreamName', 'Records'])
  assert.equal(body.StreamName, 'target')
  assert.deepEqual(
    body.Records.map(({ Data }) => Buffer.from(Data ?? 'none', 'base64').toString()),
    ['', 'a', 'bc']
  )
  for (const record of body.Records) {
    assert.deepEqual(Object.keys(record), ['Data', 'PartitionKey'])
    assert.match(record['PartitionKey'] ?? '', UUID)
  }
  assert.equal(new Set(body.Records.map((record) => record['PartitionKey'])).size, 3)
})

test('a record whose shard was chosen says so, with the longest keys too', () => {
  const shard = { id: 'shard', startKey: LARGEST_KEY, endKey: LARGEST_KEY }
  const messages = messagesOf(...Array.from({ length: 100 }, (_, index) => String(index)))
  const [first] = messages
  const shardOf = (message: StoredMessage) => (message === first ? undefined : shard)
  const { Records } = parse(putRecordsBody('t', messages, shardOf, createSeededRandom(1)))
  assert.deepEqual(
    Records.map((record) => record['ExplicitHashKey']),
    messages.map((message) => (message === first ? undefined : LARGEST_KEY.toString()))
  )
})

test('any stream name fits into the body', () => {
  for (const name of ['n'.repeat(10_000), 'ü\u{1f600}"\\']) {
    assert.equal(parse(putRecordsBody(name, messagesOf('a'), () => undefined, createSeededRandom(1))).StreamName, name)
  }
})
