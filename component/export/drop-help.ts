import type { DropCause } from './account.ts'
import type { ErrorHelp } from './error-help.ts'

/** Why messages were gone before an export got to them, in words for the person on site. */
export const DROP_HELP: Readonly<Record<DropCause, ErrorHelp>> = {
  overwritten: {
    meaning: 'the stream was full and overwrote them before they could be sent',
    remedy: 'raise maxSize of the stream, or find out why the export was slower than the appends'
  },
  expired: {
    meaning: 'their time to live was over before they could be sent',
    remedy: 'raise timeToLiveMillis of the stream, or find out why the export was slower than the appends'
  },
  reclaimed: {
    meaning: 'all other exports had them, and their space was wanted back while this one was disabled or not there yet',
    remedy: 'resume exports in time, or set STREAM_MANAGER_RECLAIM_EXPORTED_SEGMENTS to false'
  },
  evicted: {
    meaning: 'another stream needed the space of the common budget before they could be sent',
    remedy: 'raise STREAM_MANAGER_STORE_BUDGET_BYTES, give the export a better priority, or append less'
  },
  damaged: {
    meaning: 'they cannot be read: the disk has damaged them, or the power was cut before they were on it',
    remedy: 'check the disk (`dmesg`), and the log for what else was damaged'
  }
}

/** @param reason of a range of dropped messages, or of a text that a later version wrote */
export function dropHelpFor(reason: string): ErrorHelp | undefined {
  return Object.hasOwn(DROP_HELP, reason) ? DROP_HELP[reason as DropCause] : undefined
}
