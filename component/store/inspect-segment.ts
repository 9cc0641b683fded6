import { MIB } from '../base/limits.ts'
import type { StoredMessage } from '../model/message.ts'
import type { DiskFile } from './disk.ts'
import { recordSeed } from './record.ts'
import { RecordCursor } from './record-cursor.ts'
import { readSegmentHeader } from './segment-header.ts'

/** Damaged places of one segment that are told one by one. */
const PLACES_MAX = 1_000

/** Numbers, `from` inclusive, `to` exclusive. */
export interface NumberRange {
  readonly from: number
  readonly to: number
}

/** Bytes of a file that hold no record, but should. */
export interface DamagedPlace {
  readonly offset: number
  readonly bytes: number
  /** Numbers of the messages that it cost, if it cost any that are known of. */
  readonly lost: NumberRange | undefined
}

/** What is in a segment file. */
export interface SegmentInspection {
  readonly base: number
  readonly fileBytes: number
  readonly header: 'valid' | 'damaged' | 'foreign'
  /** The numbers between the segment before and this one were given up on purpose. */
  readonly isAfterGap: boolean
  readonly messages: number
  /** Bytes of the readable records, headers included. */
  readonly bytes: number
  /** Number of the first readable message. */
  readonly first: number | undefined
  /** One more than the number of the last readable message; the base when there is none. */
  readonly next: number
  /** Wall clock of the newest readable message; 0 when there is none. */
  readonly lastIngestMs: number
  /** Places before the last readable record, at most a thousand. */
  readonly damage: readonly DamagedPlace[]
  /** Where the last readable record ends: what follows is a torn end, or damage. */
  readonly end: number
}

/** Told of every readable message, in order; the next one waits for it. */
export type MessageVisitor = (message: StoredMessage) => Promise<void>

export interface InspectedFile {
  readonly file: DiskFile
  readonly path: string
  readonly streamId: string
  readonly base: number
  /** Base of the segment behind it: its numbers end there. */
  readonly sequenceEnd: number
}

/**
 * Reads a whole segment without changing anything. The file may grow meanwhile; what it had at the call is looked at.
 * @throws Fault when nothing of it can be read, NewerFormatFault when a later version of this program wrote it
 */
export async function inspectSegment(inspected: InspectedFile, visit?: MessageVisitor): Promise<SegmentInspection> {
  const { file, path, streamId, base, sequenceEnd } = inspected
  const fileBytes = file.size()
  const header = readSegmentHeader(file, path)
  const isForeign = header.kind === 'valid' && header.header.streamId !== streamId
  const start = header.kind === 'valid' ? header.bytes : 0
  const damage: DamagedPlace[] = []
  /** Damage since the last record: what it cost is known at the next one. */
  let pending: { readonly offset: number; readonly bytes: number }[] = []
  const found = {
    messages: 0,
    bytes: 0,
    first: undefined as number | undefined,
    next: base,
    lastIngestMs: 0,
    end: start
  }
  const cursor = new RecordCursor({
    file,
    seed: recordSeed(streamId),
    start,
    end: isForeign ? start : fileBytes,
    bounds: { sequenceMin: base, sequenceEnd },
    windowBytes: MIB,
    damage: new Map(),
    onDamage: (from, to) => pending.push({ offset: from, bytes: to - from })
  })

  const note = (place: DamagedPlace): void => {
    if (damage.length < PLACES_MAX) damage.push(place)
  }
  const noteDamage = (): void => {
    const lost = cursor.sequence > found.next ? { from: found.next, to: cursor.sequence } : undefined
    const [first = { offset: cursor.offset, bytes: 0 }, ...others] = pending
    // Without damaged bytes the numbers were lost earlier, and a copy left them out.
    if (pending.length > 0 || lost !== undefined) note({ ...first, lost })
    for (const place of others) note({ ...place, lost: undefined })
    pending = []
  }

  while (cursor.nextInWindow() || (await cursor.next())) {
    noteDamage()
    found.messages++
    found.bytes += cursor.bytes
    found.first ??= cursor.sequence
    found.next = cursor.sequence + 1
    found.lastIngestMs = Math.max(found.lastIngestMs, cursor.ingestTimeMs)
    found.end = cursor.validEnd
    const { sequence: sequenceNumber, ingestTimeMs } = cursor
    if (visit !== undefined) await visit({ sequenceNumber, ingestTimeMs, payload: await cursor.payload() })
  }
  const isHeadless = header.kind === 'damaged' && found.messages === 0
  if (isHeadless) note({ offset: 0, bytes: fileBytes, lost: undefined })
  return {
    ...found,
    base,
    fileBytes,
    header: isForeign ? 'foreign' : header.kind,
    isAfterGap: header.kind === 'valid' && header.header.isAfterGap,
    damage,
    end: isHeadless || isForeign ? fileBytes : found.end
  }
}
