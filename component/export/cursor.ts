import { isDeepStrictEqual } from 'node:util'
import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/log.ts'
import type { ExportDefinition } from '../model/export-definition.ts'
import type { StoredMessage } from '../model/message.ts'
import {
  accountingOf,
  droppedCount,
  fateOf,
  openAccount,
  pass,
  passOver,
  PASSED_OVER,
  type Account,
  type Accounting,
  type Fate,
  type FateRange
} from './account.ts'
import { cutBatch } from './batcher.ts'
import type { MessageBatch } from './message-batch.ts'
import { sortOut } from './partial.ts'
import { initialProgress, progressUnder, statusConfigOf } from './progress.ts'
import type { ReadAheads } from './read-ahead.ts'
import { createRangeReport } from './reports.ts'
import type { BatchLimits, PartialOutcome, SendOutcome } from './sink.ts'
import type { ExportProgress, ExportSource } from './source.ts'
import type { TaskProgress } from './task.ts'
import type { ExportTotals, KindTotals } from './totals.ts'
import { createWindow } from './window.ts'

/** Messages on their way to the destination. */
export interface Flight {
  readonly batch: MessageBatch
  /** What the destination counts for them. */
  readonly bytes: number
  /** Where the position is when all of them are done. */
  readonly end: number
  /** The placement of the cursor they were read at. */
  readonly placement: number
}

/** What an outcome means for the exporter's next step. */
export type Landing =
  | { readonly kind: 'worked'; readonly waitMs: number }
  /** Nothing was accepted or refused: go on with the same messages. */
  | { readonly kind: 'postponed'; readonly waitMs: number }
  /** A rejection was narrowed down, or its offender skipped: go on. */
  | { readonly kind: 'isolated'; readonly reason: string; readonly waitMs: number }
  /** `progressed`: some of the batch was accepted. */
  | { readonly kind: 'failed'; readonly reason: string; readonly waitMs: number; readonly progressed: boolean }
  /** A step of a task is done. */
  | { readonly kind: 'continued' }
  /** The position was moved meanwhile: the outcome counts for nothing. */
  | { readonly kind: 'outdated' }

/**
 * The position of one export in its stream, and what has been exported so far.
 *
 * Invariants: the position moves forward only over messages that were accepted, skipped as unacceptable, or removed by
 * retention, except when a changed startSequenceNumber places it anew; every change is saved in the turn it happens, the
 * position together with the account of what it has passed.
 */
export interface Cursor {
  readonly progress: ExportProgress
  /** What became of all messages so far. */
  readonly accounting: Accounting
  /** True while the rest of a batch has to be worked through. */
  readonly inBatch: boolean
  /** Jumps over messages that retention has removed, and reports them as lost. */
  skipRemoved(): void
  /**
   * Reads the next batch. It is empty when nothing is left where the position is; `pass` then moves on.
   * @throws Fault when the disk cannot be read
   */
  load(limits: BatchLimits, countMax: number): Promise<Flight>
  /** Begins to read the batch behind a flight, when a full one waits there. To be called with the flight's own bounds. */
  loadNext(flight: Flight, limits: BatchLimits, countMax: number): void
  /** Moves behind a flight that turned out empty, and ends it. */
  pass(flight: Flight): void
  /** Remembers the time of an attempt. @param wallMs milliseconds since the epoch */
  attempt(wallMs: number): void
  /** Keeps the state of the task at the position, until the position moves. */
  rememberTask(task: string): void
  /**
   * Ends a flight: nobody may look at its messages any more.
   * @param current false when the definition changed after it had left: rejections are not believed then
   */
  land(flight: Flight, outcome: SendOutcome | TaskProgress, current: boolean): Landing
  /** Takes a new definition. @returns true when its startSequenceNumber moved the position: replay or skip */
  rebase(definition: ExportDefinition): boolean
  /** Logs what rate limits have held back, and gives memory back. */
  rest(): void
}

export interface CursorContext {
  readonly clock: Clock
  readonly log: Logger
  readonly labels: { readonly stream: string; readonly export: string }
  readonly totals: ExportTotals
  readonly readAheads: ReadAheads
  /** Told of each message that is skipped, before that is saved. */
  skipped?(message: StoredMessage, reason: string): void
  save(progress: ExportProgress): void
}

const EXPORTED: Fate = { kind: 'exported' }
const EXPIRED: Fate = { kind: 'expired' }

const byNumber = (left: FateRange, right: FateRange): number => left.first - right.first

const rangesOf = (batch: MessageBatch, fate: Fate): FateRange[] => batch.ranges().map((range) => ({ ...range, fate }))

const sumOf = (values: Iterable<number>): number => {
  let sum = 0
  for (const value of values) sum += value
  return sum
}

/** @param remembered the progress of an earlier run, if there is one */
export function createCursor(
  context: CursorContext,
  source: ExportSource,
  initial: ExportDefinition,
  remembered: ExportProgress | undefined
): Cursor {
  const { clock, log, labels, totals } = context
  const window = createWindow()
  const ahead = context.readAheads.of(source)
  const dropped = createRangeReport(clock, (fields) =>
    log.warn('Messages were removed from the stream before they were exported', { ...labels, ...fields })
  )
  const skipped = createRangeReport(clock, (fields) =>
    log.warn('Messages were skipped because the destination can never accept them', { ...labels, ...fields })
  )
  const failedTasks = createRangeReport(clock, (fields) =>
    log.warn('S3 tasks have failed and will not be tried again', { ...labels, ...fields })
  )
  const damaged = createRangeReport(clock, (fields) =>
    log.error('Messages cannot be read any more and were not exported', { ...labels, ...fields })
  )
  let { kind } = initial
  let progress = remembered ?? initialProgress(initial, source.oldest)
  let account = progress.account ?? openAccount(Number(progress.next), 0)
  let placement = 0
  let isSaved = true

  const record = (changed: Partial<ExportProgress>): void => {
    progress = { ...progress, ...changed }
    isSaved = false
  }
  /** To be called at the end of whatever may have changed the progress. */
  const save = (): void => {
    if (isSaved) return
    isSaved = true
    context.save(withoutWindow())
  }
  /** Payload bytes of what was accepted behind the position, by number. */
  const bytesAhead = new Map<number, number>()
  /** What a restart would still know: what lies in the window is sent again then, and counts then. */
  const withoutWindow = (): ExportProgress => {
    if (window.done.size === 0) {
      bytesAhead.clear()
      return progress
    }
    let { exportedBytes, processedMessages, skippedMessages } = progress
    for (const [sequenceNumber, fate] of window.done) {
      processedMessages -= 1
      if (fate.kind === 'skipped') skippedMessages -= 1
      exportedBytes -= bytesAhead.get(sequenceNumber) ?? 0
    }
    return { ...progress, exportedBytes, processedMessages, skippedMessages }
  }
  const keepStatusConfig = (definition: ExportDefinition): void => {
    const statusConfig = statusConfigOf(definition)
    if (!isDeepStrictEqual(statusConfig, progress.statusConfig)) record({ statusConfig })
  }
  const count = (counts: Partial<KindTotals>): void => totals.add(kind, counts)

  const keepAccount = (changed: Account): void => {
    const droppedMessages = droppedCount(changed) - droppedCount(account)
    if (droppedMessages > 0) count({ droppedMessages })
    account = changed
    record({ account })
  }

  const sortedDone = (): FateRange[] => [...window.done].map(([number, fate]) => fateOf(number, fate)).sort(byNumber)

  /** @param fates of messages that are known beside those in the window; ascending */
  const moveTo = (next: number, fates: readonly FateRange[] = []): void => {
    if (BigInt(next) > progress.next) {
      const from = Number(progress.next)
      const all = window.done.size === 0 ? fates : [...fates, ...sortedDone()].sort(byNumber)
      const passage = pass(account, from, next, all, source.removals)
      for (const { first, last, cause } of passage.losses) {
        if (cause === 'damaged') damaged.add(first, last, last - first + 1)
        else dropped.add(first, last, last - first + 1, { cause })
      }
      keepAccount(passage.account)
      record({ next: BigInt(next), ...(progress.task === undefined ? {} : { task: undefined }) })
    }
    window.advance(next)
  }

  /** Jumps over what retention has removed. */
  const jump = (): void => {
    if (progress.next < BigInt(source.oldest)) moveTo(source.oldest)
  }

  /**
   * Forward, the messages in between are skipped by request; backward, they are to be exported again, in a new account.
   */
  const place = (placed: ExportProgress): void => {
    jump()
    const next = Number(placed.next)
    const from = Number(progress.next)
    if (Math.max(next, source.oldest) >= from) {
      keepAccount(passOver(account, from, next, sortedDone(), PASSED_OVER))
      record({ next: placed.next > progress.next ? placed.next : progress.next })
    } else {
      keepAccount(openAccount(Math.max(next, source.oldest), account.replays + 1))
      record({ next: placed.next })
    }
    record({ startSequenceNumber: placed.startSequenceNumber })
    window.clear()
  }

  const accept = (messages: number, bytes: number): void => {
    if (messages === 0) return
    count({ deliveredBytes: bytes, deliveredMessages: messages })
    record({
      exportedBytes: progress.exportedBytes + bytes,
      processedMessages: progress.processedMessages + messages
    })
  }

  const skip = (message: StoredMessage, reason: string, report = skipped): FateRange => {
    report.add(message.sequenceNumber, message.sequenceNumber, 1, { reason })
    count({ skippedMessages: 1 })
    context.skipped?.(message, reason)
    record({ processedMessages: progress.processedMessages + 1, skippedMessages: progress.skippedMessages + 1 })
    return fateOf(message.sequenceNumber, { kind: 'skipped', reason })
  }

  const landPartial = (flight: Flight, outcome: PartialOutcome, current: boolean): Landing => {
    const { failed, rejected = [], reason, waitMs = 0 } = outcome
    const { acceptedBytes, fates, firstOpen } = sortOut(flight.batch, outcome, current, (at, refusal) =>
      skip(flight.batch.messageAt(at), refusal)
    )
    accept(acceptedBytes.size, sumOf(acceptedBytes.values()))
    if (firstOpen !== undefined && fates.length > 0) {
      for (const [number, bytes] of acceptedBytes) bytesAhead.set(number, bytes)
      window.keepDone(fates, flight.end)
      moveTo(firstOpen)
    } else {
      moveTo(firstOpen ?? flight.end, fates)
    }
    if (failed.length > 0) return { kind: 'failed', reason, waitMs, progressed: fates.length > 0 }
    const [firstRejected] = current ? rejected : []
    if (firstRejected !== undefined) return { kind: 'isolated', reason: firstRejected.reason, waitMs }
    return { kind: acceptedBytes.size > 0 ? 'worked' : 'postponed', waitMs }
  }

  const landFinished = (flight: Flight, bytes: number | undefined, failure: string | undefined): Landing => {
    const { batch } = flight
    if (failure === undefined) {
      if (bytes !== undefined) count({ deliveredBytes: bytes, deliveredMessages: batch.count })
      record({
        exportedBytes: progress.exportedBytes + (bytes ?? 0),
        processedMessages: progress.processedMessages + batch.count
      })
      moveTo(flight.end, rangesOf(batch, bytes === undefined ? EXPIRED : EXPORTED))
    } else {
      moveTo(
        flight.end,
        batch.messages().map((message) => skip(message, failure, failedTasks))
      )
    }
    return failure === undefined ? { kind: 'worked', waitMs: 0 } : { kind: 'isolated', reason: failure, waitMs: 0 }
  }

  const landRejection = (flight: Flight, reason: string, waitMs: number): Landing => {
    const { batch } = flight
    if (batch.count === 1) moveTo(flight.end, [skip(batch.messageAt(0), reason)])
    else window.split(batch)
    return { kind: 'isolated', reason, waitMs }
  }

  const landNow = (flight: Flight, outcome: SendOutcome | TaskProgress, current: boolean): Landing => {
    if (flight.placement !== placement) return { kind: 'outdated' }
    switch (outcome.kind) {
      case 'delivered':
        accept(flight.batch.count, flight.batch.payloadBytes)
        moveTo(flight.end, rangesOf(flight.batch, EXPORTED))
        return { kind: 'worked', waitMs: outcome.waitMs ?? 0 }
      case 'partial':
        return landPartial(flight, outcome, current)
      case 'continued':
        return { kind: 'continued' }
      case 'finished':
        return landFinished(flight, outcome.bytes, outcome.failure)
      case 'retryLater':
        return { kind: 'failed', reason: outcome.reason, waitMs: outcome.waitMs ?? 0, progressed: false }
      case 'rejected':
        return current ? landRejection(flight, outcome.reason, outcome.waitMs ?? 0) : { kind: 'outdated' }
    }
  }

  keepStatusConfig(initial)
  const placedAtStart = progressUnder(initial, progress)
  if (placedAtStart !== progress) place(placedAtStart)
  // Also of an export that is never attempted: its account begins here, and its tasks are told of (behaviour 10.5).
  if (progress.account === undefined) record({ account })
  save()

  return {
    get progress() {
      return progress
    },
    get accounting() {
      return accountingOf(account, Number(progress.next), window.done.values(), source.storedNext)
    },
    get inBatch() {
      return window.active
    },
    skipRemoved() {
      jump()
      save()
    },
    async load(limits, countMax) {
      const readAt = placement
      // What becomes durable during the read may be missing from it without being lost.
      const { durableNext } = source
      const wantedMax = countMax + window.done.size
      const batch = await ahead.read(Number(progress.next), wantedMax, limits.bytesMax)
      const { end: windowEnd, done, active } = window
      if (active) batch.retain((number) => number < windowEnd)
      const end = batch.count === 0 ? Math.min(windowEnd, durableNext) : batch.numberAt(batch.count - 1) + 1
      if (done.size > 0) batch.retain((number) => !done.has(number))
      const unsentCount = batch.count
      const bytes = cutBatch(batch, limits, countMax)
      const isCut = batch.count < unsentCount
      return { batch, bytes, end: isCut ? batch.numberAt(batch.count - 1) + 1 : end, placement: readAt }
    },
    loadNext({ end, placement: readAt }, limits, countMax) {
      // A task is read again for each of its steps.
      if (kind === 's3' || window.active || readAt !== placement || source.durableNext - end < countMax) return
      ahead.prepare(end, countMax, limits.bytesMax)
    },
    pass(flight) {
      flight.batch.release()
      if (flight.placement === placement) moveTo(flight.end)
      save()
    },
    rememberTask(task) {
      record({ task })
      save()
    },
    attempt(wallMs) {
      record({ lastExportTimeMs: wallMs })
      save()
    },
    land(flight, outcome, current) {
      const landing = landNow(flight, outcome, current)
      if (landing.kind !== 'worked') ahead.drop()
      flight.batch.release()
      save()
      return landing
    },
    rebase(definition) {
      ahead.drop()
      kind = definition.kind
      keepStatusConfig(definition)
      const placed = progressUnder(definition, progress)
      const isMoved = placed !== progress
      if (isMoved) {
        placement += 1
        place(placed)
      }
      save()
      return isMoved
    },
    rest() {
      ahead.drop()
      dropped.flush()
      damaged.flush()
      skipped.flush()
      failedTasks.flush()
    }
  }
}
