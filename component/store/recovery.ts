import { describeError, Fault } from '../base/fault.ts'
import type { LogContext } from './log-context.ts'
import { RECORD_BYTES_MIN } from './record.ts'
import { keepCorruptCopy, rewriteUnsynced } from './recovery-files.ts'
import { addLost, scanSegment, type ScannedSegment } from './recovery-scan.ts'
import { NewerFormatFault } from './segment-header.ts'
import { segmentPath, SEQUENCE_MAX } from './segment-name.ts'
import { segmentOfSummary, type Segment } from './segment.ts'
import { SharedFile } from './shared-file.ts'
import { removeQuietly } from './spare-segment.ts'
import type { LogState, RecoveryReport, SegmentSummary } from './stream-log.ts'
import { isShortageError } from './system-error.ts'

/** No segment has more bytes, but for those of its last record. */
const SEGMENT_BYTES_MAX = 2 ** 31

/** What the last run left, as the caller remembers it. */
export interface RecoveryInput {
  /** Absent when the catalogue was lost: then nothing is cut but the torn end. */
  readonly state?: LogState
  /** Sealed segments by base. */
  readonly summaries: ReadonlyMap<number, SegmentSummary>
  /** The machine has not been started anew since: what was written is still there, synced or not. */
  readonly sameBoot: boolean
}

/** The segments that are left, and what became of the others. */
export interface RecoveredSegments {
  /** Oldest first. Only the last may have its file open, and only if it can be appended to. */
  readonly segments: Segment[]
  /** One more than the last number of the segments looked at, whether they are kept or not. */
  reached: number | undefined
  /** No number below this one may be given again. */
  next: number
  cutBytes: number
  /** Files were cut or removed: the folder must be synced before new records are written. */
  hasCut: boolean
  readonly lost: RecoveryReport['lost'][number][]
  readonly missingSegments: number[]
  /** First number of the first segment that was left out and may be readable later. */
  leftOutFrom: number | undefined
}

/**
 * Finds out what of a log is still good (behaviour 4.6, reliability 3.1.7):
 *
 * - Segments below `oldest` are removed; durable ones that the catalogue describes are not read.
 * - Damage before the durable point is skipped record by record.
 * - Behind the durable point, after a power cut, the records up to the first damage are kept: they must be a prefix.
 *   Without a power cut, or without a durable point, damage is skipped there as well.
 */
export async function recoverSegments(
  context: LogContext,
  bases: readonly number[],
  input: RecoveryInput
): Promise<RecoveredSegments> {
  const oldest = input.state?.oldest ?? 0
  const kept = bases.filter((base, index) => {
    const end = bases[index + 1]
    const isDropped = end !== undefined && end <= oldest
    if (isDropped) removeQuietly(context, segmentPath(context.folder, base))
    return !isDropped
  })
  const missing = missingSegments(kept, oldest, input.summaries)
  const result: RecoveredSegments = {
    segments: [],
    reached: undefined,
    next: Math.max(input.state?.next ?? 0, kept.at(-1) ?? 0),
    cutBytes: 0,
    hasCut: false,
    lost: [],
    missingSegments: missing.map(({ base }) => base),
    leftOutFrom: undefined
  }
  const cutFrom = cutFromOf(input)
  for (const [index, base] of kept.entries()) {
    const sequenceEnd = kept[index + 1] ?? SEQUENCE_MAX
    const summary = trustedSummary(base, sequenceEnd, input)
    if (summary !== undefined) {
      // Its header is not read, so a gap before it may be one that was meant.
      const isBefore = ({ next }: SegmentSummary): boolean => next <= base && next > reachedBy(result, input)
      for (const lost of missing.filter(isBefore)) addLost(result.lost, lost.base, lost.next)
      result.segments.push(segmentOfSummary(summary))
      result.reached = summary.next
      continue
    }
    const isComplete = await recoverSegment(context, result, { base, sequenceEnd, cutFrom }, input)
    if (!isComplete) {
      discardSegments(context, result, kept.slice(index + 1))
      break
    }
  }
  removeDroppedLast(context, result, oldest)
  const reached = Math.max(result.reached ?? 0, oldest)
  addLost(result.lost, reached, input.state?.durable.next ?? 0)
  result.next = Math.max(result.next, reached)
  return result
}

/** Retention had dropped all of the last segment, and a power cut has taken the one behind it. */
function removeDroppedLast(context: LogContext, result: RecoveredSegments, oldest: number): void {
  const last = result.segments.at(-1)
  if (last === undefined || last.base >= oldest || last.next > oldest) return
  last.file?.retire()
  removeQuietly(context, segmentPath(context.folder, last.base))
  result.segments.pop()
  result.hasCut = true
}

/** Behind which number the log may be torn: after a power cut behind the durable point. See ScanRules. */
export function cutFromOf({ sameBoot, state }: RecoveryInput): number {
  return sameBoot || state === undefined ? Infinity : state.durable.next
}

/** Segments that the catalogue describes and that are not there, oldest first. */
function missingSegments(
  bases: readonly number[],
  oldest: number,
  summaries: ReadonlyMap<number, SegmentSummary>
): SegmentSummary[] {
  const present = new Set(bases)
  const missing = [...summaries.values()].filter(({ base, next }) => next > oldest && !present.has(base))
  return missing.sort((left, right) => left.base - right.base)
}

/** The number that the next segment continues with; before the first of a lost catalogue anything may have been. */
function reachedBy({ reached }: RecoveredSegments, { state }: RecoveryInput): number {
  return Math.max(reached ?? -1, state?.oldest ?? (reached === undefined ? Infinity : 0))
}

/** The summary of a segment all of which was durable: it need not be read. */
function trustedSummary(base: number, sequenceEnd: number, input: RecoveryInput): SegmentSummary | undefined {
  const summary = input.summaries.get(base)
  if (summary === undefined || summary.next > sequenceEnd) return undefined
  return input.state === undefined || summary.next <= input.state.durable.next ? summary : undefined
}

/**
 * Scans a segment and adds what is good of it.
 * @returns false when the log ends in or before it
 */
async function recoverSegment(
  context: LogContext,
  result: RecoveredSegments,
  range: { readonly base: number; readonly sequenceEnd: number; readonly cutFrom: number },
  input: RecoveryInput
): Promise<boolean> {
  const { base, sequenceEnd, cutFrom } = range
  const isLast = sequenceEnd === SEQUENCE_MAX
  const path = segmentPath(context.folder, base)
  const durable = input.state?.durable.segmentBase === base ? input.state.durable : undefined
  const leaveOut = (error: unknown, bytes: number): void => {
    // It is well and will be found later: without it, exports would pass its messages.
    if (isShortageError(error)) throw error
    context.logger.error('A segment cannot be read and is left out', { path, error: describeError(error) })
    result.leftOutFrom ??= base
    // It may hold numbers that nothing else knows of, and that were told to clients.
    const numbersMax = 1 + Math.floor(bytes / RECORD_BYTES_MIN)
    result.next = Math.max(result.next, Math.min(sequenceEnd, base + numbersMax))
  }
  let shared: SharedFile
  try {
    shared = new SharedFile(context.disk.openFile(path, 'readWrite'))
  } catch (error) {
    leaveOut(error, SEGMENT_BYTES_MAX)
    return true
  }
  let isKept = false
  try {
    const scanned = await scanSegment(context, shared.file, { base, sequenceEnd, cutFrom, durable })
    if (scanned.isForeign) {
      context.logger.error('A segment of another stream is left alone', { path })
      result.next = Math.max(result.next, base + 1)
      return true
    }
    const reached = reachedBy(result, input)
    const isBroken = result.reached !== undefined && base > reached && base > cutFrom && !scanned.isAfterGap
    if (isBroken) {
      discardSegments(context, result, [base])
      return false
    }
    markSynced(scanned, input)
    if (!scanned.isAfterGap) addLost(result.lost, reached, base)
    for (const { from, to } of scanned.lost) addLost(result.lost, from, to)
    result.reached = scanned.segment.next
    isKept = await keepSegment(context, result, scanned, shared, isLast || scanned.isCut)
    if (input.sameBoot && input.state !== undefined) await rewriteUnsynced(context, scanned.segment, shared)
    return !scanned.isCut
  } catch (error) {
    if (!(error instanceof Fault) || error instanceof NewerFormatFault) throw error
    leaveOut(error, shared.file.size())
    return true
  } finally {
    if (!isKept) shared.retire()
  }
}

/**
 * Adds a scanned segment to the log.
 * @returns true when its file stays open: it is the last one and can be appended to
 */
async function keepSegment(
  context: LogContext,
  result: RecoveredSegments,
  scanned: ScannedSegment,
  shared: SharedFile,
  isLast: boolean
): Promise<boolean> {
  const { segment, fileBytes, hasHeader } = scanned
  const end = segment.layout?.end ?? 0
  const start = segment.layout?.start ?? 0
  if (!isLast || !hasHeader) {
    // What is damaged counts too: it takes up space until retention comes to it.
    segment.layout = { start, end: fileBytes }
    segment.bytes = fileBytes - start
    if (segment.bytes === 0) {
      removeQuietly(context, segmentPath(context.folder, segment.base))
      return false
    }
    if (isLast) result.next = Math.max(result.next, segment.base + 1)
  }
  result.segments.push(segment)
  if (!isLast || !hasHeader) return false
  segment.file = shared
  segment.syncedEnd = Math.min(segment.syncedEnd, end)
  segment.isClosedForWriting = false
  if (end < fileBytes) await cutTornEnd(context, result, segment, shared, end, fileBytes)
  return true
}

/** Cuts what follows the last good record, and makes the cut itself durable: old bytes must not come back behind new ones. */
async function cutTornEnd(
  context: LogContext,
  result: RecoveredSegments,
  segment: Segment,
  shared: SharedFile,
  end: number,
  fileBytes: number
): Promise<void> {
  result.cutBytes += fileBytes - end
  result.hasCut = true
  keepCorruptCopy(context, segment.base, shared.file, end, fileBytes)
  try {
    shared.file.truncate(end)
    await context.syncs(() => shared.file.sync())
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    segment.isClosedForWriting = true
    context.logger.error('A torn end cannot be cut, the segment is closed', {
      path: segmentPath(context.folder, segment.base),
      error: describeError(error)
    })
  }
}

/** Says how much of a scanned segment survives a power cut for sure. */
function markSynced({ segment, isFromDurable }: ScannedSegment, { state }: RecoveryInput): void {
  if (state === undefined) segment.syncedEnd = 0
  else if (isFromDurable) segment.syncedEnd = state.durable.offset
  else segment.syncedEnd = segment.next <= state.durable.next ? Infinity : 0
}

/** Segments behind the point up to which the log survived a power cut. */
function discardSegments(context: LogContext, result: RecoveredSegments, bases: readonly number[]): void {
  for (const base of bases) {
    const path = segmentPath(context.folder, base)
    const bytes = fileBytes(context, path)
    context.logger.warn('A segment behind a torn end is discarded', { path, bytes })
    result.cutBytes += bytes
    result.hasCut = true
    removeQuietly(context, path)
  }
}

function fileBytes({ disk }: LogContext, path: string): number {
  try {
    const file = disk.openFile(path, 'read')
    try {
      return file.size()
    } finally {
      file.close()
    }
  } catch {
    return 0
  }
}
