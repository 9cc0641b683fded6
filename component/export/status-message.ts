import { STATUS_LEVELS, type StatusLevel } from '../model/export-definition.ts'
import type { S3Task } from './s3-task.ts'
import type { TaskEvent, TaskStatus } from './task.ts'

/** Numbers of the status in a status message (protocol 12). */
const STATUS_NUMBERS = { success: 0, failure: 1, inProgress: 2, warning: 3, canceled: 4 } as const satisfies Record<
  TaskStatus,
  number
>
/** The only type of event: S3Task. */
const EVENT_TYPE = 0
const LEVEL_DEFAULT: StatusLevel = 'info'

/** Which task a status message is about. */
export interface StatusContext {
  readonly task: S3Task
  readonly exportIdentifier: string
  readonly streamName: string
  readonly sequenceNumber: number
}

/** Whether an event is told to a reader who asked for messages up to `level` (behaviour 10.6). */
export function isTold(event: TaskEvent, level: StatusLevel = LEVEL_DEFAULT): boolean {
  return STATUS_LEVELS.indexOf(event.level) <= STATUS_LEVELS.indexOf(level)
}

/**
 * The JSON of a status message, its keys in the order of the original; the task is repeated as it was appended
 * (behaviour 10.6).
 * @param wallMs milliseconds since the epoch
 */
export function encodeStatus(event: TaskEvent, context: StatusContext, wallMs: number): Buffer {
  const { task, exportIdentifier, streamName, sequenceNumber } = context
  const { inputUrl, bucket, key, userMetadata } = task
  return Buffer.from(
    JSON.stringify({
      eventType: EVENT_TYPE,
      statusLevel: STATUS_LEVELS.indexOf(event.level),
      status: STATUS_NUMBERS[event.status],
      statusContext: {
        s3ExportTaskDefinition: {
          inputUrl,
          bucket,
          key,
          // JSON.stringify leaves undefined fields out.
          userMetadata: userMetadata === undefined ? undefined : Object.fromEntries(userMetadata)
        },
        exportIdentifier,
        streamName,
        sequenceNumber,
        resolvedKey: event.resolvedKey
      },
      message: event.message,
      timestampEpochMs: wallMs
    })
  )
}
