import { MIB } from '../base/limits.ts'
import type { DiskFile } from './disk.ts'
import type { LogContext } from './log-context.ts'
import { RecordCursor } from './record-cursor.ts'
import { readSegmentHeader } from './segment-header.ts'
import { segmentPath } from './segment-name.ts'
import { indexOf, segmentOfSummary, type Segment } from './segment.ts'
import type { DurablePoint, RecoveryReport } from './stream-log.ts'

type Range = RecoveryReport['lost'][number]

/** Ranges of lost numbers that are reported one by one. */
const LOST_RANGES_MAX = 1_000

/** How to look at a segment. */
export interface ScanRules {
  readonly base: number
  /** Base of the segment behind it: its numbers end there. */
  readonly sequenceEnd: number
  /** From this number on the first damage ends the segment: it is the torn end of unsynced data. Infinity: never. */
  readonly cutFrom: number
  /** The durable point, when it lies in this segment. */
  readonly durable: DurablePoint | undefined
}

/** What a scan found. */
export interface ScannedSegment {
  /** Its layout ends behind the last valid record; its file is not set. */
  readonly segment: Segment
  readonly fileBytes: number
  readonly hasHeader: boolean
  /** It was written for another stream: not ours to touch. */
  readonly isForeign: boolean
  readonly isAfterGap: boolean
  /** The scan ended at a torn end by the rule of `cutFrom`. */
  readonly isCut: boolean
  /** The scan began at the durable point: everything before it is trusted. */
  readonly isFromDurable: boolean
  readonly lost: readonly Range[]
}

/** Notes a range of lost numbers, within bounds. */
export function addLost(lost: Range[], from: number, to: number): void {
  if (from >= to) return
  const last = lost.at(-1)
  if (lost.length < LOST_RANGES_MAX || last === undefined) lost.push({ from, to })
  else lost[lost.length - 1] = { from: last.from, to }
}

/**
 * Scans a segment, from the durable point if that lies in it and fits its bytes.
 * @throws Fault when the file cannot be read at all, or is of a newer format
 */
export async function scanSegment(context: LogContext, file: DiskFile, rules: ScanRules): Promise<ScannedSegment> {
  const header = readSegmentHeader(file, segmentPath(context.folder, rules.base))
  const start = header.kind === 'valid' ? header.bytes : 0
  const fileBytes = file.size()
  const found = {
    fileBytes,
    hasHeader: header.kind === 'valid',
    isForeign: header.kind === 'valid' && header.header.streamId !== context.streamId,
    isAfterGap: header.kind === 'valid' && header.header.isAfterGap
  }
  const { durable } = rules
  if (durable !== undefined && durable.offset >= start && durable.offset <= fileBytes && durable.next >= rules.base) {
    const scanned = await scanRecords(context, file, rules, start, fileBytes, durable)
    // A durable point that does not fit (of an older copy of this segment) must not cut good records.
    if (scanned !== undefined) return { ...found, ...scanned, isFromDurable: true }
  }
  const scanned = await scanRecords(context, file, rules, start, fileBytes, undefined)
  return {
    ...found,
    segment: segmentOfSummary(emptySummary(rules.base)),
    isCut: false,
    lost: [],
    ...scanned,
    isFromDurable: false
  }
}

function emptySummary(base: number): { base: number; next: number; bytes: number; lastIngestMs: number } {
  return { base, next: base, bytes: 0, lastIngestMs: 0 }
}

/** Undefined: `from` was given, and what stands there is neither a record nor the end of the file. */
async function scanRecords(
  context: LogContext,
  file: DiskFile,
  rules: ScanRules,
  start: number,
  end: number,
  from: DurablePoint | undefined
): Promise<{ segment: Segment; isCut: boolean; lost: Range[] } | undefined> {
  const { base, sequenceEnd, cutFrom } = rules
  const segment = segmentOfSummary(emptySummary(base))
  const lost: Range[] = []
  const met = { damage: false, cut: false }
  const cursor = new RecordCursor({
    file,
    seed: context.seed,
    start: from?.offset ?? start,
    end,
    bounds: { sequenceMin: from?.next ?? base, sequenceEnd },
    windowBytes: MIB,
    damage: segment.damage,
    stopsAtDamage: (sequenceMin) => {
      met.damage = true
      // Nothing is missing where the next segment goes on: it is what a copy was made of, and whose cut is undone.
      met.cut = sequenceMin >= cutFrom && sequenceMin < sequenceEnd
      return met.cut
    }
  })
  let next = cursor.sequenceMin
  let validEnd = cursor.validEnd
  let lastIngestMs = from !== undefined && from.offset > start ? from.lastIngestMs : 0
  const index = indexOf(segment)
  while (cursor.nextInWindow() || (await cursor.next())) {
    if (from !== undefined && validEnd === from.offset && cursor.offset !== validEnd) return undefined
    // Damage across the durable point took records behind it along: what follows is no prefix any more.
    met.cut = met.damage && cursor.sequence > next && cursor.sequence > cutFrom
    if (met.cut) break
    met.damage = false
    addLost(lost, next, cursor.sequence)
    next = cursor.sequence + 1
    validEnd = cursor.validEnd
    lastIngestMs = Math.max(lastIngestMs, cursor.ingestTimeMs)
    index.note(cursor.sequence, cursor.offset)
  }
  if (from !== undefined && validEnd === from.offset && validEnd < end) return undefined
  segment.layout = { start, end: validEnd }
  segment.bytes = validEnd - start
  segment.next = next
  segment.lastIngestMs = lastIngestMs
  return { segment, isCut: met.cut, lost }
}
