import type { SharedFile } from './shared-file.ts'
import { createSparseIndex, type SparseIndex } from './sparse-index.ts'
import type { SegmentSummary } from './stream-log.ts'

/** Where the records are in a file. */
export interface SegmentLayout {
  /** Offset of the first record; 0 when the header is damaged. */
  readonly start: number
  /** Offset behind the last record. */
  readonly end: number
}

/** A segment as the running log knows it. Offsets and lengths are in bytes. */
export interface Segment {
  readonly base: number
  /** One more than the last number in it; the base when it is empty. */
  next: number
  /** Bytes of its records with their headers. */
  bytes: number
  /** Wall clock of its newest record; 0 when it is empty. */
  lastIngestMs: number
  /** Unknown until a file that was sealed in an earlier run is opened. */
  layout: SegmentLayout | undefined
  /** The file while it is active or not synced yet; others are opened when they are read. */
  file: SharedFile | undefined
  /** Everything before this offset survives a power cut; Infinity for all of it. */
  syncedEnd: number
  /** How often the file was cut after a failed write. */
  cuts: number
  /** Set once the file may not be written any more; the next append then begins another segment. */
  isClosedForWriting: boolean
  /** Set once a sync failed: a later one proves nothing about the bytes of before (reliability 3.1.6). */
  hasFailedSync: boolean
  /** The file has disappeared; its records count as expired. */
  isVanished: boolean
  index: SparseIndex | undefined
  /** Damaged places that were met, from offset to the offset of the next record. */
  readonly damage: Map<number, number>
}

/** A segment without records whose file begins with a durable header. */
export function emptySegment(base: number, file: SharedFile, headerBytes: number): Segment {
  return {
    base,
    next: base,
    bytes: 0,
    lastIngestMs: 0,
    layout: { start: headerBytes, end: headerBytes },
    file,
    syncedEnd: headerBytes,
    cuts: 0,
    isClosedForWriting: false,
    hasFailedSync: false,
    isVanished: false,
    index: undefined,
    damage: new Map()
  }
}

/** A sealed and durable segment of which only the summary is known. */
export function segmentOfSummary(summary: SegmentSummary): Segment {
  return {
    base: summary.base,
    next: summary.next,
    bytes: summary.bytes,
    lastIngestMs: summary.lastIngestMs,
    layout: undefined,
    file: undefined,
    syncedEnd: Infinity,
    cuts: 0,
    isClosedForWriting: true,
    hasFailedSync: false,
    isVanished: false,
    index: undefined,
    damage: new Map()
  }
}

export function summaryOf(segment: Segment): SegmentSummary {
  const { base, next, bytes, lastIngestMs } = segment
  return { base, next, bytes, lastIngestMs }
}

/** True when some of it may not survive a power cut. */
export function isUnsynced(segment: Segment): boolean {
  return segment.hasFailedSync || segment.syncedEnd < (segment.layout?.end ?? 0)
}

/** Its index, made when it is first needed. */
export function indexOf(segment: Segment): SparseIndex {
  segment.index ??= createSparseIndex(segment.base)
  return segment.index
}
