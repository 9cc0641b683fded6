import { assert } from '../base/assert.ts'
import { emptySegment, isUnsynced, summaryOf, type Segment } from './segment.ts'
import { SharedFile } from './shared-file.ts'
import type { NewSegmentFile } from './spare-segment.ts'
import type { DurablePoint, SegmentSummary } from './stream-log.ts'

/**
 * The segments of a log and the numbers that follow from them. In order of their bases: dropped ones whose files wait
 * for removal, sealed ones, the active one.
 */
export class LogSegments {
  /** Sealed segments, oldest first; `summaries` runs parallel to it. */
  readonly sealed: Segment[]
  readonly summaries: SegmentSummary[]
  active: Segment
  /** The number that the next record gets; beyond `active.next` when numbers were lost. */
  next: number
  totalBytes: number
  durable: DurablePoint
  /** First number of files that could not be read when the log was opened: they stay, as they may be readable later. */
  leftOutFrom: number | undefined
  #dropped: Segment[] = []

  readonly #isVolatile: boolean

  /** `isVolatile`: see LogOptions. */
  constructor(sealed: readonly Segment[], active: Segment, next: number, durable: DurablePoint, isVolatile = false) {
    this.#isVolatile = isVolatile
    if (isVolatile) active.syncedEnd = Infinity
    this.sealed = [...sealed]
    this.summaries = sealed.map(summaryOf)
    this.active = active
    this.next = next
    this.durable = durable
    this.totalBytes = sealed.reduce((sum, { bytes }) => sum + bytes, active.bytes)
  }

  get oldest(): number {
    const first = this.sealed[0] ?? this.active
    return first === this.active && first.bytes === 0 ? this.next : first.base
  }

  /** Below this number nothing is kept. */
  get keptFrom(): number {
    return Math.min(this.oldest, this.leftOutFrom ?? Infinity)
  }

  get hasDropped(): boolean {
    return this.#dropped.length > 0
  }

  /**
   * Segments with bytes that may not survive a power cut, oldest first: syncs go in order, so they are the last ones.
   * Dropped ones belong to them until the catalogue knows: a torn one that comes back would hide what follows it.
   */
  unsynced(): Segment[] {
    let first = this.sealed.length
    for (let segment = this.sealed[first - 1]; segment !== undefined && isUnsynced(segment); first--) {
      segment = this.sealed[first - 2]
    }
    const all = [...this.#dropped.filter(isUnsynced), ...this.sealed.slice(first)]
    return isUnsynced(this.active) ? [...all, this.active] : all
  }

  get needsSync(): boolean {
    const last = this.sealed.at(-1) ?? this.#dropped.at(-1)
    return isUnsynced(this.active) || (last !== undefined && isUnsynced(last))
  }

  /** True when numbers before `next` were given up: the next segment does not continue the last record. */
  get isAfterGap(): boolean {
    const { active, next } = this
    const last = active.bytes === 0 ? (this.sealed.at(-1) ?? this.#dropped.at(-1) ?? active) : active
    return next > active.next || next > last.next
  }

  /** Makes a renamed file the active segment; an active segment without records is given up. */
  startSegment(made: NewSegmentFile): void {
    const previous = this.active
    const wasDurable = this.durable.next === previous.next && !isUnsynced(previous)
    this.active = emptySegment(this.next, new SharedFile(made.file), made.headerBytes)
    if (this.#isVolatile) this.active.syncedEnd = Infinity
    if (previous.bytes > 0) {
      this.sealed.push(previous)
      this.summaries.push(summaryOf(previous))
    }
    if (previous.bytes === 0 || !isUnsynced(previous)) retireFile(previous)
    if (wasDurable) this.raiseDurable(this.active, made.headerBytes, this.next, 0)
  }

  /** Everything before this point survives a power cut. */
  raiseDurable(segment: Segment, offset: number, next: number, lastIngestMs: number): void {
    const { durable } = this
    const isFarther = next > durable.next || (next === durable.next && segment.base > durable.segmentBase)
    if (isFarther) this.durable = { segmentBase: segment.base, offset, next, lastIngestMs }
  }

  dropOldest(): SegmentSummary | undefined {
    const segment = this.sealed.shift()
    const summary = this.summaries.shift()
    if (segment === undefined || summary === undefined) return undefined
    this.leftOutFrom = undefined
    this.totalBytes -= segment.bytes
    this.#dropped.push(segment)
    if (!isUnsynced(segment)) retireFile(segment)
    return summary
  }

  /** Dropped segments wholly below `below`, which the catalogue knows as the oldest number; they are forgotten. */
  takeDropped(below: number): Segment[] {
    const taken = this.#dropped.filter((segment) => segment.next <= below)
    this.#dropped = this.#dropped.filter((segment) => segment.next > below)
    for (const segment of taken) retireFile(segment)
    // What is gone for good needs no sync.
    const first = this.#dropped[0] ?? this.sealed[0] ?? this.active
    if (this.durable.next < first.base) this.raiseDurable(first, first.layout?.start ?? 0, first.base, 0)
    return taken
  }

  /** Puts segments back whose files could not be removed. */
  keepDropped(segments: readonly Segment[]): void {
    this.#dropped = [...segments, ...this.#dropped]
  }

  /** True while the file of a dropped segment waits for its removal. */
  isDropped(segment: Segment): boolean {
    return this.#dropped.includes(segment)
  }

  /** Where a segment stands in the order, the active one behind all sealed ones; -1 when it was dropped meanwhile. */
  positionOf(segment: Segment): number {
    return segment === this.active ? this.sealed.length : this.sealed.indexOf(segment)
  }

  /**
   * Puts copies in the place of the last records of a segment. `keepsHead`: the segment remains, up to where its first
   * copy begins.
   */
  replaceTail(segment: Segment, keepsHead: boolean, copies: readonly Segment[]): void {
    const position = this.positionOf(segment)
    assert(position >= 0, 'a replaced segment belongs to the log')
    const isActive = segment === this.active
    const parts = keepsHead ? [segment, ...copies] : [...copies]
    const active = isActive ? parts.pop() : undefined
    this.sealed.splice(position, isActive ? 0 : 1, ...parts)
    this.summaries.splice(position, isActive ? 0 : 1, ...parts.map(summaryOf))
    if (active !== undefined) this.active = active
    this.totalBytes = this.sealed.reduce((sum, { bytes }) => sum + bytes, this.active.bytes)
  }

  /** The segment that holds `sequence`, or the first behind it; undefined at the end of the log. */
  find(sequence: number): Segment | undefined {
    let low = 0
    let high = this.sealed.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.sealed[middle]?.next ?? 0) <= sequence) low = middle + 1
      else high = middle
    }
    const found = this.sealed[low] ?? this.active
    return found.next > sequence ? found : undefined
  }
}

/** Lets go of the file of a segment that is not written any more. */
export function retireFile(segment: Segment): void {
  segment.file?.retire()
  segment.file = undefined
}
