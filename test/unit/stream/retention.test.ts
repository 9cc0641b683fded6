import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StreamDefinition } from '../../../component/model/stream-definition.ts'
import { appendPolicy, isClockSuspect, sweepPeriodMs } from '../../../component/stream/retention.ts'

const DEFINITION: StreamDefinition = {
  name: 's',
  maxSizeBytes: 268_435_456n,
  segmentSizeBytes: 16_777_216,
  strategyOnFull: 'overwriteOldestData',
  persistence: 'file',
  flushOnWrite: false,
  exports: []
}

test('a segment is at most half of the stream, so that overwriting never empties it (behaviour 4.3)', () => {
  assert.equal(appendPolicy(DEFINITION).rollBytes, 16_777_216)
  assert.equal(appendPolicy({ ...DEFINITION, maxSizeBytes: 1_048_577n }).rollBytes, 524_288)
  assert.equal(appendPolicy({ ...DEFINITION, maxSizeBytes: 1024n }).rollBytes, 1024)
})

test('a size beyond 2^53 is as good as none', () => {
  assert.equal(appendPolicy({ ...DEFINITION, maxSizeBytes: 2n ** 63n - 1n }).bytesMax, Number.MAX_SAFE_INTEGER)
})

test('only file streams with flushOnWrite sync before they acknowledge', () => {
  const syncs = (change: Partial<StreamDefinition>): boolean =>
    appendPolicy({ ...DEFINITION, ...change }).syncsBeforeAcknowledging
  assert.equal(syncs({}), false)
  assert.equal(syncs({ flushOnWrite: true }), true)
  assert.equal(syncs({ flushOnWrite: true, persistence: 'memory' }), false)
})

test('sweeps come every tenth of the time to live, between 5 s and a minute', () => {
  assert.equal(sweepPeriodMs(1_000), 5_000)
  assert.equal(sweepPeriodMs(60_000), 6_000)
  assert.equal(sweepPeriodMs(86_400_000), 60_000)
})

test('a wall clock that jumps is not trusted to expire data (behaviour 4.5)', () => {
  const last = { wallMs: 1_000_000_000, monotonicMs: 1_000 }
  const after = (wallMs: number) => ({ wallMs, monotonicMs: 61_000 })
  assert.equal(isClockSuspect(last, after(1_000_060_000), 0), false)
  assert.equal(isClockSuspect(last, after(1_003_660_001), 0), true)
  assert.equal(isClockSuspect(last, after(996_000_000), 0), true)
  assert.equal(isClockSuspect(undefined, after(1), 2), true)
  assert.equal(isClockSuspect(undefined, after(3), 2), false)
})
