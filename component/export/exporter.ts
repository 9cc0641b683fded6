import { assert } from '../base/assert.ts'
import { backoffDelayMs, type BackoffPolicy } from '../base/backoff.ts'
import { describeError } from '../base/fault.ts'
import { limitRepeats } from '../base/log-repeats.ts'
import type { ExportDefinition } from '../model/export-definition.ts'
import type { StoredMessage } from '../model/message.ts'
import type { ExportStatus } from '../model/stream-info.ts'
import { releaseOf, type Release } from './batcher.ts'
import { createCursor, type Flight, type Landing } from './cursor.ts'
import { batchSizeOf, chargeRequest, limitsWithin, type RequestCharge } from './request-size.ts'
import type { ExporterContext } from './exporter-context.ts'
import type { MessageBatch } from './message-batch.ts'
import { activityOf, type State } from './exporter-state.ts'
import type { ExportObservation } from './observation.ts'
import { exportStatusOf } from './progress.ts'
import { createFailureReport, createNoticeReport } from './reports.ts'
import { isSameDestination } from './same-destination.ts'
import type { SendOutcome } from './sink.ts'
import { PRIORITY_LOWEST } from './priority-queue.ts'
import type { Grant } from './slots.ts'
import type { ExportProgress, ExportSource } from './source.ts'
import { createTaskRunner, type TaskRunner } from './task-runner.ts'
import type { TaskProgress } from './task.ts'
import { createStride } from './stride.ts'
import { watchSteps } from './watched-step.ts'

/** Failed requests are repeated for ever, at intervals of up to five minutes (behaviour 6.5). */
const RETRY: BackoffPolicy = { firstMs: 1_000, maxMs: 300_000 }

/** One cursor: the export of one stream to one destination. */
export interface Exporter {
  readonly definition: ExportDefinition
  readonly status: ExportStatus
  /** Accounts for what retention has removed meanwhile, then tells all. */
  observe(): ExportObservation
  /** To be called when more messages have become durable. */
  wake(): void
  /** Takes the new version of the definition; a failing export is tried again at once. */
  update(definition: ExportDefinition): void
  /** Ends the export for good: aborts a request in flight, whose outcome is then ignored. */
  close(): void
  /** Tells that the unfinished tasks of an S3 export are cancelled (behaviour 10.5), after `close`. */
  cancelTasks(reason: string): Promise<void>
  /** Starts nothing any more. Resolves when no request is in flight. */
  drain(): Promise<void>
}

const hasEnded = (signal: AbortSignal): boolean => signal.aborted

/**
 * Starts an exporter.
 * @param remembered the progress of an earlier run, if there is one
 * @param save called with the progress whenever it has changed
 */
export function createExporter(
  context: ExporterContext,
  source: ExportSource,
  initial: ExportDefinition,
  remembered: ExportProgress | undefined,
  save: (progress: ExportProgress) => void
): Exporter {
  const { clock, slots } = context
  /** A destination that comes and goes, or a client that pauses and resumes, must not fill the log. */
  const log = limitRepeats(context.log, clock, { apart: ['reason'] })
  const labels = { stream: source.streamName, export: initial.identifier }
  const skipped = (message: StoredMessage, reason: string): void =>
    context.deadLetters?.keep({
      streamName: source.streamName,
      exportIdentifier: initial.identifier,
      exportKind: definition.kind,
      message,
      reason
    })
  const cursor = createCursor({ ...context, labels, skipped, save }, source, initial, remembered)
  const failures = createFailureReport(log, labels)
  const notices = createNoticeReport(clock, context.log, labels)
  const stride = createStride()

  let definition = initial
  let limits = context.limitsOf(definition)
  /** Counts the versions of the definition: an outcome under an older one says little about the present one. */
  let revision = 0
  let state: State = { kind: 'idle' }
  let failedAttempts = 0
  /** The last request got no answer in good time: the next one must not keep a slot from others. */
  let isSuspect = false
  let errorMessage: string | undefined
  /** Messages below this number have been released by a full batch or by the batch interval. */
  let releasedUntil = 0
  let oldestWaiting: { readonly at: bigint; readonly ingestTimeMs: number } | undefined
  let draining = false
  let onLanded: (() => void)[] = []

  const currentGrant = (): Grant | undefined => (state.kind === 'sending' ? state.grant : undefined)

  /** A change between tasks and batches is a new export to the engine. */
  const tasks: TaskRunner | undefined =
    initial.kind === 's3' && context.tasks !== undefined
      ? createTaskRunner(
          { ...context.tasks, runStep: watchSteps(context.tasks.runStep, currentGrant) },
          source,
          {
            get definition() {
              assert(definition.kind === 's3', 'an export of tasks remains one')
              return definition
            },
            get next() {
              return Number(cursor.progress.next)
            },
            remember: (task) => cursor.rememberTask(task),
            interrupt() {
              if (state.kind === 'sending') state.abort.abort()
            }
          },
          cursor.progress.task
        )
      : undefined

  const isIn = (kind: State['kind']): boolean => state.kind === kind

  const enter = (next: State): void => {
    if (state.kind === 'idle') state.timer?.cancel()
    if (state.kind === 'waiting') state.timer.cancel()
    if (state.kind === 'ready') state.ticket.cancel()
    state = next
  }

  const release = (waiting: number): Release => {
    const { next } = cursor.progress
    if (cursor.inBatch || Number(next) < releasedUntil) return { kind: 'now' }
    const intervalMs = definition.kind === 's3' ? undefined : definition.batchIntervalMs
    const ingestTimeMs = oldestWaiting?.at === next ? oldestWaiting.ingestTimeMs : undefined
    return releaseOf(waiting, batchSizeOf(definition), intervalMs, ingestTimeMs, clock.wallMs())
  }

  /** Decides what to do next; to be called in any state but `closed`, and in `sending` only at its end. */
  const settle = (): void => {
    if (draining || definition.disabled === true || limits === undefined) {
      enter({ kind: 'paused' })
      return
    }
    cursor.skipRemoved()
    tasks?.passed(Number(cursor.progress.next))
    const waiting = BigInt(source.durableNext) - cursor.progress.next
    if (waiting <= 0n) {
      enter({ kind: 'idle' })
      return
    }
    const verdict = release(Number(waiting))
    switch (verdict.kind) {
      case 'now':
        enterQueue()
        return
      case 'after':
        enter({ kind: 'idle', timer: clock.after(verdict.delayMs, settle) })
        return
      case 'ageUnknown':
        enter({ kind: 'looking' })
        void look()
    }
  }

  const enterQueue = (): void => {
    const next = Number(cursor.progress.next)
    if (next >= releasedUntil) releasedUntil = Math.min(next + batchSizeOf(definition), source.durableNext)
    const priority = definition.priority ?? PRIORITY_LOWEST
    const ticket = slots.request({ priority, isSuspect, run: (grant) => void send(grant) })
    enter({ kind: 'ready', ticket })
  }

  const pauseFor = (delayMs: number): void =>
    enter({ kind: 'waiting', timer: clock.after(delayMs, settle), untilWallMs: clock.wallMs() + delayMs })

  /** Waits as long as the backoff says, or as the destination wishes when that is longer. */
  const retryLater = (reason: string, waitMs: number): void => {
    failedAttempts += 1
    failures.failed(reason, { next: cursor.progress.next, attempt: failedAttempts })
    const backoffMs = backoffDelayMs(RETRY, failedAttempts, context.random.fraction())
    pauseFor(Math.max(backoffMs, Math.min(waitMs, RETRY.maxMs)))
  }

  const readFailed = (error: unknown): void => {
    errorMessage = `MessageStoreReadError: ${describeError(error)}`
    retryLater(errorMessage, 0)
  }

  const look = async (): Promise<void> => {
    const at = cursor.progress.next
    let oldest: StoredMessage | undefined
    try {
      ;[oldest] = await source.read(Number(at), 1, 1)
    } catch (error) {
      if (isIn('looking')) readFailed(error)
      return
    }
    if (!isIn('looking')) return
    // When retention has just removed it, the present is as good an age as any.
    oldestWaiting = { at, ingestTimeMs: oldest?.ingestTimeMs ?? clock.wallMs() }
    settle()
  }

  const send = async (grant: Grant): Promise<void> => {
    const abort = new AbortController()
    grant.cut.addEventListener('abort', () => abort.abort())
    enter({ kind: 'sending', abort, grant })
    const land = await fly(grant, abort.signal)
    grant.release()
    if (!isIn('closed')) land()
    for (const tell of onLanded) tell()
    onLanded = []
  }

  const request = async (
    grant: Grant,
    charge: RequestCharge,
    batch: MessageBatch,
    signal: AbortSignal
  ): Promise<SendOutcome | TaskProgress> => {
    // A task may go on with its message when the request is over.
    if (tasks !== undefined) return tasks.send(batch.copyOf(0), signal)
    grant.progressed()
    const { streamName } = source
    const outcome = await context.sendBatch({ streamName, definition, batch }, signal, charge.onProgress)
    notices.tell(outcome)
    return outcome
  }

  /** One request. @returns what to do when its slot is free again */
  const fly = async (grant: Grant, signal: AbortSignal): Promise<() => void> => {
    if (limits === undefined) return settle
    const departed = revision
    const bounds = limitsWithin(limits, context.requestBytesMax)
    const countMax = Math.min(batchSizeOf(definition), limits.countMax, stride.countMax)
    let flight: Flight
    try {
      flight = await cursor.load(bounds, countMax)
    } catch (error) {
      return () => readFailed(error)
    }
    const { batch } = flight
    if (signal.aborted || draining || revision !== departed) {
      batch.release()
      return settle
    }
    if (batch.count === 0) {
      cursor.pass(flight)
      return settle
    }
    const charge = chargeRequest(grant, flight, bounds)
    cursor.attempt(clock.wallMs())
    cursor.loadNext(flight, bounds, countMax)
    const answer = await request(grant, charge, batch, signal)
    // A request that we ended ourselves before its time says nothing about the destination.
    if (grant.isSilent || !hasEnded(signal)) isSuspect = grant.isSilent
    const outcome =
      grant.cut.aborted && answer.kind === 'retryLater'
        ? { ...answer, reason: describeError(grant.cut.reason) }
        : answer
    charge.settle(outcome)
    const unsentCount = outcome.kind === 'partial' ? (outcome.unsent?.length ?? 0) : 0
    stride.learn(batch.count - unsentCount, unsentCount)
    return () => {
      proceed(cursor.land(flight, outcome, revision === departed), revision === departed)
      if (outcome.kind === 'finished') tasks?.finished()
    }
  }

  /** The destination's pauses hold also for a definition that has just changed. */
  const goOn = (waitMs: number): void => {
    if (waitMs > 0 && !draining) pauseFor(Math.min(waitMs, RETRY.maxMs))
    else settle()
  }

  /** @param current false when the definition changed while the request was under way: then it is tried again at once */
  const proceed = (landing: Landing, current: boolean): void => {
    switch (landing.kind) {
      case 'worked': {
        failedAttempts = 0
        errorMessage = undefined
        failures.worked()
        goOn(landing.waitMs)
        return
      }
      case 'continued':
        if (failedAttempts > 0) errorMessage = undefined
        failedAttempts = 0
        failures.worked()
        settle()
        return
      case 'postponed':
        goOn(landing.waitMs)
        return
      case 'isolated':
        failedAttempts = 0
        errorMessage = landing.reason
        goOn(landing.waitMs)
        return
      case 'failed':
        errorMessage = landing.reason
        if (landing.progressed) failedAttempts = 0
        if (current && !draining) retryLater(landing.reason, landing.waitMs)
        else settle()
        return
      case 'outdated':
        settle()
    }
  }

  const checkAvailable = (): void => {
    if (limits === undefined) errorMessage = context.reportUnavailable(definition)
  }

  const update = (changed: ExportDefinition): void => {
    if (state.kind === 'closed') return
    const before = { limits, disabled: definition.disabled === true }
    // What is known of a destination says nothing about another one.
    if (!isSameDestination(changed, definition)) isSuspect = false
    definition = changed
    revision += 1
    failedAttempts = 0
    limits = context.limitsOf(changed)
    if (before.limits !== undefined) checkAvailable()
    else if (limits !== undefined) errorMessage = undefined
    if (before.disabled !== (changed.disabled === true)) {
      log.info(before.disabled ? 'Export resumed' : 'Export paused', { ...labels, next: cursor.progress.next })
    }
    if (cursor.rebase(changed)) {
      releasedUntil = 0
      if (state.kind === 'sending') state.abort.abort()
    }
    if (state.kind !== 'sending') settle()
  }

  checkAvailable()
  settle()

  return {
    get definition() {
      return definition
    },
    get status() {
      return exportStatusOf(definition, cursor.progress, errorMessage)
    },
    observe() {
      // What is on its way may still arrive, although it was removed.
      if (!draining && !isIn('sending') && !isIn('closed')) cursor.skipRemoved()
      const { exportedBytes, processedMessages, skippedMessages, lastExportTimeMs } = cursor.progress
      return {
        definition,
        activity: activityOf(state, definition, limits !== undefined, failedAttempts),
        accounting: cursor.accounting,
        exportedBytes,
        exportedMessages: processedMessages - skippedMessages,
        lastAttemptMs: lastExportTimeMs,
        errorMessage,
        failedAttempts,
        nextAttemptMs: state.kind === 'waiting' ? state.untilWallMs : undefined
      }
    },
    wake() {
      if (state.kind === 'idle') settle()
    },
    update,
    close() {
      if (state.kind === 'sending') state.abort.abort()
      enter({ kind: 'closed' })
      tasks?.close()
      cursor.rest()
    },
    cancelTasks: (reason) => tasks?.cancelAll(reason) ?? Promise.resolve(),
    async drain() {
      draining = true
      cursor.rest()
      if (state.kind === 'sending') await new Promise<void>((resolve) => onLanded.push(resolve))
      else if (state.kind !== 'closed') enter({ kind: 'paused' })
    }
  }
}
