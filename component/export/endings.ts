import type { S3TaskExport } from '../model/export-definition.ts'
import type { StoredMessage } from '../model/message.ts'
import { parseS3Task } from './s3-task.ts'
import type { ExportProgress, ExportSource, ProgressStore } from './source.ts'
import { cleanUpTask, type CleanUpContext } from './task-cleanup.ts'
import type { StatusContext } from './status-message.ts'
import type { StatusWriter } from './status-writer.ts'
import type { TaskEvent } from './task.ts'

/*
 * An S3 export that is gone leaves tasks which have to be told to be cancelled (behaviour 10.5), and may leave an upload.
 * There can be thousands of them, so what is still to be done is kept beside the progress of the living exports, under
 *
 *     <identifier>/<number>
 *
 * which is no identifier, until all is done: a restart goes on with it. The change from the one record to the other is one
 * commit. After a kill a page of tasks may be told twice, none is left out.
 */

export interface EndingsContext extends CleanUpContext {
  readonly statuses: StatusWriter
  readonly progress: ProgressStore
  /** Resolves when all progress saved so far survives a power cut. @throws Fault when it cannot be made durable now */
  makeDurable(): Promise<void>
}

/** The tasks of an export that is gone. */
export interface EndedExport {
  readonly identifier: string
  readonly statusConfig: S3TaskExport['statusConfig']
  /** The first task that is neither finished nor told to be cancelled. */
  readonly next: number
  /** The first number of which the export knows nothing. */
  readonly below: number
  /** State of the task that was under way. */
  readonly task: string | undefined
  /** Why the tasks are cancelled, as the status message has it. */
  readonly reason: string
}

export interface Endings {
  /** Cancels the tasks of an export. Resolves when all are told, or the server stops. Never rejects. */
  end(source: ExportSource, ended: EndedExport): Promise<void>
  /** Goes on with what the last run has left: the record under `key`. */
  resume(source: ExportSource, key: string, record: ExportProgress): Promise<void>
  /** Whether the tasks of all exports of a stream that have ended are told. */
  areDone(streamId: string): boolean
}

const PAGE_COUNT = 500
const PAGE_BYTES = 1_048_576
const REASON_DEFAULT = 'export definition deleted'

/** Whether a record is that of an export that has ended. */
export function isEndedKey(key: string): boolean {
  return key.includes('/')
}

export function createEndings(context: EndingsContext): Endings {
  const { progress, statuses } = context
  /** Keys of what is under way, by stream. */
  const open = new Map<string, Set<string>>()

  const keep = async (streamId: string, key: string, ended: EndedExport): Promise<void> => {
    progress.save(streamId, key, recordOf(ended))
    // What cannot be made durable now goes with a later commit.
    await context.makeDurable().catch(() => undefined)
  }

  const contextOf = (source: ExportSource, { identifier }: EndedExport, message: StoredMessage): StatusContext => ({
    task: parseS3Task(message.payload).task,
    exportIdentifier: identifier,
    streamName: source.streamName,
    sequenceNumber: message.sequenceNumber
  })

  const tellAll = async (source: ExportSource, key: string, ended: EndedExport): Promise<void> => {
    const { statusConfig, below, reason } = ended
    if (statusConfig?.statusStreamName === undefined) return
    const definition = definitionOf(ended)
    const event: TaskEvent = { level: 'warn', status: 'canceled', message: reason }
    for (let at = ended.next; at < below && !context.isStopping();) {
      const page = await source.readStored(at, PAGE_COUNT, PAGE_BYTES)
      const last = page.at(-1)
      if (last === undefined) return
      const tasks = page.filter((message) => message.sequenceNumber < below)
      await Promise.all(tasks.map((message) => statuses.tell(event, definition, contextOf(source, ended, message))))
      at = last.sequenceNumber + 1
      if (at < below && !context.isStopping()) await keep(source.streamId, key, { ...ended, next: at })
    }
  }

  /** Gives up the upload that was under way. */
  const cleanUp = async (source: ExportSource, ended: EndedExport): Promise<void> => {
    if (ended.task === undefined) return
    const definition = definitionOf(ended)
    const events = await cleanUpTask(context, source.streamName, definition, ended.task)
    if (events.length === 0) return
    const [message] = await source.readStored(ended.next, 1, 1).catch(() => [])
    // After a restart the record may have moved on from the task that the upload belongs to.
    if (message?.sequenceNumber !== ended.next) return
    for (const event of events) await statuses.tell(event, definition, contextOf(source, ended, message))
  }

  const run = async (source: ExportSource, key: string, ended: EndedExport): Promise<void> => {
    const { streamId } = source
    const keys = open.get(streamId) ?? new Set()
    open.set(streamId, keys.add(key))
    await keep(streamId, key, ended)
    try {
      await tellAll(source, key, ended)
    } catch {
      // A stream that cannot be read any more keeps nothing to tell of.
    }
    if (!context.isStopping()) await cleanUp(source, ended)
    if (context.isStopping()) return
    progress.remove(streamId, key)
    await context.makeDurable().catch(() => undefined)
    keys.delete(key)
    if (keys.size === 0) open.delete(streamId)
  }

  const freeKey = (streamId: string, identifier: string): string => {
    const taken = open.get(streamId)
    let number = 1
    while (taken?.has(`${identifier}/${number}`) === true) number += 1
    return `${identifier}/${number}`
  }

  return {
    end: (source, ended) => run(source, freeKey(source.streamId, ended.identifier), ended),
    resume(source, key, record) {
      const [identifier = ''] = key.split('/')
      const ended = endedOf(identifier, record, source.storedNext)
      if (isEndedKey(key)) return run(source, key, ended)
      progress.remove(source.streamId, key)
      return run(source, freeKey(source.streamId, identifier), ended)
    },
    areDone: (streamId) => !open.has(streamId)
  }
}

/** As much of the definition as status messages and the end of an upload need. */
function definitionOf({ identifier, statusConfig }: EndedExport): S3TaskExport {
  return { kind: 's3', identifier, ...(statusConfig === undefined ? {} : { statusConfig }) }
}

function recordOf({ next, below, task, reason, statusConfig }: EndedExport): ExportProgress {
  return {
    next: BigInt(next),
    startSequenceNumber: 0n,
    exportedBytes: 0,
    processedMessages: 0,
    skippedMessages: 0,
    task,
    statusConfig,
    ended: { reason, below }
  }
}

function endedOf(identifier: string, record: ExportProgress, storedNext: number): EndedExport {
  const { task, statusConfig, ended } = record
  const { reason = REASON_DEFAULT, below = storedNext } = ended ?? {}
  return { identifier, statusConfig, next: Number(record.next), below, task, reason }
}
