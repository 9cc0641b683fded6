import type { Clock, Timer } from '../base/clock.ts'
import { describeError } from '../base/fault.ts'
import { CHECKPOINT_INTERVAL_MS } from '../base/limits.ts'
import type { Logger } from '../base/log.ts'
import type { Catalogue, CatalogueChange } from '../store/catalogue/change.ts'
import type { SegmentSummary, StreamLog } from '../store/stream-log.ts'
import { catalogueKeys, encodeState, encodeSummary } from './catalogue-records.ts'

/**
 * Carries what changes all the time (log states, sealed segments, export progress) into the catalogue, at most a second
 * late and many changes in one commit. Files of dropped segments are removed only after the catalogue knows of it
 * (reliability 3.1.8).
 */
export interface Checkpointer {
  /** The state of this log has changed. */
  logChanged(streamId: string, log: StreamLog): void
  /** Another record of the stream, e.g. an export's progress. */
  put(key: string, value: Buffer | undefined): void
  /** Forgets what is pending for a deleted stream. */
  forget(streamId: string): void
  /** Segments that the catalogue already describes, known from recovery. */
  segmentsKnown(streamId: string, bases: Iterable<number>): void
  /** Commits everything pending now. @throws Fault when the catalogue takes nothing; it is tried again later */
  flush(): Promise<void>
  /** True when the last commit has failed. */
  readonly isFailing: boolean
  /** The last flush; a failure is logged. */
  stop(): Promise<void>
}

/** Creates the checkpointer of a store. */
export function createCheckpointer(options: { catalogue: Catalogue; clock: Clock; logger: Logger }): Checkpointer {
  const { catalogue, clock, logger } = options
  const changedLogs = new Map<string, StreamLog>()
  const pending = new Map<string, Buffer | undefined>()
  /** Bases of the segments in the catalogue, lowest first, by stream. */
  const known = new Map<string, number[]>()
  let timer: Timer | undefined
  let hasFailed = false
  let isStopped = false

  const arm = (): void => {
    if (isStopped) return
    timer ??= clock.after(CHECKPOINT_INTERVAL_MS, () => {
      timer = undefined
      void flush().catch(() => undefined)
    })
  }

  const basesOf = (streamId: string): number[] => {
    const bases = known.get(streamId) ?? []
    known.set(streamId, bases)
    return bases
  }

  const segmentChanges = (streamId: string, log: StreamLog, bases: number[]): CatalogueChange[] => {
    const added: SegmentSummary[] = []
    const newestKnown = bases.at(-1) ?? -1
    for (let index = log.sealed.length - 1; index >= 0; index--) {
      const summary = log.sealed[index]
      if (summary === undefined || summary.base <= newestKnown) break
      if (summary.next <= log.durableNext) added.push(summary)
    }
    bases.push(...added.map(({ base }) => base).reverse())
    const firstKept = bases.findIndex((base) => base >= log.oldest)
    const removed = bases.splice(0, firstKept === -1 ? bases.length : firstKept)
    return [
      ...added.map((summary) => ({
        key: catalogueKeys.segment(streamId, summary.base),
        value: encodeSummary(summary)
      })),
      ...removed.map((base) => ({ key: catalogueKeys.segment(streamId, base), value: undefined }))
    ]
  }

  const flush = async (): Promise<void> => {
    const logs = [...changedLogs].map(([streamId, log]) => {
      return { streamId, log, oldest: log.oldest, bases: basesOf(streamId) }
    })
    /** A stream that was deleted during the commit has a closed log. */
    const isKnown = ({ streamId, bases }: (typeof logs)[number]): boolean => known.get(streamId) === bases
    const changes: CatalogueChange[] = [...pending].map(([key, value]) => ({ key, value }))
    changedLogs.clear()
    pending.clear()
    for (const { streamId, log, bases } of logs) {
      const state = { key: catalogueKeys.state(streamId), value: encodeState(log.state) }
      changes.push(state, ...segmentChanges(streamId, log, bases))
    }
    try {
      if (changes.length > 0) await catalogue.commit(changes)
    } catch (error) {
      for (const entry of logs) if (isKnown(entry) && entry.log.hasDropped) changedLogs.set(entry.streamId, entry.log)
      if (changedLogs.size > 0) arm()
      if (!hasFailed) logger.error('The catalogue takes no changes', { error: describeError(error) })
      hasFailed = true
      throw error
    }
    hasFailed = false
    for (const entry of logs) if (isKnown(entry) && entry.log.hasDropped) entry.log.removeDropped(entry.oldest)
  }

  return {
    logChanged(streamId, log) {
      changedLogs.set(streamId, log)
      arm()
    },
    put(key, value) {
      pending.set(key, value)
      arm()
    },
    forget(streamId) {
      changedLogs.delete(streamId)
      known.delete(streamId)
      for (const key of pending.keys()) if (key.split('/')[1] === streamId) pending.delete(key)
    },
    segmentsKnown(streamId, bases) {
      known.set(
        streamId,
        [...bases].sort((left, right) => left - right)
      )
    },
    flush,
    get isFailing() {
      return hasFailed
    },
    async stop() {
      isStopped = true
      timer?.cancel()
      timer = undefined
      await flush().catch(() => undefined)
    }
  }
}
