import type { ExportDefinition } from '../model/export-definition.ts'
import type { ExportStatus, StreamInfo } from '../model/stream-info.ts'
import type { StreamClient } from './client/client.ts'
import { findNumberAt, messageAt } from './find-number.ts'

/** How an export is doing. */
export type ExportState =
  /** Its last attempt failed. */
  | 'failing'
  /** It is disabled. */
  | 'paused'
  /** It has sent all there is. */
  | 'up to date'
  /** There is more to send. */
  | 'behind'

export interface ExportView {
  readonly definition: ExportDefinition
  readonly status: ExportStatus
  readonly state: ExportState
  /** The first message that is still to be sent. */
  readonly next: number
  readonly lagMessages: number
  /** By the mean size of the stored messages. */
  readonly lagBytes: number
  /** Messages that retention removed before they were sent. */
  readonly lostMessages: number
}

export interface StreamView {
  readonly info: StreamInfo
  readonly messages: number
  readonly exports: readonly ExportView[]
}

function viewExport(
  definition: ExportDefinition,
  status: ExportStatus,
  info: StreamInfo,
  messages: number
): ExportView {
  const { oldestSequenceNumber: oldest, newestSequenceNumber: newest, totalBytes } = info.storageStatus
  const wanted = Number(status.lastExportedSequenceNumber) + 1
  const next = Math.max(wanted, oldest)
  const lagMessages = Math.max(0, newest + 1 - next)
  const isPaused = definition.disabled === true
  return {
    definition,
    status,
    state: isPaused
      ? 'paused'
      : status.errorMessage !== undefined
        ? 'failing'
        : lagMessages > 0
          ? 'behind'
          : 'up to date',
    next,
    lagMessages,
    lagBytes: messages === 0 ? 0 : Math.round((totalBytes / messages) * lagMessages),
    lostMessages: Math.max(0, Math.min(oldest, newest + 1) - wanted)
  }
}

/** What describe tells, and what follows from it. */
export function viewStream(info: StreamInfo): StreamView {
  const { oldestSequenceNumber: oldest, newestSequenceNumber: newest } = info.storageStatus
  const messages = Math.max(0, newest - oldest + 1)
  const exports = info.definition.exports.flatMap((definition) => {
    const status = info.exportStatuses.find((found) => found.exportConfigIdentifier === definition.identifier)
    return status === undefined ? [] : [viewExport(definition, status, info, messages)]
  })
  return { info, messages, exports }
}

/** Over how long the rate is taken. */
export const RATE_MS = 60_000

/** What only the messages themselves tell. Ages in milliseconds. */
export interface StreamTimes {
  /** Messages per second, over the last minute. */
  readonly rate: number
  readonly oldestMs: number | undefined
  readonly newestMs: number | undefined
  /** When the first message that is still to be sent was appended, by the export's identifier. */
  readonly waitingSinceMs: ReadonlyMap<string, number>
}

/** Reads some messages to learn about times. */
export async function readTimes(client: StreamClient, view: StreamView, nowMs: number): Promise<StreamTimes> {
  const { info, messages, exports } = view
  const { name } = info.definition
  const { oldestSequenceNumber: oldest, newestSequenceNumber: newest } = info.storageStatus
  if (messages === 0) return { rate: 0, oldestMs: undefined, newestMs: undefined, waitingSinceMs: new Map() }
  const timeAt = async (number: number): Promise<number | undefined> =>
    (await messageAt(client, name, number))?.ingestTimeMs
  const [oldestMs, newestMs, firstRecent] = await Promise.all([
    timeAt(oldest),
    timeAt(newest),
    findNumberAt(client, info, nowMs - RATE_MS)
  ])
  const waitingSinceMs = new Map<string, number>()
  for (const { definition, lagMessages, next } of exports) {
    const sinceMs = lagMessages === 0 ? undefined : await timeAt(next)
    if (sinceMs !== undefined) waitingSinceMs.set(definition.identifier, sinceMs)
  }
  return { rate: (newest + 1 - firstRecent) / (RATE_MS / 1000), oldestMs, newestMs, waitingSinceMs }
}
