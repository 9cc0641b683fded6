import { describeError } from '../base/fault.ts'
import { APPEND_GROUP_BYTES_MAX, APPEND_GROUP_COUNT_MAX } from '../base/limits.ts'
import { FAILURES, type Failure } from '../model/failure.ts'
import type { NewRecord, StreamLog } from '../store/stream-log.ts'
import type { AppendPolicy } from './retention.ts'
import type { SpaceGuard } from './space-guard.ts'

/** Called exactly once: with a failure and -1, or with undefined and the sequence number of the message. */
export type AppendDone = (failure: Failure | undefined, sequenceNumber: number) => void

/** What the queue needs of its stream. */
export interface AppendQueueOptions {
  readonly log: StreamLog
  readonly space: SpaceGuard
  readonly policy: () => AppendPolicy
  readonly wallMs: () => number
  /** Runs `action` after the input that is at hand has been taken in: appends that arrive until then share a write. */
  readonly defer: (action: () => void) => void
  /** New records are readable. */
  readonly written: () => void
  /** Takes over the acknowledgement of written records of a stream with flushOnWrite. */
  readonly acknowledgeAfterSync: (acknowledge: () => void) => void
  /** Makes room by dropping the oldest segment; resolves when its space can be used. */
  readonly dropOldest: () => Promise<void> | undefined
  /** The failure for a fault of the disk; logs it. */
  readonly failureOf: (error: unknown) => Failure
}

/**
 * The one writer of a stream. Appends queue up here and are written in groups; roll, retention and closing take their
 * turn in the same queue, so nothing else ever changes the log while a write is under way.
 */
export interface AppendQueue {
  append(payload: Buffer, done: AppendDone): void
  /** Runs `action` alone, after the appends that came before it. Rejects with what it threw. */
  exclusively(action: () => void | Promise<void>): Promise<void>
  /** Refuses queued and later appends with `failure`. */
  close(failure: Failure): void
}

interface PendingAppend extends NewRecord {
  readonly done: AppendDone
}

type Job = PendingAppend | (() => Promise<void>)

/** Creates the queue; it is idle until the first append. */
export function createAppendQueue(options: AppendQueueOptions): AppendQueue {
  const { log, space, policy, defer } = options
  let jobs: Job[] = []
  let isScheduled = false
  let isDraining = false
  let closedBecause: Failure | undefined

  /** Records that fit into the active segment together and wait for one write. */
  let group: PendingAppend[] = []
  let groupBytes = 0

  const refuse = (job: PendingAppend, failure: Failure): void => job.done(failure, -1)

  const acknowledge = (written: readonly PendingAppend[], firstNumber: number): void => {
    written.forEach((job, index) => job.done(undefined, firstNumber + index))
  }

  const groupWritten = (written: readonly PendingAppend[], firstNumber: number): void => {
    options.written()
    if (policy().syncsBeforeAcknowledging) {
      options.acknowledgeAfterSync(() => acknowledge(written, firstNumber))
    } else {
      acknowledge(written, firstNumber)
    }
  }

  /** Writes the group. Returns a promise only when the write does not end at once. */
  const writeGroup = (): Promise<void> | undefined => {
    if (group.length === 0) return undefined
    const records = group
    const firstNumber = log.next
    group = []
    groupBytes = 0
    const failed = (error: unknown): void => {
      const failure = options.failureOf(error)
      for (const job of records) refuse(job, failure)
    }
    try {
      const write = log.append(records)
      if (write === undefined) {
        groupWritten(records, firstNumber)
        return undefined
      }
      return write.then(() => groupWritten(records, firstNumber), failed)
    } catch (error) {
      failed(error)
      return undefined
    }
  }

  /** What stands against storing `bytes` more, or undefined. */
  const obstacle = (bytes: number): 'stream is full' | 'disk is full' | undefined => {
    if (log.totalBytes + groupBytes + bytes > policy().bytesMax) return 'stream is full'
    if (policy().usesDisk && space.shortage(bytes) !== undefined) return 'disk is full'
    return undefined
  }

  /** Drops old segments until `bytes` fit or nothing is left to drop. One segment at most when the disk is full. */
  const makeRoom = async (bytes: number): Promise<Failure | undefined> => {
    for (let dropped = 0; ; dropped++) {
      const found = obstacle(bytes)
      if (found === undefined) return undefined
      const diskFailure: Failure = {
        kind: 'unknownFailure',
        message: space.shortage(0) ?? 'no space left on the device'
      }
      if (!policy().overwritesOldest) return found === 'disk is full' ? diskFailure : FAILURES.streamFull
      if (found === 'disk is full' && dropped > 0) return diskFailure
      if (log.sealed.length === 0) await log.roll()
      if (log.sealed.length === 0) return found === 'disk is full' ? diskFailure : FAILURES.streamFull
      await options.dropOldest()
      space.recheck()
    }
  }

  /** Puts one append into the group, after whatever must happen before. Returns a promise only when that takes time. */
  const admit = (job: PendingAppend): Promise<void> | undefined => {
    const bytes = log.recordBytes(job.payload.length)
    if (bytes > policy().bytesMax) {
      refuse(job, FAILURES.messageTooLarge)
      return undefined
    }
    const activeBytes = log.activeBytes + groupBytes
    const mustRoll = activeBytes > 0 && activeBytes + bytes > policy().rollBytes
    if (mustRoll || obstacle(bytes) !== undefined) return admitSlowly(job, bytes, mustRoll)
    group.push(job)
    groupBytes += bytes
    return undefined
  }

  const admitSlowly = async (job: PendingAppend, bytes: number, mustRoll: boolean): Promise<void> => {
    await writeGroup()
    try {
      if (mustRoll) await log.roll()
      const failure = await makeRoom(bytes)
      if (failure !== undefined) {
        refuse(job, failure)
        return
      }
    } catch (error) {
      refuse(job, options.failureOf(error))
      return
    }
    group.push(job)
    groupBytes += bytes
  }

  const runJobs = async (batch: readonly Job[]): Promise<void> => {
    for (const job of batch) {
      if (typeof job === 'function') {
        await writeGroup()
        await job()
      } else if (closedBecause !== undefined) {
        refuse(job, closedBecause)
      } else {
        const admission = admit(job)
        if (admission !== undefined) await admission
        if (groupBytes >= APPEND_GROUP_BYTES_MAX || group.length >= APPEND_GROUP_COUNT_MAX) await writeGroup()
      }
    }
    await writeGroup()
  }

  const drain = async (): Promise<void> => {
    isScheduled = false
    isDraining = true
    while (jobs.length > 0) {
      const batch = jobs
      jobs = []
      await runJobs(batch)
    }
    isDraining = false
  }

  const schedule = (): void => {
    if (isScheduled || isDraining) return
    isScheduled = true
    defer(() => void drain())
  }

  return {
    append(payload, done) {
      if (closedBecause !== undefined) {
        done(closedBecause, -1)
        return
      }
      jobs.push({ payload, ingestTimeMs: options.wallMs(), done })
      schedule()
    },
    exclusively(action) {
      return new Promise((resolve, reject) => {
        jobs.push(async () => {
          try {
            await action()
            resolve()
          } catch (error) {
            reject(error instanceof Error ? error : new Error(describeError(error)))
          }
        })
        schedule()
      })
    },
    close(failure) {
      closedBecause = failure
    }
  }
}
