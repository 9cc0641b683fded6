import { join } from 'node:path'
import { describeError } from '../base/fault.ts'
import { MIB } from '../base/limits.ts'
import { DEFINITION_NAME, NEW_DEFINITION_NAME } from './definition-file.ts'
import type { DiskFile, FolderEntry } from './disk.ts'
import type { LogContext } from './log-context.ts'
import { RecordCursor } from './record-cursor.ts'
import { readSegmentHeader } from './segment-header.ts'
import { COPY_NAME, CORRUPT_SUFFIX, parseSegmentName, segmentPath, SEQUENCE_MAX, SPARE_NAME } from './segment-name.ts'
import { isUnsynced, type Segment } from './segment.ts'
import type { SharedFile } from './shared-file.ts'
import { removeQuietly } from './spare-segment.ts'

/** At most this much of what a recovery cuts off is kept, in one file per log. */
const CORRUPT_COPY_BYTES_MAX = MIB

/** Segment bases in a folder, ascending. */
export function listBases(entries: readonly FolderEntry[]): number[] {
  const bases = entries.filter(({ isFolder }) => !isFolder).map(({ name }) => parseSegmentName(name))
  return bases.filter((base) => base !== undefined).sort((left, right) => left - right)
}

function has(entries: readonly FolderEntry[], name: string): boolean {
  return entries.some((entry) => entry.name === name && !entry.isFolder)
}

/**
 * Number of the first record in a file; undefined when there is none, or when records before it were lost that had not
 * been durable: what follows is no prefix then (see recoverSegments).
 */
async function firstSequence(
  context: LogContext,
  file: DiskFile,
  path: string,
  cutFrom: number
): Promise<number | undefined> {
  const header = readSegmentHeader(file, path)
  const start = header.kind === 'valid' ? header.bytes : 0
  const cursor = new RecordCursor({
    file,
    seed: context.seed,
    start,
    end: file.size(),
    bounds: { sequenceMin: 0, sequenceEnd: SEQUENCE_MAX },
    windowBytes: MIB,
    damage: new Map()
  })
  if (!(await cursor.next())) return undefined
  return cursor.offset > start && cursor.sequence > cutFrom ? undefined : cursor.sequence
}

/**
 * Gives a spare that was in use its name: the rename of the last roll did not survive a power cut. It then holds the
 * newest records, also when an older file has that name, which it had replaced. A spare without records is removed.
 * @returns the base of the adopted segment
 */
async function adoptSpare(context: LogContext, cutFrom: number): Promise<number | undefined> {
  const { disk, folder, logger } = context
  const path = join(folder, SPARE_NAME)
  const file = disk.openFile(path, 'read')
  let base: number | undefined
  try {
    base = await firstSequence(context, file, path, cutFrom)
  } finally {
    file.close()
  }
  if (base === undefined) {
    removeQuietly(context, path)
    return undefined
  }
  disk.rename(path, segmentPath(folder, base))
  await disk.syncFolder(folder)
  logger.info('A segment got its name after an interrupted roll', { path: segmentPath(folder, base) })
  return base
}

/**
 * Before anything is changed: a newer program writes the newest segment.
 * @returns the metadata of that segment, if it is readable and of this stream
 */
function refuseNewerFormat({ disk, folder, streamId }: LogContext, bases: readonly number[]): Buffer | undefined {
  const newest = bases.at(-1)
  if (newest === undefined) return undefined
  const path = segmentPath(folder, newest)
  let file: DiskFile
  try {
    file = disk.openFile(path, 'read')
  } catch {
    return undefined
  }
  try {
    const result = readSegmentHeader(file, path)
    return result.kind === 'valid' && result.header.streamId === streamId ? result.header.metadata : undefined
  } finally {
    file.close()
  }
}

/** A log's folder once it is tidy. */
export interface TidyFolder {
  /** Of the segments, ascending. */
  readonly bases: number[]
  /** The metadata kept in the folder, where the newest segment was enough to know it. */
  readonly metadata: Buffer | undefined
}

/**
 * Tidies a log's folder before its segments are looked at.
 * @param entries what is in the folder
 * @param cutFrom see ScanRules
 * @throws Fault when the folder cannot be read, or NewerFormatFault
 */
export async function tidyFolder(
  context: LogContext,
  entries: readonly FolderEntry[],
  cutFrom: number
): Promise<TidyFolder> {
  const { folder } = context
  const bases = listBases(entries)
  const ofNewest = refuseNewerFormat(context, bases)
  const metadata = has(entries, DEFINITION_NAME) || has(entries, SPARE_NAME) ? undefined : ofNewest
  for (const name of [COPY_NAME, NEW_DEFINITION_NAME]) {
    if (has(entries, name)) removeQuietly(context, join(folder, name))
  }
  if (!has(entries, SPARE_NAME)) return { bases, metadata }
  const adopted = await adoptSpare(context, cutFrom)
  if (adopted === undefined || bases.includes(adopted)) return { bases, metadata }
  return { bases: [...bases, adopted].sort((left, right) => left - right), metadata }
}

/** Removes what earlier recoveries kept for inspection, of what is in the folder. */
export function removeCorruptCopies(context: LogContext, entries: readonly FolderEntry[]): void {
  for (const { name, isFolder } of entries) {
    const original = name.slice(0, -CORRUPT_SUFFIX.length)
    const isCopy = !isFolder && name.endsWith(CORRUPT_SUFFIX) && parseSegmentName(original) !== undefined
    if (isCopy) removeQuietly(context, join(context.folder, name))
  }
}

/** Keeps the start of what is about to be cut off, in place of earlier copies. Failing to is no reason to stop. */
export function keepCorruptCopy(context: LogContext, base: number, file: DiskFile, start: number, end: number): void {
  const path = `${segmentPath(context.folder, base)}${CORRUPT_SUFFIX}`
  removeCorruptCopies(context, context.disk.listFolder(context.folder))
  try {
    const bytes = file.read(start, Math.min(CORRUPT_COPY_BYTES_MAX, end - start))
    const copy = context.disk.createFile(path)
    try {
      copy.write([bytes], 0)
    } finally {
      copy.close()
    }
  } catch (error) {
    context.logger.warn('The bytes that are cut off cannot be kept', { path, error: describeError(error) })
    removeQuietly(context, path)
  }
}

/**
 * Writes what is not known to be durable once more, in its place. A sync may have failed before the process was killed:
 * the kernel then takes the pages for clean, and a later sync would succeed without writing them (reliability 3.1.6).
 */
export async function rewriteUnsynced(context: LogContext, segment: Segment, shared: SharedFile): Promise<void> {
  if (!isUnsynced(segment)) return
  const { start, end } = segment.layout ?? { start: 0, end: 0 }
  try {
    await shared.use(async (file) => {
      for (let at = Math.max(start, segment.syncedEnd); at < end; at += MIB) {
        await file.writeAsync([await file.readAsync(at, Math.min(MIB, end - at))], at)
      }
    })
  } catch (error) {
    const path = segmentPath(context.folder, segment.base)
    context.logger.warn('A recovered segment cannot be written again', { path, error: describeError(error) })
    // The next sync copies it to another file.
    segment.hasFailedSync = true
    segment.isClosedForWriting = true
  }
}
