import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { hashKeyIn, openShardsIn } from '../../../../component/sinks/kinesis/shards.ts'
import { createSeededRandom } from '../../../helpers/seeded-random.ts'

const LAST_KEY = 2n ** 128n - 1n

const shard = (id: string, start: string, end: string, isClosed = false): object => ({
  ShardId: id,
  HashKeyRange: { StartingHashKey: start, EndingHashKey: end },
  SequenceNumberRange: { StartingSequenceNumber: '1', ...(isClosed ? { EndingSequenceNumber: '2' } : {}) }
})

type Shards = Parameters<typeof openShardsIn>[0]

test('open shards are those without an ending sequence number', () => {
  const listed = [shard('a', '0', '9', true), shard('b', '0', '4'), shard('c', '5', LAST_KEY.toString())] as Shards
  assert.deepEqual(openShardsIn(listed), [
    { id: 'b', startKey: 0n, endKey: 4n },
    { id: 'c', startKey: 5n, endKey: LAST_KEY }
  ])
})

test('an answer that cannot be understood tells nothing', () => {
  assert.equal(openShardsIn(undefined), undefined)
  for (const bad of [
    {},
    { ShardId: 'x' },
    shard('x', '', '1'),
    shard('x', '0x1', '2'),
    shard('x', '-1', '2'),
    shard('x', '3', '2')
  ]) {
    assert.equal(openShardsIn([shard('a', '0', '1'), bad] as Shards), undefined)
  }
})

test('a hash key lies within its shard, however large or small that is', () => {
  const key = fc.bigInt({ min: 0n, max: LAST_KEY })
  fc.assert(
    fc.property(key, key, fc.integer(), (one, other, seed) => {
      const [startKey, endKey] = one < other ? [one, other] : [other, one]
      const text = hashKeyIn({ id: 'x', startKey, endKey }, createSeededRandom(seed))
      assert.match(text, /^(0|[1-9]\d{0,38})$/)
      assert.ok(BigInt(text) >= startKey && BigInt(text) <= endKey)
    })
  )
  assert.equal(hashKeyIn({ id: 'x', startKey: LAST_KEY, endKey: LAST_KEY }, createSeededRandom(1)), LAST_KEY.toString())
})

test('hash keys are spread over the whole shard', () => {
  const random = createSeededRandom(3)
  const tenths = new Set(
    Array.from({ length: 500 }, () => {
      const text = hashKeyIn({ id: 'x', startKey: 0n, endKey: LAST_KEY }, random)
      return (BigInt(text) * 10n) / (LAST_KEY + 1n)
    })
  )
  assert.equal(tenths.size, 10)
})
