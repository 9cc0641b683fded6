import { join } from 'node:path'
import { describeError, Fault } from '../base/fault.ts'
import { DEFINITION_NAME, readDefinitionFile } from './definition-file.ts'
import { createLogContext, type LogContext, type LogOptions } from './log-context.ts'
import { LogSegments } from './log-segments.ts'
import { cutFromOf, recoverSegments, type RecoveredSegments, type RecoveryInput } from './recovery.ts'
import { listBases, removeCorruptCopies, tidyFolder } from './recovery-files.ts'
import { NewerFormatFault, readSegmentHeader } from './segment-header.ts'
import { SegmentLog } from './segment-log.ts'
import { parseSegmentName, segmentPath, SPARE_NAME } from './segment-name.ts'
import { emptySegment, isUnsynced, type Segment } from './segment.ts'
import { SharedFile } from './shared-file.ts'
import { SpareSegment } from './spare-segment.ts'
import type { DurablePoint, LogState, RecoveryReport, StreamLog } from './stream-log.ts'
import type { Disk } from './disk.ts'

/** Makes the first segment of a log; it survives a power cut if the folder itself does. */
async function createFirstSegment(
  context: LogContext,
  spare: SpareSegment,
  base: number,
  isAfterGap: boolean
): Promise<Segment> {
  const { disk, folder } = context
  const made = await spare.make(isAfterGap)
  disk.rename(made.path, segmentPath(folder, base))
  spare.taken()
  await disk.syncFolder(folder)
  return emptySegment(base, new SharedFile(made.file), made.headerBytes)
}

function startOf(segment: Segment): DurablePoint {
  return { segmentBase: segment.base, offset: segment.layout?.start ?? 0, next: segment.base, lastIngestMs: 0 }
}

/**
 * Creates an empty log, durable within its folder; the caller syncs the folder above.
 * @param options.next the first number it gives, 0 unless it continues a lost log
 * @throws Fault when the folder cannot be written or holds segments already
 */
export async function createLog(options: LogOptions & { readonly next?: number }): Promise<StreamLog> {
  const context = createLogContext(options)
  const { disk, folder, next = 0 } = options
  disk.makeFolder(folder)
  if (listBases(disk.listFolder(folder)).length > 0) throw new Fault(`${folder} holds messages already`)
  const spare = new SpareSegment(context)
  const active = await createFirstSegment(context, spare, next, false)
  return new SegmentLog(context, new LogSegments([], active, next, startOf(active), context.isVolatile), spare)
}

/** A log that is open again. */
export interface OpenedLog {
  readonly log: StreamLog
  readonly report: RecoveryReport
  /** What `readMetadata` finds in its folder. */
  readonly metadata: Buffer | undefined
}

/**
 * Opens the log that an earlier run left, whatever its state (behaviour 4.6); what was written is durable afterwards.
 * Takes time for the bytes behind the durable point only, unless the catalogue was lost.
 * @throws Fault when the folder cannot be read or written at all, or a file is of a newer format; nothing is changed then
 */
export async function openLog(options: LogOptions & RecoveryInput): Promise<OpenedLog> {
  const context = createLogContext(options)
  const { disk, folder, state, streamId } = options
  // With thousands of streams each look at the folder is a good part of the start.
  const entries = disk.listFolder(folder)
  if (entries.length === 0) disk.makeFolder(folder)
  const { bases, metadata } = await tidyFolder(context, entries, cutFromOf(options))
  const recovered = await recoverSegments(context, bases, options)
  const isWhole = !recovered.hasCut && recovered.lost.length === 0
  if (recovered.hasCut) await disk.syncFolder(folder)
  else if (isWhole) removeCorruptCopies(context, entries)
  const spare = new SpareSegment(context)
  const segments = await assembleSegments(context, spare, recovered, state)
  segments.leftOutFrom = recovered.leftOutFrom
  const log = new SegmentLog(context, segments, spare)
  await syncRecovered(context, log)
  const { cutBytes, lost, missingSegments } = recovered
  return {
    log,
    report: { cutBytes, lost, missingSegments },
    metadata: (isWhole ? metadata : undefined) ?? readMetadata(disk, folder, streamId)
  }
}

async function assembleSegments(
  context: LogContext,
  spare: SpareSegment,
  { segments, next }: RecoveredSegments,
  state: LogState | undefined
): Promise<LogSegments> {
  const active = segments.pop() ?? (await createFirstSegment(context, spare, next, true))
  // Numbers that were given and are lost are not given again: the next segment begins behind them.
  if (active.next < next) active.isClosedForWriting = true
  const firstUnsynced = [...segments, active].find(isUnsynced)
  return new LogSegments(segments, active, next, durablePoint(active, firstUnsynced, state), context.isVolatile)
}

function durablePoint(active: Segment, firstUnsynced: Segment | undefined, state: LogState | undefined): DurablePoint {
  if (firstUnsynced === undefined) {
    const { base, next, lastIngestMs, layout } = active
    return { segmentBase: base, offset: layout?.end ?? 0, next, lastIngestMs }
  }
  const isKnown = state?.durable.segmentBase === firstUnsynced.base && firstUnsynced.syncedEnd === state.durable.offset
  return isKnown ? state.durable : startOf(firstUnsynced)
}

/** What was only written is made durable now, so that exports need not wait for the next append. */
async function syncRecovered(context: LogContext, log: StreamLog): Promise<void> {
  if (!log.needsSync) return
  try {
    await log.sync()
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    context.logger.error('A recovered log cannot be synced', { folder: context.folder, error: describeError(error) })
  }
}

/**
 * The metadata in the definition file of a log, or else in its newest readable segment header, for rebuilding a lost
 * catalogue.
 * @returns undefined when there is none of this stream
 */
export function readMetadata(disk: Disk, folder: string, streamId: string): Buffer | undefined {
  const changed = readDefinitionFile({ disk, folder, streamId })
  if (changed !== undefined) return changed
  for (const base of listBases(disk.listFolder(folder)).reverse()) {
    const path = segmentPath(folder, base)
    try {
      const file = disk.openFile(path, 'read')
      try {
        const result = readSegmentHeader(file, path)
        if (result.kind === 'valid' && result.header.streamId === streamId) return result.header.metadata
      } finally {
        file.close()
      }
    } catch {
      // An unreadable segment is passed over: an older one may serve.
    }
  }
  return undefined
}

/**
 * Why the files in a folder are to be left to a newer program, a sentence without a final dot; undefined where they are
 * none of its (reliability ST25).
 */
export function newerFormatIn(disk: Disk, folder: string): string | undefined {
  const names = [DEFINITION_NAME, SPARE_NAME]
  const isOurs = (name: string): boolean => names.includes(name) || parseSegmentName(name) !== undefined
  for (const { name } of disk.listFolder(folder).filter((entry) => !entry.isFolder && isOurs(entry.name))) {
    const path = join(folder, name)
    try {
      const file = disk.openFile(path, 'read')
      try {
        readSegmentHeader(file, path)
      } finally {
        file.close()
      }
    } catch (error) {
      if (error instanceof NewerFormatFault) return error.message
    }
  }
  return undefined
}

/** True for what an interrupted `createLog` leaves: a folder that is empty, or holds only a first segment without name and records. */
export function isUnfinishedLog(disk: Disk, folder: string): boolean {
  const entries = disk.listFolder(folder)
  if (entries.length === 0) return true
  if (entries.length > 1 || entries[0]?.name !== SPARE_NAME || entries[0].isFolder) return false
  const path = join(folder, SPARE_NAME)
  const file = disk.openFile(path, 'read')
  try {
    const header = readSegmentHeader(file, path)
    return file.size() === 0 || (header.kind === 'valid' && header.bytes === file.size())
  } finally {
    file.close()
  }
}
