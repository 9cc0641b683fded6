import { join } from 'node:path'
import { describeError, Fault } from '../base/fault.ts'
import { MIB } from '../base/limits.ts'
import type { Disk, DiskFile, FolderEntry } from './disk.ts'
import {
  inspectSegment,
  type InspectedFile,
  type MessageVisitor,
  type NumberRange,
  type SegmentInspection
} from './inspect-segment.ts'
import { recordSeed } from './record.ts'
import { RecordCursor } from './record-cursor.ts'
import { listBases } from './recovery-files.ts'
import { NewerFormatFault, readSegmentHeader } from './segment-header.ts'
import { COPY_NAME, CORRUPT_SUFFIX, segmentName, SEQUENCE_MAX, SPARE_NAME } from './segment-name.ts'
import type { LogState } from './stream-log.ts'
import { isMissingError } from './system-error.ts'

/** Something wrong with a log. */
export interface LogProblem {
  /**
   * `damage`: bytes of a file. `missing`: numbers without a file. `unreadable`: a file that the disk does not give.
   * `foreign`: a file of another stream. `newer`: a file of a later version of this program.
   */
  readonly kind: 'damage' | 'missing' | 'unreadable' | 'foreign' | 'newer'
  /** Name of the file, if it is about one. */
  readonly file?: string
  readonly offset?: number
  readonly bytes?: number
  /** Numbers of lost messages. */
  readonly lost?: NumberRange | undefined
  readonly reason?: string
}

/** Something that is no loss, but worth knowing. */
export interface LogNote {
  /**
   * `tornEnd`: bytes behind the last record, which were being written when power or process went, or are so now.
   * `unnamed`: a segment that has its records, but not yet its name. `leftover`: bytes that a server would remove.
   * `cut`: what a recovery had cut off.
   */
  readonly kind: 'tornEnd' | 'unnamed' | 'leftover' | 'cut'
  readonly file: string
  readonly offset: number
  readonly bytes: number
}

/** What is in the folder of a log. */
export interface LogInspection {
  readonly segments: readonly (SegmentInspection & { readonly file: string })[]
  readonly messages: number
  /** Bytes of the readable records, headers included. */
  readonly bytes: number
  /** Number of the first readable message; equals `next` when there is none. */
  readonly oldest: number
  /** The number that the next message gets. */
  readonly next: number
  readonly problems: readonly LogProblem[]
  readonly notes: readonly LogNote[]
}

export interface LogInspectionOptions {
  readonly disk: Disk
  readonly folder: string
  readonly streamId: string
  /** What a sound catalogue says. */
  readonly state: LogState | undefined
  /** A server runs on it: files may come, grow and go. */
  readonly isLive: boolean
}

interface Candidate {
  readonly file: string
  readonly base: number
}

/**
 * Reads a whole log without changing anything: what a recovery would keep, and what is damaged.
 * @param visit is told of every readable message, in order of the numbers
 * @throws Fault when the folder cannot be listed
 */
export async function inspectLog(options: LogInspectionOptions, visit?: MessageVisitor): Promise<LogInspection> {
  const { disk, folder, state } = options
  const entries = disk.listFolder(folder)
  const problems: LogProblem[] = []
  const notes: LogNote[] = leftoversOf(disk, folder, entries)
  const candidates = await findSegments(options, entries, notes)
  const segments: LogInspection['segments'][number][] = []
  /** The number that the next segment continues with; undefined when nobody knows. */
  let reached = options.isLive ? undefined : state?.oldest
  let tail: { readonly file: string; readonly offset: number; readonly bytes: number } | undefined

  /** What lies between the last record of a segment and what follows it. */
  const close = (to: number | undefined, isAfterGap = false): void => {
    const lost =
      reached !== undefined && to !== undefined && to > reached && !isAfterGap ? { from: reached, to } : undefined
    if (tail !== undefined && (lost !== undefined || isAfterGap)) problems.push({ kind: 'damage', ...tail, lost })
    else if (lost !== undefined) problems.push({ kind: 'missing', lost })
    else if (tail !== undefined) notes.push({ kind: to === undefined ? 'tornEnd' : 'leftover', ...tail })
    tail = undefined
  }

  for (const [index, { file, base }] of candidates.entries()) {
    const sequenceEnd = candidates[index + 1]?.base ?? SEQUENCE_MAX
    if (state !== undefined && sequenceEnd <= state.oldest) continue
    const segment = await inspectFile(options, { file, base, sequenceEnd }, visit)
    if (segment.kind === 'vanished') reached = undefined
    else if (segment.kind === 'problem') {
      problems.push(segment.problem)
      reached = undefined
    } else {
      const { found } = segment
      close(base, found.isAfterGap)
      if (found.header === 'foreign') problems.push({ kind: 'foreign', file })
      for (const place of found.damage) problems.push({ kind: 'damage', file, ...place })
      segments.push({ ...found, file })
      reached = found.next
      if (found.end < found.fileBytes) tail = { file, offset: found.end, bytes: found.fileBytes - found.end }
    }
  }
  const durableNext = state?.durable.next ?? 0
  close(reached !== undefined && durableNext > reached ? durableNext : undefined)
  const next = Math.max(state?.next ?? 0, reached ?? 0, candidates.at(-1)?.base ?? 0)
  return {
    segments,
    messages: segments.reduce((sum, segment) => sum + segment.messages, 0),
    bytes: segments.reduce((sum, segment) => sum + segment.bytes, 0),
    oldest: segments.find(({ first }) => first !== undefined)?.first ?? next,
    next,
    problems,
    notes
  }
}

type InspectionResult =
  | { readonly kind: 'found'; readonly found: SegmentInspection }
  | { readonly kind: 'vanished' }
  | { readonly kind: 'problem'; readonly problem: LogProblem }

async function inspectFile(
  { disk, folder, streamId, isLive }: LogInspectionOptions,
  { file: name, base, sequenceEnd }: Candidate & { readonly sequenceEnd: number },
  visit: MessageVisitor | undefined
): Promise<InspectionResult> {
  const path = join(folder, name)
  let file: DiskFile
  try {
    file = disk.openFile(path, 'read')
  } catch (error) {
    if (isLive && isMissingError(error)) return { kind: 'vanished' }
    return { kind: 'problem', problem: { kind: 'unreadable', file: name, reason: describeError(error) } }
  }
  try {
    const inspected: InspectedFile = { file, path, streamId, base, sequenceEnd }
    return { kind: 'found', found: await inspectSegment(inspected, visit) }
  } catch (error) {
    if (!(error instanceof Fault) || error instanceof VisitorFault) throw error
    const kind = error instanceof NewerFormatFault ? 'newer' : 'unreadable'
    return { kind: 'problem', problem: { kind, file: name, reason: error.message } }
  } finally {
    file.close()
  }
}

/** Thrown by a visitor: it is not about the file that is being read. */
export class VisitorFault extends Fault {}

/** All files with records, by their first number; a segment without its name replaces an older one of that number. */
async function findSegments(
  options: LogInspectionOptions,
  entries: readonly FolderEntry[],
  notes: LogNote[]
): Promise<readonly Candidate[]> {
  const named = listBases(entries).map((base) => ({ file: segmentName(base), base }))
  if (!entries.some(({ name, isFolder }) => name === SPARE_NAME && !isFolder)) return named
  const spare = await firstNumber(options)
  if (spare === undefined) return named
  const bytes = fileBytes(options.disk, join(options.folder, SPARE_NAME))
  notes.push({ kind: 'unnamed', file: SPARE_NAME, offset: 0, bytes })
  const all = [...named.filter(({ base }) => base !== spare), { file: SPARE_NAME, base: spare }]
  return all.sort((left, right) => left.base - right.base)
}

/** Number of the first record in the spare; undefined when it is what it should be: empty. */
async function firstNumber({ disk, folder, streamId }: LogInspectionOptions): Promise<number | undefined> {
  const path = join(folder, SPARE_NAME)
  try {
    const file = disk.openFile(path, 'read')
    try {
      const header = readSegmentHeader(file, path)
      const cursor = new RecordCursor({
        file,
        seed: recordSeed(streamId),
        start: header.kind === 'valid' ? header.bytes : 0,
        end: file.size(),
        bounds: { sequenceMin: 0, sequenceEnd: SEQUENCE_MAX },
        windowBytes: MIB,
        damage: new Map()
      })
      return (await cursor.next()) ? cursor.sequence : undefined
    } finally {
      file.close()
    }
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    return undefined
  }
}

function leftoversOf(disk: Disk, folder: string, entries: readonly FolderEntry[]): LogNote[] {
  const files = entries.filter(({ isFolder }) => !isFolder).map(({ name }) => name)
  return files
    .filter((name) => name === COPY_NAME || name.endsWith(CORRUPT_SUFFIX))
    .map((file) => ({
      kind: file === COPY_NAME ? 'leftover' : 'cut',
      file,
      offset: 0,
      bytes: fileBytes(disk, join(folder, file))
    }))
}

function fileBytes(disk: Disk, path: string): number {
  try {
    const file = disk.openFile(path, 'read')
    try {
      return file.size()
    } finally {
      file.close()
    }
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    return 0
  }
}
