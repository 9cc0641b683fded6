import { describeError, Fault } from '../base/fault.ts'
import { APPEND_GROUP_BYTES_MAX, APPEND_GROUP_COUNT_MAX } from '../base/limits.ts'
import { FAILURES, type Failure } from '../model/failure.ts'
import type { NewRecord, StreamLog } from '../store/stream-log.ts'
import type { BudgetShare } from './disk-budget.ts'
import type { AppendPolicy } from './retention.ts'
import type { SpaceGuard } from './space-guard.ts'
import type { SyncDone } from './sync-loop.ts'

/** Called exactly once: with a failure and -1, or with undefined and the sequence number of the message. */
export type AppendDone = (failure: Failure | undefined, sequenceNumber: number) => void

/** A message on its way into a stream. */
export interface Append extends NewRecord {
  /** Set by the queue. */
  ingestTimeMs: number
  readonly done: AppendDone
}

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
  /** Calls back when what was written is durable: the acknowledgement of a stream with flushOnWrite. */
  readonly whenDurable: (done: SyncDone) => void
  /** What all streams together may store; absent without a bound. */
  readonly budget?: BudgetShare | undefined
  /** Whether the oldest segment, the active one if it is the only one, may go to make room; by default it may. */
  readonly mayDropOldest?: () => boolean
  /** Makes room by dropping the oldest segment; resolves when its space can be used. */
  readonly dropOldest: () => Promise<void> | undefined
  /** The failure for a fault of the disk; logs it. */
  readonly failureOf: (fault: Fault) => Failure
}

/**
 * The one writer of a stream. Appends queue up here and are written in groups; roll, retention and closing take their
 * turn in the same queue, so nothing else ever changes the log while a write is under way.
 */
export interface AppendQueue {
  append(append: Append): void
  /** Runs `action` alone, after the appends that came before it. Rejects with what it threw. */
  exclusively(action: () => void | Promise<void>): Promise<void>
  /** Refuses queued and later appends with `failure`. */
  close(failure: Failure): void
}

/** What can stand against an append. */
type Obstacle = 'stream is full' | 'disk is full' | 'budget is used up'

type Job = Append | (() => Promise<void>)

/** So long no other segment is dropped for a full disk after one was in vain. */
const VAIN_DROP_PAUSE_MS = 1_000

/** Creates the queue; it is idle until the first append. */
export function createAppendQueue(options: AppendQueueOptions): AppendQueue {
  const { log, space, policy, defer, budget } = options
  let jobs: Job[] = []
  /** Appends of one turn of the event loop have the same ingest time. */
  let turnMs = 0
  /** When a segment was dropped last without giving space to the disk. */
  let vainDropMs = -Infinity
  let isScheduled = false
  let isDraining = false
  let closedBecause: Failure | undefined

  /** Records that fit into the active segment together and wait for one write. */
  let group: Append[] = []
  let groupBytes = 0

  const refuse = (job: Append, failure: Failure): void => job.done(failure, -1)

  /** The failure for what a log or the catalogue threw; a bug is passed on and ends the process. */
  const failureOf = (error: unknown): Failure => {
    if (!(error instanceof Fault)) throw error
    return options.failureOf(error)
  }

  const acknowledge = (written: readonly Append[], firstNumber: number): void => {
    let sequenceNumber = firstNumber
    for (const job of written) job.done(undefined, sequenceNumber++)
  }

  const groupWritten = (written: readonly Append[], firstNumber: number): void => {
    options.written()
    if (!policy().syncsBeforeAcknowledging) {
      acknowledge(written, firstNumber)
      return
    }
    options.whenDurable((failure) => {
      if (failure === undefined) acknowledge(written, firstNumber)
      else for (const job of written) refuse(job, failure)
    })
  }

  /** Writes the group. Returns a promise only when the write does not end at once. */
  const writeGroup = (): Promise<void> | undefined => {
    if (group.length === 0) return undefined
    const records = group
    const firstNumber = log.next
    group = []
    groupBytes = 0
    const failed = (error: unknown): void => {
      const failure = failureOf(error)
      for (const job of records) refuse(job, failure)
    }
    let write: Promise<void> | undefined
    try {
      write = log.append(records)
    } catch (error) {
      failed(error)
      return undefined
    }
    if (write !== undefined) return write.then(() => groupWritten(records, firstNumber), failed)
    groupWritten(records, firstNumber)
    return undefined
  }

  /** What stands against storing `bytes` more, or undefined. */
  const obstacle = (bytes: number): Obstacle | undefined => {
    if (log.totalBytes + groupBytes + bytes > policy().bytesMax) return 'stream is full'
    if (policy().usesDisk && space.shortage(bytes) !== undefined) return 'disk is full'
    if (budget?.shortage(groupBytes + bytes) !== undefined) return 'budget is used up'
    return undefined
  }

  const failureFor = (found: Obstacle, bytes: number): Failure => {
    if (found === 'stream is full') return FAILURES.streamFull
    const shortage = found === 'disk is full' ? space.shortage(0) : budget?.shortage(bytes)
    return { kind: 'unknownFailure', message: shortage ?? 'no space left on the device' }
  }

  /** Each further append would give up another segment for nothing. */
  const hasJustFailedToHelp = (): boolean => Math.abs(options.wallMs() - vainDropMs) < VAIN_DROP_PAUSE_MS

  const mustRoll = (bytes: number): boolean => {
    const activeBytes = log.activeBytes + groupBytes
    return activeBytes > 0 && activeBytes + bytes > policy().rollBytes
  }

  /**
   * Drops old segments until `bytes` fit or nothing is left to drop. Where dropping does not give space to a full disk,
   * because other programs take it, one segment is enough to see that (reliability ST2).
   */
  const makeRoom = async (bytes: number): Promise<Failure | undefined> => {
    for (let hasHelped = true; ;) {
      const found = obstacle(bytes)
      if (found === undefined) return undefined
      const failure = failureFor(found, bytes)
      if (found === 'budget is used up' && budget?.makeRoom() === true) continue
      if (!policy().overwritesOldest) return failure
      if (found === 'disk is full' && (!hasHelped || hasJustFailedToHelp())) return failure
      if (options.mayDropOldest?.() === false) return failure
      if (log.sealed.length === 0) await log.roll()
      if (log.sealed.length === 0) return failure
      await options.dropOldest()
      if (found !== 'disk is full') continue
      hasHelped = space.recheck()
      if (!hasHelped) vainDropMs = options.wallMs()
    }
  }

  /** Puts one append into the group, after whatever must happen before. Returns a promise only when that takes time. */
  const admit = (job: Append): Promise<void> | undefined => {
    const bytes = log.recordBytes(job.payload.length)
    if (bytes > policy().bytesMax) {
      refuse(job, FAILURES.messageTooLarge)
      return undefined
    }
    if (mustRoll(bytes) || obstacle(bytes) !== undefined) return admitSlowly(job, bytes)
    group.push(job)
    groupBytes += bytes
    return undefined
  }

  /** Room comes first: a full disk gets no new segment for an append that is refused anyway. */
  const prepare = async (bytes: number): Promise<Failure | undefined> => {
    try {
      const failure = await makeRoom(bytes)
      if (failure === undefined && mustRoll(bytes)) await log.roll()
      return failure
    } catch (error) {
      return failureOf(error)
    }
  }

  const admitSlowly = async (job: Append, bytes: number): Promise<void> => {
    await writeGroup()
    const failure = (await prepare(bytes)) ?? closedBecause
    if (failure !== undefined) {
      refuse(job, failure)
      return
    }
    group.push(job)
    groupBytes += bytes
  }

  /**
   * Takes the whole batch as the group, if nothing stands against any part of it: the way of nearly all appends.
   * @returns false when nothing was taken, and each must be looked at
   */
  const admitAll = (batch: readonly Job[]): batch is readonly Append[] => {
    if (closedBecause !== undefined || batch.length > APPEND_GROUP_COUNT_MAX) return false
    let bytes = 0
    for (const job of batch) {
      if (typeof job === 'function') return false
      bytes += log.recordBytes(job.payload.length)
    }
    if (bytes > APPEND_GROUP_BYTES_MAX || log.activeBytes + bytes > policy().rollBytes) return false
    if (obstacle(bytes) !== undefined) return false
    group = batch as Append[]
    groupBytes = bytes
    return true
  }

  const runOneByOne = async (batch: readonly Job[]): Promise<void> => {
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

  /** Runs all that is queued, without a promise as long as nothing takes time. */
  const drain = (): void => {
    isScheduled = false
    isDraining = true
    while (jobs.length > 0) {
      const batch = jobs
      jobs = []
      const work = admitAll(batch) ? writeGroup() : runOneByOne(batch)
      if (work !== undefined) {
        void work.then(drain)
        return
      }
    }
    isDraining = false
  }

  const schedule = (): void => {
    if (isScheduled || isDraining) return
    isScheduled = true
    defer(drain)
  }

  return {
    append(append) {
      if (closedBecause !== undefined) {
        append.done(closedBecause, -1)
        return
      }
      // While a batch is under way the next one gathers over many turns.
      if (jobs.length === 0 || isDraining) turnMs = options.wallMs()
      append.ingestTimeMs = turnMs
      jobs.push(append)
      schedule()
    },
    exclusively(action) {
      // Appends that come behind it in this turn take their time from here.
      if (jobs.length === 0) turnMs = options.wallMs()
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
