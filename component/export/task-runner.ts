import type { Clock } from '../base/clock.ts'
import { describeError } from '../base/fault.ts'
import type { Random } from '../base/random.ts'
import type { S3TaskExport } from '../model/export-definition.ts'
import type { StoredMessage } from '../model/message.ts'
import type { Endings } from './endings.ts'
import type { ExpiryJudge } from './expiry-judge.ts'
import { parseS3Task } from './s3-task.ts'
import type { ExportSource } from './source.ts'
import type { StatusContext } from './status-message.ts'
import type { StatusWriter } from './status-writer.ts'
import { cleanUpTask } from './task-cleanup.ts'
import type { Pace, RunStep, StepOutcome, TaskEvent, TaskProgress } from './task.ts'

/** What all S3 exports share. */
export interface TaskContext {
  readonly clock: Clock
  readonly random: Random
  readonly runStep: RunStep
  readonly pace: Pace
  readonly statuses: StatusWriter
  readonly expiry: ExpiryJudge
  readonly endings: Endings
  /** Resolves when all progress saved so far survives a power cut. @throws Fault when it cannot be made durable now */
  makeDurable(): Promise<void>
  /** True once the server stops: nothing that can be left out is done any more. */
  isStopping(): boolean
  /** Aborted then. */
  readonly stopping: AbortSignal
}

/** The side of the exporter that a runner sees. */
export interface TaskHost {
  readonly definition: S3TaskExport
  /** The next number to be exported. */
  readonly next: number
  /** Keeps the state of the task at `next` with the progress. */
  remember(state: string): void
  /** Ends the step under way, if there is one. */
  interrupt(): void
}

/** Works through the tasks of one export, step by step, and tells what becomes of them (behaviour 10). */
export interface TaskRunner {
  /** Does the next step of the task in `message`. Never rejects. */
  send(message: StoredMessage, signal: AbortSignal): Promise<TaskProgress>
  /** To be called when the position has moved: a task that retention has removed is cleaned up. */
  passed(next: number): void
  /** To be called when the position has moved behind a finished task: a crash should not have it done again. */
  finished(): void
  /** Nothing is remembered any more; steps under way count for nothing. */
  close(): void
  /** Has all unfinished tasks told to be cancelled, after `close`, also across restarts. Never rejects. */
  cancelAll(reason: string): Promise<void>
}

/** A task that was begun. */
interface Running {
  readonly number: number
  readonly context: StatusContext
  state: string | undefined
  /** Its last status is told, or about to be. */
  isFinal: boolean
}

const EXPIRED = 'time to live expired'
const REMOVED = 'removed from the stream'
const CANCEL_PAGE_COUNT = 500
const CANCEL_PAGE_BYTES = 1_048_576

const canceled = (message: string): TaskEvent => ({ level: 'warn', status: 'canceled', message })
const DONE_WITH: TaskProgress = { kind: 'finished' }
const ABORTED: TaskProgress = { kind: 'retryLater', reason: 'AbortError: aborted' }

/** @param carriedOver the state of the task at the host's position, from an earlier run of the server */
export function createTaskRunner(
  context: TaskContext,
  source: ExportSource,
  host: TaskHost,
  carriedOver: string | undefined
): TaskRunner {
  const { statuses } = context
  let running: Running | undefined
  /** State from an earlier run, of a task that was not looked at yet. */
  let inherited = carriedOver === undefined ? undefined : { number: host.next, state: carriedOver }
  /** The first step after a restart has to find out what reached the destination. */
  let isResuming = false
  /** Tasks below this number were told to be cancelled. */
  let canceledBelow = 0
  let isClosed = false

  const contextOf = (message: StoredMessage): StatusContext => ({
    task: parseS3Task(message.payload).task,
    exportIdentifier: host.definition.identifier,
    streamName: source.streamName,
    sequenceNumber: message.sequenceNumber
  })
  const tell = (event: TaskEvent, about: StatusContext): Promise<void> => statuses.tell(event, host.definition, about)

  const begin = (message: StoredMessage): Running => {
    const number = message.sequenceNumber
    const state = inherited?.number === number ? inherited.state : undefined
    inherited = undefined
    isResuming = state !== undefined
    const begun: Running = { number, context: contextOf(message), state, isFinal: false }
    running = begun
    return begun
  }

  const announce = (task: Running): Promise<void> => {
    const message = task.state === undefined ? 'upload started' : 'upload resumed'
    return tell({ level: 'info', status: 'inProgress', message }, task.context)
  }

  /** In the background. */
  const cleanUp = async (state: string | undefined, about: StatusContext | undefined): Promise<void> => {
    if (state === undefined) return
    const events = await cleanUpTask(context, source.streamName, host.definition, state)
    if (about !== undefined) for (const event of events) await tell(event, about)
  }

  const giveUp = (task: Running): void => {
    running = undefined
    void cleanUp(task.state, task.context)
  }

  /** @returns why the state is not durable */
  const keep = async (task: Running, state: string): Promise<string | undefined> => {
    task.state = state
    if (isClosed) return undefined
    host.remember(state)
    try {
      await context.makeDurable()
      return undefined
    } catch (error) {
      return `MessageStoreWriteError: ${describeError(error)}`
    }
  }

  const finish = async (task: Running, event: TaskEvent, outcome: TaskProgress): Promise<TaskProgress> => {
    task.isFinal = true
    running = undefined
    await tell(event, task.context)
    return outcome
  }

  const retry = async (task: Running, reason: string, waitMs: number): Promise<TaskProgress> => {
    const message = `upload attempt failed, will retry: ${reason}`
    await tell({ level: 'debug', status: 'inProgress', message }, task.context)
    return { kind: 'retryLater', reason, waitMs }
  }

  const land = async (task: Running, outcome: StepOutcome): Promise<TaskProgress> => {
    for (const event of outcome.events) await tell(event, task.context)
    switch (outcome.kind) {
      case 'continued': {
        isResuming = false
        const problem = await keep(task, outcome.state)
        return problem === undefined ? { kind: 'continued' } : retry(task, problem, 0)
      }
      case 'succeeded': {
        const { bytes, message, resolvedKey } = outcome
        return finish(task, { level: 'info', status: 'success', message, resolvedKey }, { kind: 'finished', bytes })
      }
      case 'failed': {
        const { reason } = outcome
        const event: TaskEvent = { level: 'error', status: 'failure', message: reason }
        return finish(task, event, { kind: 'finished', failure: reason })
      }
      case 'retryLater': {
        const problem = outcome.state === undefined ? undefined : await keep(task, outcome.state)
        return retry(task, problem ?? outcome.reason, outcome.waitMs ?? 0)
      }
    }
  }

  /** All tasks from `from` on that are in the stream, page by page; one that is final already is left out. */
  const cancelRange = async (from: number, below: number, reason: string): Promise<void> => {
    for (let at = from; at < below && !context.isStopping();) {
      const page = await source.readStored(at, CANCEL_PAGE_COUNT, CANCEL_PAGE_BYTES)
      const last = page.at(-1)
      if (last === undefined) return
      const tasks = page.filter((message) => message.sequenceNumber < below)
      await Promise.all(tasks.map((message) => tell(canceled(reason), contextOf(message))))
      at = last.sequenceNumber + 1
    }
  }

  const unfinishedFrom = (): number => {
    const next = Math.max(host.next, canceledBelow)
    return isFinalNow(next) ? next + 1 : next
  }
  /** Between its last status and the move of the position a task is finished but not passed. */
  let finalNumber = -1
  const isFinalNow = (number: number): boolean => finalNumber === number

  const cancelBelow = async (before: number): Promise<void> => {
    const from = unfinishedFrom()
    if (isClosed || from >= before) return
    canceledBelow = before
    host.interrupt()
    try {
      await cancelRange(from, before, EXPIRED)
    } catch {
      // What cannot be read cannot be told either; the log of the stream says why.
    }
  }
  const endListening = source.onExpiring(cancelBelow)

  return {
    async send(message, signal) {
      const number = message.sequenceNumber
      if (number < canceledBelow) {
        if (running?.number === number) giveUp(running)
        return DONE_WITH
      }
      const isNew = running?.number !== number
      const task = running?.number === number ? running : begin(message)
      if (context.expiry.isExpired(message.ingestTimeMs, source.timeToLiveMs)) {
        finalNumber = number
        const outcome = await finish(task, canceled(EXPIRED), DONE_WITH)
        void cleanUp(task.state, task.context)
        return outcome
      }
      if (isNew) await announce(task)
      const { state } = task
      const { definition } = host
      const step = { streamName: source.streamName, definition, message, action: 'proceed', state } as const
      const outcome = await context.runStep({ ...step, resumed: isResuming }, context.pace, signal)
      if (isClosed) return ABORTED
      if (outcome.kind === 'succeeded' || outcome.kind === 'failed') finalNumber = number
      else if (number < canceledBelow) {
        giveUp(task)
        return DONE_WITH
      } else if (signal.aborted) return ABORTED
      return land(task, outcome)
    },
    passed(next) {
      if (inherited !== undefined && inherited.number < next) {
        void cleanUp(inherited.state, undefined)
        inherited = undefined
      }
      if (running === undefined || running.number >= next || running.isFinal) return
      if (running.number >= canceledBelow) void tell(canceled(REMOVED), running.context)
      giveUp(running)
    },
    finished() {
      // What cannot be made durable now is tried again with the next checkpoint.
      void context.makeDurable().catch(() => undefined)
    },
    close() {
      isClosed = true
      endListening()
    },
    async cancelAll(reason) {
      const next = unfinishedFrom()
      const task = running?.state ?? inherited?.state
      running = undefined
      inherited = undefined
      const { identifier, statusConfig } = host.definition
      const ended = { identifier, statusConfig, next, below: source.storedNext, task, reason }
      await context.endings.end(source, ended)
    }
  }
}
