import type { Rejection } from '../../export/sink.ts'
import type { StoredMessage } from '../../model/message.ts'
import { isTooOld, parseEntry, type SiteWiseEntry } from './entry.ts'

/** One entry of a request. */
export interface PlannedEntry {
  /** Index of its message in the batch. */
  readonly index: number
  readonly sequenceNumber: number
  /** Its id in this request, which is unique there. */
  readonly id: string
  readonly address: string
}

/** What becomes of a batch. */
export interface RequestPlan {
  readonly entries: readonly PlannedEntry[]
  /** The body, as JSON. */
  readonly body: string
  /** Messages that the service can never accept. */
  readonly rejected: readonly Rejection[]
  /** Indices of the messages that have to wait for a later request. */
  readonly unsent: readonly number[]
}

/**
 * Chooses what of a batch goes into one request (behaviour 9, items 3 to 5): no property is written to twice for the same
 * time, a later message waits; every entry has an id of its own, its own one if that is free.
 * @param wallMs the present, milliseconds since the epoch
 * @param countMax entries of the request, 1 or more
 * @param only the number of the message that has to be alone in its request, if there is one
 */
export function planRequest(
  messages: readonly StoredMessage[],
  wallMs: number,
  countMax: number,
  only?: number
): RequestPlan {
  const entries: (PlannedEntry & { readonly fields: SiteWiseEntry['fields'] })[] = []
  const rejected: Rejection[] = []
  const unsent: number[] = []
  const ids = new Set<string>()
  /** Also of the messages that wait: what comes behind them must not overtake. */
  const points = new Set<string>()
  for (const [index, { sequenceNumber, payload }] of messages.entries()) {
    const parsed = parseEntry(payload)
    if (!parsed.ok) {
      rejected.push({ index, reason: parsed.reason })
      continue
    }
    const { entry } = parsed
    if (isTooOld(entry, wallMs)) {
      rejected.push({ index, reason: `TimestampOutOfRangeException: older than 7 days (${entry.address})` })
      continue
    }
    const isFree = !entry.points.some((point) => points.has(point)) && (only ?? sequenceNumber) === sequenceNumber
    for (const point of entry.points) points.add(point)
    if (!isFree || entries.length >= countMax) {
      unsent.push(index)
      continue
    }
    const id = entry.id !== undefined && !ids.has(entry.id) ? entry.id : freeId(sequenceNumber, ids)
    ids.add(id)
    entries.push({ index, sequenceNumber, id, address: entry.address, fields: entry.fields })
  }
  const body = JSON.stringify({ entries: entries.map(({ id, fields }) => ({ ...fields, entryId: id })) })
  return { entries, body, rejected, unsent }
}

function freeId(sequenceNumber: number, taken: ReadonlySet<string>): string {
  for (let attempt = 0; ; attempt += 1) {
    const id = attempt === 0 ? `message-${sequenceNumber}` : `message-${sequenceNumber}-${attempt}`
    if (!taken.has(id)) return id
  }
}
