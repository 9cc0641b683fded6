import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { StoredMessage } from '../../../../component/model/message.ts'
import { createShardPacer } from '../../../../component/sinks/kinesis/shard-pacer.ts'
import { createFakeClock } from '../../../helpers/fake-clock.ts'

const PARTITION_KEY_BYTES = 36

const shards = (...ids: string[]): { id: string; startKey: bigint; endKey: bigint }[] =>
  ids.map((id) => ({ id, startKey: 0n, endKey: 1n }))

/** Messages of which the service counts so many bytes each. */
function messagesOf(...sizes: number[]): StoredMessage[] {
  return sizes.map((size, sequenceNumber) => ({
    sequenceNumber,
    ingestTimeMs: 0,
    payload: Buffer.alloc(size - PARTITION_KEY_BYTES)
  }))
}

const same = (count: number, size: number): StoredMessage[] => messagesOf(...Array<number>(count).fill(size))

test('records take turns over the shards', () => {
  const pacer = createShardPacer(createFakeClock(), shards('a', 'b', 'c'))
  const placement = pacer.place(same(5, 100))
  assert.deepEqual(
    placement.shards.map((shard) => shard.id),
    ['a', 'b', 'c', 'a', 'b']
  )
  assert.equal(placement.waitMs, 0)
})

test('a shard takes a thousand records a second, and says when it takes the next', () => {
  const clock = createFakeClock()
  const pacer = createShardPacer(clock, shards('a'))
  assert.equal(pacer.place(same(600, 40)).shards.length, 600)
  const second = pacer.place(same(600, 40))
  assert.deepEqual([second.shards.length, second.waitMs], [400, 1])
  clock.advance(250)
  assert.equal(pacer.place(same(600, 40)).shards.length, 250)
})

test('a shard takes a million bytes a second, keys included', () => {
  const clock = createFakeClock()
  const pacer = createShardPacer(clock, shards('a'))
  const first = pacer.place(same(11, 100_000))
  assert.deepEqual([first.shards.length, first.waitMs], [10, 100])
  clock.advance(99)
  assert.equal(pacer.place(same(1, 100_000)).waitMs, 1)
  clock.advance(1)
  assert.equal(pacer.place(same(1, 100_000)).shards.length, 1)
})

test('a record of more than a second goes when its shard is rested, and is paid back', () => {
  const clock = createFakeClock()
  const pacer = createShardPacer(clock, shards('a'))
  assert.equal(pacer.place(same(1, 5_000_000)).shards.length, 1)
  assert.deepEqual(pacer.place(same(1, 36)).waitMs, 4_001)
  clock.advance(4_001)
  assert.equal(pacer.place(same(1, 36)).shards.length, 1)
})

test('a full shard is passed over while another has room', () => {
  const pacer = createShardPacer(createFakeClock(), shards('a', 'b'))
  const placement = pacer.place(messagesOf(900_000, 50_000, 200_000, 200_000, 200_000))
  assert.deepEqual(
    placement.shards.map((shard) => shard.id),
    ['a', 'b', 'b', 'b', 'b']
  )
})

test('a throttled shard rests, the others go on', () => {
  const clock = createFakeClock()
  const pacer = createShardPacer(clock, shards('a', 'b'))
  pacer.throttled({ id: 'a', startKey: 0n, endKey: 1n })
  pacer.throttled({ id: 'gone', startKey: 0n, endKey: 1n })
  const placement = pacer.place(same(3, 100))
  assert.deepEqual(
    placement.shards.map((shard) => shard.id),
    ['b', 'b', 'b']
  )
})

test('after a split new shards are used at once, and shards that stay keep what they have used', () => {
  const clock = createFakeClock()
  const pacer = createShardPacer(clock, shards('a', 'b'))
  assert.equal(pacer.place(same(2_000, 40)).shards.length, 2_000)
  pacer.update(shards('b', 'c', 'd'))
  const placement = pacer.place(same(2_500, 40))
  assert.equal(placement.shards.length, 2_000)
  assert.deepEqual([...new Set(placement.shards.map((shard) => shard.id))].sort(), ['c', 'd'])
})

test('whatever the load, no shard gets more than its rate and one burst, and full use is made of it', () => {
  const load = fc.record({
    sizes: fc.array(fc.integer({ min: 36, max: 300_000 }), { minLength: 1, maxLength: 400 }),
    shardCount: fc.integer({ min: 1, max: 4 })
  })
  fc.assert(
    fc.property(load, ({ sizes, shardCount }) => {
      const clock = createFakeClock()
      const pacer = createShardPacer(clock, shards(...Array.from({ length: shardCount }, (_, index) => `${index}`)))
      const startMs = clock.monotonicMs()
      const used = new Map<string, { bytes: number; records: number }>()
      let left = messagesOf(...sizes)
      while (left.length > 0) {
        const { shards: given, waitMs } = pacer.place(left)
        assert.ok(given.length > 0 || waitMs > 0, 'progress or a pause')
        for (const [index, { id }] of given.entries()) {
          const sum = used.get(id) ?? { bytes: 0, records: 0 }
          const size = (left[index]?.payload.length ?? 0) + PARTITION_KEY_BYTES
          used.set(id, { bytes: sum.bytes + size, records: sum.records + 1 })
        }
        left = left.slice(given.length)
        const seconds = (clock.monotonicMs() - startMs) / 1000
        for (const { bytes, records } of used.values()) {
          assert.ok(bytes <= 1_000_000 * (1 + seconds) + 1)
          assert.ok(records <= 1_000 * (1 + seconds) + 1)
        }
        clock.advance(waitMs)
      }
      const total = sizes.reduce((sum, size) => sum + size, 0)
      const seconds = (clock.monotonicMs() - startMs) / 1000
      assert.ok(seconds <= total / (1_000_000 * shardCount) + 0.5, 'no time is wasted')
    }),
    { numRuns: 100 }
  )
})
