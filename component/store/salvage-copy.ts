import { describeError } from '../base/fault.ts'
import { MIB } from '../base/limits.ts'
import type { DiskFile } from './disk.ts'
import type { LogContext } from './log-context.ts'
import { RecordCursor } from './record-cursor.ts'
import { STEP_BYTES, writeBatchInSteps } from './record-batch.ts'
import { readSegmentHeader } from './segment-header.ts'
import { COPY_NAME, segmentPath } from './segment-name.ts'
import { emptySegment, indexOf, type Segment } from './segment.ts'
import { SharedFile } from './shared-file.ts'
import { createSegmentFile, removeQuietly, type NewSegmentFile } from './spare-segment.ts'
import type { NewRecord } from './stream-log.ts'

/** The part of a segment to copy. */
export interface SalvageRange {
  readonly segment: Segment
  /** Its open file. */
  readonly shared: SharedFile
  /** First number to copy, and where its record stands. */
  readonly from: number
  readonly offset: number
}

/**
 * Copies the readable records of a range to a new file, syncs it and gives it the name of its first number. A file of
 * that name is replaced. The folder is not synced yet.
 * @returns the copy, open for writing; undefined when no record was readable
 * @throws Fault; the original is unchanged then
 */
export function copyRecords(context: LogContext, range: SalvageRange, metadata: Buffer): Promise<Segment | undefined> {
  // In use from here to the end: the log may be closed while the new file is being made.
  return range.shared.use((source) => copyFrom(context, range, source, metadata))
}

async function copyFrom(
  context: LogContext,
  range: SalvageRange,
  source: DiskFile,
  metadata: Buffer
): Promise<Segment | undefined> {
  const { disk, folder, syncs } = context
  const { segment, from } = range
  const header = readSegmentHeader(source, segmentPath(folder, segment.base))
  const isAfterGap = header.kind === 'valid' && header.header.isAfterGap && from === segment.base
  const made = await createSegmentFile(context, COPY_NAME, metadata, isAfterGap)
  try {
    const copy = await fillCopy(context, range, source, made)
    if (copy.bytes === 0) {
      made.file.close()
      removeQuietly(context, made.path)
      return undefined
    }
    await syncs(() => made.file.sync())
    disk.rename(made.path, segmentPath(folder, from))
    return copy
  } catch (error) {
    made.file.close()
    removeQuietly(context, made.path)
    throw error
  }
}

async function fillCopy(
  context: LogContext,
  { segment, from, offset }: SalvageRange,
  source: DiskFile,
  made: NewSegmentFile
): Promise<Segment> {
  const copy = emptySegment(from, new SharedFile(made.file), made.headerBytes)
  const end = segment.layout?.end ?? 0
  const cursor = new RecordCursor({
    file: source,
    seed: context.seed,
    start: offset,
    end,
    bounds: { sequenceMin: from, sequenceEnd: segment.next },
    windowBytes: MIB,
    damage: new Map(),
    onDamage: (damageStart, damageEnd) =>
      context.logger.error('Messages were lost with a failed sync', {
        segment: segmentPath(context.folder, segment.base),
        bytes: damageEnd - damageStart
      })
  })
  let batch: NewRecord[] = []
  let position = made.headerBytes
  let batchEnd = position
  /** The number that continues the batch. */
  let expected = from
  const flush = async (): Promise<void> => {
    await writeBatchInSteps(made.file, position, batch, expected - batch.length, context.seed)
    position = batchEnd
    batch = []
  }

  while (cursor.nextInWindow() || (await cursor.next())) {
    if (cursor.sequence !== expected || batchEnd - position >= STEP_BYTES) {
      await flush()
    }
    indexOf(copy).note(cursor.sequence, batchEnd)
    batch.push({ payload: await cursor.payload(), ingestTimeMs: cursor.ingestTimeMs })
    batchEnd += cursor.bytes
    expected = cursor.sequence + 1
    copy.lastIngestMs = Math.max(copy.lastIngestMs, cursor.ingestTimeMs)
  }
  await flush()
  copy.layout = { start: made.headerBytes, end: position }
  copy.bytes = position - made.headerBytes
  copy.next = segment.next
  return copy
}

/** Cuts the copied records off the old file, if it still lets us; their numbers hide them otherwise. */
export function cutQuietly(context: LogContext, file: DiskFile, length: number): void {
  try {
    file.truncate(length)
  } catch (error) {
    context.logger.debug('A file whose sync failed cannot be cut', { error: describeError(error) })
  }
}
