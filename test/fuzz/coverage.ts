import { Session, type Profiler } from 'node:inspector'

/** Which parts of the program have run, as V8 counts it in this thread. */
export interface Coverage {
  /**
   * True when something ran since the last call that had not run before. It takes about 10 ms.
   * @param isNoted whether that counts as seen from now on
   */
  hasGrown(isNoted: boolean): boolean
  /** Functions that have run so far. */
  readonly functionCount: number
  stop(): void
}

type Interval = readonly [from: number, to: number]

/** What both have in common; each is in order and without overlaps. */
export function intersect(left: readonly Interval[], right: readonly Interval[]): Interval[] {
  const common: Interval[] = []
  for (let at = 0, other = 0; at < left.length && other < right.length;) {
    const [leftFrom, leftTo] = left[at]!
    const [rightFrom, rightTo] = right[other]!
    const from = Math.max(leftFrom, rightFrom)
    const to = Math.min(leftTo, rightTo)
    if (from < to) common.push([from, to])
    if (leftTo < rightTo) at += 1
    else other += 1
  }
  return common
}

const lengthOf = (intervals: readonly Interval[]): number => intervals.reduce((sum, [from, to]) => sum + to - from, 0)

/** Starts to count, in scripts whose URL has this part. */
export function measureCoverage(urlPart: string): Coverage {
  const session = new Session()
  session.connect()
  session.post('Profiler.enable')
  session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  /** By function: the parts of it that have not run yet. */
  const unseen = new Map<string, Interval[]>()

  const lookAt = (url: string, { ranges }: Profiler.FunctionCoverage, isNoted: boolean): boolean => {
    const [whole, ...blocks] = ranges
    if (whole === undefined || whole.count === 0) return false
    const key = `${url}:${whole.startOffset}:${whole.endOffset}`
    const before = unseen.get(key)
    const skipped = blocks.filter(({ count }) => count === 0)
    const idle = skipped.map(({ startOffset, endOffset }): Interval => [startOffset, endOffset])
    const left = before === undefined ? idle : intersect(before, idle)
    if (isNoted) unseen.set(key, left)
    return before === undefined || lengthOf(left) < lengthOf(before)
  }

  return {
    hasGrown(isNoted) {
      let hasGrown = false
      // A session of the own thread answers before it returns.
      session.post('Profiler.takePreciseCoverage', (error, { result }) => {
        if (error !== null) throw error
        for (const { url, functions } of result) {
          if (!url.includes(urlPart)) continue
          for (const each of functions) if (lookAt(url, each, isNoted)) hasGrown = true
        }
      })
      return hasGrown
    },
    get functionCount() {
      return unseen.size
    },
    stop() {
      session.post('Profiler.stopPreciseCoverage')
      session.disconnect()
    }
  }
}
