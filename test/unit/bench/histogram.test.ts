import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { createHistogram, percentilesUs } from '../../bench/load/histogram.ts'

function histogramOf(durations: readonly number[]): [number, number][] {
  const histogram = createHistogram()
  for (const us of durations) histogram.add(us)
  return histogram.sparse()
}

describe('the histogram of latencies', () => {
  it('gives every percentile within the width of a bucket', () => {
    const duration = fc.double({ min: 0.5, max: 1e8, noNaN: true })
    fc.assert(
      fc.property(fc.array(duration, { minLength: 1, maxLength: 200 }), fc.constantFrom(0.5, 0.99, 1), (all, part) => {
        const exact = all.toSorted((a, b) => a - b)[Math.min(all.length - 1, Math.floor(all.length * part))]!
        const [found] = percentilesUs(histogramOf(all), [part])
        assert.ok(Math.abs(found! - exact) <= exact / 128 + 1 / 16, `${found!} for ${exact}`)
      })
    )
  })

  it('adds up over processes', () => {
    const together = percentilesUs([...histogramOf([1, 2, 3]), ...histogramOf([4, 5])], [0, 0.5, 1])
    assert.deepEqual(together, [1, 3, 5])
  })

  it('counts what is out of range at its ends', () => {
    const [low, high] = percentilesUs(histogramOf([-1, 1e12]), [0, 1])
    assert.equal(low, 0)
    assert.ok(high! > 2.6e8)
  })

  it('has no percentiles without durations', () => {
    assert.deepEqual(percentilesUs([], [0.5]), [NaN])
  })
})
