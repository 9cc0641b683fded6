import type { Clock } from '../base/clock.ts'
import { sleep } from '../base/clock.ts'
import type { Logger } from '../base/log.ts'
import { limitRepeats } from '../base/log-repeats.ts'
import type { S3TaskExport } from '../model/export-definition.ts'
import { encodeStatus, isTold, type StatusContext } from './status-message.ts'
import type { TaskEvent } from './task.ts'

/**
 * Appends a status message to a stream.
 * @returns the reason when it could not be appended, e.g. because there is no such stream
 */
export type AppendStatus = (streamName: string, payload: Buffer) => Promise<string | undefined>

/** Tells what becomes of the tasks of all S3 exports. */
export interface StatusWriter {
  /**
   * Writes a status message, if the definition asks for it. Resolves when it is in the status stream, or will not be: a
   * status stream in trouble delays uploads by a few seconds at most (behaviour 10.6). Never rejects.
   */
  tell(event: TaskEvent, definition: S3TaskExport, context: StatusContext): Promise<void>
}

/** Messages on their way to all status streams. More are dropped: the streams take none at present. */
const UNDER_WAY_MAX = 10_000
const PATIENCE_MS = 5_000

export function createStatusWriter(clock: Clock, logger: Logger, append: AppendStatus): StatusWriter {
  const log = limitRepeats(logger, clock, { by: ['statusStream'] })
  let underWay = 0

  const warn = (statusStream: string, reason: string): void => {
    log.warn('Status messages of S3 tasks are lost', { statusStream, reason })
  }

  const write = async (statusStream: string, payload: Buffer): Promise<void> => {
    underWay += 1
    const reason = await append(statusStream, payload)
    underWay -= 1
    if (reason !== undefined) warn(statusStream, reason)
  }

  return {
    async tell(event, definition, context) {
      const { statusStreamName, statusLevel } = definition.statusConfig ?? {}
      if (statusStreamName === undefined || !isTold(event, statusLevel)) return
      if (underWay >= UNDER_WAY_MAX) {
        warn(statusStreamName, 'too many wait to be written')
        return
      }
      const written = new AbortController()
      const writing = write(statusStreamName, encodeStatus(event, context, clock.wallMs())).then(() => written.abort())
      await Promise.race([writing, sleep(clock, PATIENCE_MS, written.signal)])
    }
  }
}
