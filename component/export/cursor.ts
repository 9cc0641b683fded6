import { assert } from '../base/assert.ts'
import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/log.ts'
import type { ExportDefinition } from '../model/export-definition.ts'
import type { StoredMessage } from '../model/message.ts'
import { cutBatch } from './batcher.ts'
import { initialProgress, progressUnder } from './progress.ts'
import { createRangeReport } from './reports.ts'
import type { BatchLimits, PartialOutcome, SendOutcome } from './sink.ts'
import type { ExportProgress, ExportSource } from './source.ts'
import type { TaskProgress } from './task.ts'
import type { ExportTotals, KindTotals } from './totals.ts'
import { createWindow } from './window.ts'

/** Messages on their way to the destination. */
export interface Flight {
  readonly messages: readonly StoredMessage[]
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
 * retention, except when a changed startSequenceNumber places it anew; every change is saved in the turn it happens.
 */
export interface Cursor {
  readonly progress: ExportProgress
  /** True while the rest of a batch has to be worked through. */
  readonly inBatch: boolean
  /** Jumps over messages that retention has removed, and reports them as lost. */
  skipRemoved(): void
  /**
   * Reads the next batch. It is empty when nothing is left where the position is; `pass` then moves on.
   * @throws Fault when the disk cannot be read
   */
  load(limits: BatchLimits, countMax: number): Promise<Flight>
  /** Moves behind a flight that turned out empty. */
  pass(flight: Flight): void
  /** Remembers the time of an attempt. @param wallMs milliseconds since the epoch */
  attempt(wallMs: number): void
  /** Keeps the state of the task at the position, until the position moves. */
  rememberTask(task: string): void
  /** @param current false when the definition changed after the flight had left: rejections are not believed then */
  land(flight: Flight, outcome: SendOutcome | TaskProgress, current: boolean): Landing
  /** Takes a new definition. @returns true when its startSequenceNumber moved the position: replay or skip */
  rebase(definition: ExportDefinition): boolean
  /** Logs what rate limits have held back. */
  flushReports(): void
}

export interface CursorContext {
  readonly clock: Clock
  readonly log: Logger
  readonly labels: { readonly stream: string; readonly export: string }
  readonly totals: ExportTotals
  save(progress: ExportProgress): void
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
  const dropped = createRangeReport(clock, (fields) =>
    log.warn('Messages were removed from the stream before they were exported', { ...labels, ...fields })
  )
  const skipped = createRangeReport(clock, (fields) =>
    log.warn('Messages were skipped because the destination can never accept them', { ...labels, ...fields })
  )
  let { kind } = initial
  let progress = progressUnder(initial, remembered ?? initialProgress(initial))
  /** Messages below were gone when the cursor was placed: they are not counted as lost. */
  let lossFloor = remembered === progress ? 0 : source.oldest
  let placement = 0

  const record = (changed: Partial<ExportProgress>): void => {
    progress = { ...progress, ...changed }
    context.save(progress)
  }
  const count = (counts: Partial<KindTotals>): void => totals.add(kind, counts)

  const moveTo = (next: number): void => {
    if (BigInt(next) > progress.next)
      record({ next: BigInt(next), ...(progress.task === undefined ? {} : { task: undefined }) })
    window.advance(next)
  }

  const accept = (accepted: readonly StoredMessage[]): void => {
    if (accepted.length === 0) return
    const bytes = accepted.reduce((sum, message) => sum + message.payload.length, 0)
    count({ deliveredBytes: bytes, deliveredMessages: accepted.length })
    record({
      exportedBytes: progress.exportedBytes + bytes,
      processedMessages: progress.processedMessages + accepted.length
    })
  }

  const skip = (message: StoredMessage, reason: string): void => {
    skipped.add(message.sequenceNumber, message.sequenceNumber, 1, { reason })
    count({ skippedMessages: 1 })
    record({ processedMessages: progress.processedMessages + 1, skippedMessages: progress.skippedMessages + 1 })
  }

  const landPartial = (flight: Flight, outcome: PartialOutcome, current: boolean): Landing => {
    const { messages } = flight
    const { failed, rejected = [], unsent = [], reason, waitMs = 0 } = outcome
    const refusals = new Map(rejected.map((rejection) => [rejection.index, rejection.reason]))
    const open = new Set([...failed, ...unsent, ...(current ? [] : refusals.keys())])
    const done = messages.filter((_, index) => !open.has(index))
    const accepted = messages.filter((_, index) => !open.has(index) && !refusals.has(index))
    accept(accepted)
    for (const [index, message] of messages.entries()) {
      const refusal = current ? refusals.get(index) : undefined
      if (refusal !== undefined) skip(message, refusal)
    }
    const firstOpen = messages.find((_, index) => open.has(index))
    if (firstOpen !== undefined && done.length > 0) window.keepDone(done, flight.end)
    moveTo(firstOpen?.sequenceNumber ?? flight.end)
    if (failed.length > 0) return { kind: 'failed', reason, waitMs, progressed: done.length > 0 }
    const [firstRejected] = current ? rejected : []
    if (firstRejected !== undefined) return { kind: 'isolated', reason: firstRejected.reason, waitMs }
    return { kind: accepted.length > 0 ? 'worked' : 'postponed', waitMs }
  }

  const landFinished = (flight: Flight, bytes: number | undefined, failure: string | undefined): Landing => {
    const { length } = flight.messages
    if (failure === undefined) {
      if (bytes !== undefined) count({ deliveredBytes: bytes, deliveredMessages: length })
      record({
        exportedBytes: progress.exportedBytes + (bytes ?? 0),
        processedMessages: progress.processedMessages + length
      })
    } else {
      for (const message of flight.messages) skip(message, failure)
    }
    moveTo(flight.end)
    return failure === undefined ? { kind: 'worked', waitMs: 0 } : { kind: 'isolated', reason: failure, waitMs: 0 }
  }

  const landRejection = (flight: Flight, reason: string, waitMs: number): Landing => {
    const [first, second] = flight.messages
    assert(first !== undefined, 'a rejected batch has messages')
    if (second === undefined) {
      skip(first, reason)
      moveTo(flight.end)
    } else {
      window.split(flight.messages)
    }
    return { kind: 'isolated', reason, waitMs }
  }

  if (remembered !== undefined && remembered !== progress) context.save(progress)

  return {
    get progress() {
      return progress
    },
    get inBatch() {
      return window.active
    },
    skipRemoved() {
      const { oldest } = source
      if (progress.next >= BigInt(oldest)) return
      const from = Math.max(Number(progress.next), lossFloor)
      if (oldest > from) {
        dropped.add(from, oldest - 1, oldest - from)
        count({ droppedMessages: oldest - from })
      }
      moveTo(oldest)
    },
    async load(limits, countMax) {
      const readAt = placement
      const stored = await source.read(Number(progress.next), countMax + window.doneCount, limits.bytesMax)
      const read = stored.filter((message) => message.sequenceNumber < window.end)
      const unsent = read.filter((message) => !window.isDone(message.sequenceNumber))
      const { messages, bytes } = cutBatch(unsent, limits, countMax)
      const last = (messages.length < unsent.length ? messages : read).at(-1)
      const end = last === undefined ? Math.min(window.end, source.durableNext) : last.sequenceNumber + 1
      return { messages, bytes, end, placement: readAt }
    },
    pass(flight) {
      if (flight.placement === placement) moveTo(flight.end)
    },
    rememberTask: (task) => record({ task }),
    attempt: (wallMs) => record({ lastExportTimeMs: wallMs }),
    land(flight, outcome, current) {
      if (flight.placement !== placement) return { kind: 'outdated' }
      switch (outcome.kind) {
        case 'delivered':
          accept(flight.messages)
          moveTo(flight.end)
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
    },
    rebase(definition) {
      kind = definition.kind
      const placed = progressUnder(definition, progress)
      if (placed === progress) return false
      placement += 1
      lossFloor = source.oldest
      window.clear()
      record(placed)
      return true
    },
    flushReports() {
      dropped.flush()
      skipped.flush()
    }
  }
}
