import { join } from 'node:path'
import { Fault } from '../base/fault.ts'
import { definitionToWire } from '../protocol/definition-codec.ts'
import type { Disk } from '../store/disk.ts'
import { inspectLog, VisitorFault, type LogNote, type LogProblem } from '../store/inspect-log.ts'
import type { MessageVisitor } from '../store/inspect-segment.ts'
import type { OpenedStore, StoredStream } from './store-reader.ts'

/** All about one stream, as `--json` prints it. Numbers of messages: `from` inclusive, `to` exclusive. */
export interface StreamReport {
  readonly name: string | null
  readonly id: string
  /** Below the store's folder; null for a stream without files. */
  readonly folder: string | null
  readonly persistence: 'file' | 'memory' | null
  readonly setAside: string | null
  readonly definition: object | null
  readonly definitionFrom: string | null
  readonly messages: number
  /** Records with their headers: the measure of maxSize. */
  readonly bytes: number
  readonly oldest: number
  readonly next: number
  readonly segments: readonly SegmentReport[]
  readonly exports: readonly ExportReport[]
  readonly problems: readonly LogProblem[]
  readonly notes: readonly LogNote[]
}

export interface SegmentReport {
  readonly file: string
  readonly fileBytes: number
  readonly messages: number
  readonly first: number | null
  readonly next: number
  readonly newest: string | null
}

export interface ExportReport {
  readonly identifier: string
  readonly kind: string
  readonly disabled: boolean
  /** The next number to be exported; null before the first progress. */
  readonly next: bigint | null
  readonly exportedBytes: number
  readonly processedMessages: number
  readonly skippedMessages: number
  readonly lastExport: string | null
}

/** Latest time that a date can hold. */
const TIME_MS_MAX = 8.64e15

/** ISO 8601 in UTC; null when there is no such time. */
export function timeText(ms: number | undefined): string | null {
  return ms === undefined || ms === 0 || ms > TIME_MS_MAX ? null : new Date(ms).toISOString()
}

function exportReports({ definition, progress }: StoredStream): ExportReport[] {
  return (definition?.exports ?? []).map(({ identifier, kind, disabled }) => {
    const found = progress.get(identifier)
    return {
      identifier,
      kind,
      disabled: disabled ?? false,
      next: found?.next ?? null,
      exportedBytes: found?.exportedBytes ?? 0,
      processedMessages: found?.processedMessages ?? 0,
      skippedMessages: found?.skippedMessages ?? 0,
      lastExport: timeText(found?.lastExportTimeMs)
    }
  })
}

const LIVE_LOOKS = 3

function emptyLog(stream: StoredStream, problems: readonly LogProblem[]) {
  const next = stream.state?.next ?? 0
  return { segments: [], messages: 0, bytes: 0, oldest: next, next, problems, notes: [] }
}

async function readLog(disk: Disk, store: OpenedStore, stream: StoredStream, visit: MessageVisitor | undefined) {
  const { folder, definition } = stream
  if (folder === undefined) {
    const isExpected = definition?.persistence === 'memory'
    return emptyLog(stream, isExpected ? [] : [{ kind: 'missing', reason: 'its folder is not there' }])
  }
  try {
    const options = {
      disk,
      folder: join(store.folder, folder),
      streamId: stream.id,
      state: stream.state,
      isLive: store.holder !== undefined && stream.setAsideMs === undefined
    }
    let log = await inspectLog(options, visit)
    // A running server may move files during one look; damage is still there at the next.
    for (let look = 1; look < LIVE_LOOKS && options.isLive && visit === undefined && log.problems.length > 0; look++)
      log = await inspectLog(options)
    return log
  } catch (error) {
    if (!(error instanceof Fault) || error instanceof VisitorFault) throw error
    return emptyLog(stream, [{ kind: 'unreadable', reason: error.message }])
  }
}

/**
 * Reads all messages of a stream.
 * @param visit is told of each one that is not damaged
 */
export async function reportStream(
  disk: Disk,
  store: OpenedStore,
  stream: StoredStream,
  visit?: MessageVisitor
): Promise<StreamReport> {
  const log = await readLog(disk, store, stream, visit)
  const { definition } = stream
  return {
    name: stream.name ?? null,
    id: stream.id,
    folder: stream.folder ?? null,
    persistence: definition?.persistence ?? null,
    setAside: stream.setAsideMs === undefined ? null : (timeText(stream.setAsideMs) ?? 'before'),
    definition: definition === undefined ? null : definitionToWire(definition),
    definitionFrom: stream.definitionFrom ?? null,
    messages: log.messages,
    bytes: log.bytes,
    oldest: log.oldest,
    next: log.next,
    segments: log.segments.map(({ file, fileBytes, messages, first, next, lastIngestMs }) => ({
      file,
      fileBytes,
      messages,
      first: first ?? null,
      next,
      newest: timeText(lastIngestMs)
    })),
    exports: exportReports(stream),
    problems:
      definition === undefined && stream.setAsideMs === undefined
        ? [{ kind: 'damage', reason: 'it has no readable definition' }, ...log.problems]
        : log.problems,
    notes: log.notes
  }
}

/** How many numbers are known to be lost. */
export function lostCount(problems: readonly LogProblem[]): number {
  return problems.reduce((sum, { lost }) => sum + (lost === undefined ? 0 : lost.to - lost.from), 0)
}

/** The report as a line of JSON, or indented; integers beyond 2^53 become text. */
export function toJson(value: unknown, indent?: number): string {
  return JSON.stringify(
    value,
    (_key, item: unknown) =>
      typeof item === 'bigint' ? (Number.isSafeInteger(Number(item)) ? Number(item) : item.toString()) : item,
    indent
  )
}
