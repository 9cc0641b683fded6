import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createBandwidth } from '../../../component/export/bandwidth.ts'
import { createFakeClock } from '../../helpers/fake-clock.ts'

test('the average over a long time is the limit, whatever the sizes', () => {
  const clock = createFakeClock()
  const bandwidth = createBandwidth(clock, 80_000)
  let bytes = 0
  const startMs = clock.monotonicMs()
  for (let index = 0; index < 500; index += 1) {
    clock.advance(bandwidth.waitMs())
    const size = (index * 7_919) % 50_000
    bandwidth.charge(size)
    bytes += size
  }
  clock.advance(bandwidth.waitMs())
  const seconds = (clock.monotonicMs() - startMs) / 1000
  const rate = bytes / seconds
  assert.ok(rate <= 10_000 * 1.01 && rate >= 10_000 * 0.98, `rate ${rate}`)
})

test('a pause saves up one second at most', () => {
  const clock = createFakeClock()
  const bandwidth = createBandwidth(clock, 8_000)
  clock.advance(3_600_000)
  bandwidth.charge(1_000)
  assert.equal(bandwidth.waitMs(), 0)
  bandwidth.charge(500)
  assert.equal(bandwidth.waitMs(), 500)
})

test('requests are kept small under a small limit, but never tiny', () => {
  assert.equal(createBandwidth(createFakeClock(), 8).requestBytesMax, 16_384)
  assert.equal(createBandwidth(createFakeClock(), 8_000_000).requestBytesMax, 1_000_000)
})
