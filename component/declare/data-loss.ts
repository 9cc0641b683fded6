import { startSequenceNumberOf, type ExportDefinition } from '../model/export-definition.ts'
import type { StreamDefinition } from '../model/stream-definition.ts'
import type { ExportStatus } from '../model/stream-info.ts'
import type { StreamLog } from '../store/stream-log.ts'

/** What is stored in a stream and not exported yet. */
export interface StoredData {
  readonly log: Pick<StreamLog, 'oldest' | 'next' | 'totalBytes' | 'sealed' | 'activeBytes' | 'activeLastIngestMs'>
  readonly exportStatuses: readonly ExportStatus[]
  /** Milliseconds since the epoch. */
  readonly wallMs: number
}

/**
 * What would be lost at once if `next` took the place of `current`: stored messages, or messages that an export has not
 * exported yet. What a smaller or an overwriting stream drops later is what was asked for.
 * @returns phrases without a dot; none when nothing is lost
 */
export function dataLosses(current: StreamDefinition, next: StreamDefinition, data: StoredData): readonly string[] {
  const { log } = data
  if (current.persistence !== next.persistence) {
    // Numbers begin anew, which readers notice even in a stream that has been emptied.
    return log.next === 0 ? [] : [`persistence: all ${log.next - log.oldest} messages are deleted, numbers begin anew`]
  }
  return [...sizeLosses(next, data), ...expiryLosses(current, next, data), ...exportLosses(current, next, data)]
}

function sizeLosses({ maxSizeBytes }: StreamDefinition, { log }: StoredData): string[] {
  if (BigInt(log.totalBytes) <= maxSizeBytes) return []
  return [`maxSize: ${log.totalBytes} bytes are stored`]
}

/** Messages in segments that a time to live expires now; the active one counts when all before it go. */
function expiredCount({ log, wallMs }: StoredData, timeToLiveMs: number | undefined): number {
  if (timeToLiveMs === undefined) return 0
  const before = wallMs - timeToLiveMs
  const kept = log.sealed.find(({ lastIngestMs }) => lastIngestMs > before)
  if (kept !== undefined) return Math.max(0, kept.base - log.oldest)
  const isActiveExpired = log.activeBytes > 0 && log.activeLastIngestMs <= before
  return (isActiveExpired ? log.next : (log.sealed.at(-1)?.next ?? log.oldest)) - log.oldest
}

function expiryLosses(current: StreamDefinition, next: StreamDefinition, data: StoredData): string[] {
  const count = expiredCount(data, next.timeToLiveMs) - expiredCount(data, current.timeToLiveMs)
  return count > 0 ? [`timeToLiveMillis: ${count} messages expire at once`] : []
}

function exportLosses(current: StreamDefinition, next: StreamDefinition, data: StoredData): string[] {
  const { log, exportStatuses } = data
  const wanted = new Map(next.exports.map((item) => [item.identifier, item]))
  return current.exports.flatMap((item) => {
    const { identifier } = item
    const status = exportStatuses.find(({ exportConfigIdentifier: id }) => id === identifier)
    const reached = status === undefined ? startSequenceNumberOf(item) : status.lastExportedSequenceNumber + 1n
    const from = Math.max(Number(reached), log.oldest)
    const successor = wanted.get(identifier)
    const end = endOfLoss(item, successor, log.next)
    if (end <= from) return []
    return [`export ${identifier}: ${end - from} messages are not exported`]
  })
}

/** One more than the last message that the export will not get, if it has not got it yet. */
function endOfLoss(before: ExportDefinition, after: ExportDefinition | undefined, next: number): number {
  // Of tasks and batches neither can go on where the other is.
  if (after === undefined || (after.kind === 's3') !== (before.kind === 's3')) return next
  const start = startSequenceNumberOf(after)
  return start === startSequenceNumberOf(before) ? 0 : Math.min(Number(start), next)
}
