import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Sink } from '../../../component/export/sink.ts'
import { createSinkCache } from '../../../component/exporter/sink-cache.ts'
import { httpExport } from '../../helpers/export-harness.ts'
import { createFakeClock, type FakeClock } from '../../helpers/fake-clock.ts'

function countingCache(sinksMax?: number): {
  clock: FakeClock
  closed: string[]
  get: (streamName: string, startSequenceNumber?: bigint) => Sink | undefined
} {
  const clock = createFakeClock()
  const closed: string[] = []
  const cache = createSinkCache(
    clock,
    (definition) => ({
      send: () => Promise.resolve({ kind: 'delivered' }),
      close: () => void closed.push(definition.identifier)
    }),
    sinksMax
  )
  return {
    clock,
    closed,
    get: (streamName, startSequenceNumber = 0n) =>
      cache.get(streamName, httpExport({ identifier: `of-${streamName}`, startSequenceNumber }))
  }
}

test('an export keeps its sink, others have their own', () => {
  const { get } = countingCache()
  assert.equal(get('a'), get('a'))
  assert.notEqual(get('a'), get('b'))
  assert.notEqual(get('a'), get('a', 2n ** 63n - 1n))
})

test('a sink is closed ten minutes after its last use', () => {
  const { get, clock, closed } = countingCache()
  get('a')
  clock.advance(300_000)
  get('b')
  clock.advance(299_999)
  get('b')
  assert.deepEqual(closed, [])
  clock.advance(1)
  assert.deepEqual(closed, ['of-a'])
  clock.advance(600_000)
  assert.deepEqual(closed, ['of-a', 'of-b'])
  assert.equal(clock.pendingTimers, 0)
})

test('no more sinks are kept than allowed, the longest unused goes first', () => {
  const { get, closed } = countingCache(2)
  get('a')
  get('b')
  get('a')
  get('c')
  assert.deepEqual(closed, ['of-b'])
})

test('a kind that is not available has no sink', () => {
  const cache = createSinkCache(createFakeClock(), () => undefined)
  assert.equal(cache.get('s', { kind: 'sitewise', identifier: 'w' }), undefined)
})
