/**
 * Counts of durations in buckets that are at most 1/128 of their value wide: bounded in memory, cheap to fill, and the
 * counts of several processes add up. Unit: 1/8 microsecond; the first 256 buckets are exact.
 */
const UNITS_PER_US = 8
const EXACT = 256
const PER_OCTAVE = 128
const UNITS_MAX = 2 ** 31 - 1
const BUCKETS = EXACT + 23 * PER_OCTAVE

export interface Histogram {
  add(us: number): void
  /** The filled buckets, as [bucket, count]. */
  sparse(): [number, number][]
}

function bucketOf(us: number): number {
  const units = Math.min(UNITS_MAX, Math.round(us * UNITS_PER_US))
  if (units < EXACT) return Math.max(0, units)
  const shift = 24 - Math.clz32(units)
  return EXACT + (shift - 1) * PER_OCTAVE + ((units >> shift) - PER_OCTAVE)
}

/** The middle of a bucket, microseconds. */
function valueOf(bucket: number): number {
  if (bucket < EXACT) return bucket / UNITS_PER_US
  const shift = Math.floor((bucket - EXACT) / PER_OCTAVE) + 1
  const mantissa = ((bucket - EXACT) % PER_OCTAVE) + PER_OCTAVE
  return ((mantissa + 0.5) * 2 ** shift) / UNITS_PER_US
}

export function createHistogram(): Histogram {
  const counts = new Uint32Array(BUCKETS)
  return {
    add(us) {
      const bucket = bucketOf(us)
      counts[bucket] = counts[bucket]! + 1
    },
    sparse: () => [...counts].map((count, bucket): [number, number] => [bucket, count]).filter(([, count]) => count > 0)
  }
}

/** Values below which the given parts of all durations lie, microseconds; NaN when there are none. */
export function percentilesUs(
  sparse: readonly (readonly [number, number])[],
  parts: readonly number[]
): readonly number[] {
  const sorted = sparse.toSorted(([a], [b]) => a - b)
  const total = sorted.reduce((sum, [, count]) => sum + count, 0)
  return parts.map((part) => {
    let below = 0
    for (const [bucket, count] of sorted) {
      below += count
      if (below > total * part || below === total) return valueOf(bucket)
    }
    return NaN
  })
}
