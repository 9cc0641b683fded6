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
  /** The last flush; a failure is logged. */
  stop(): Promise<void>
}

/** Creates the checkpointer of a store. */
export function createCheckpointer(options: { catalogue: Catalogue; clock: Clock; logger: Logger }): Checkpointer {
  const { catalogue, clock, logger } = options
  const changedLogs = new Map<string, StreamLog>()
  const pending = new Map<string, Buffer | undefined>()
  /** Segments in the catalogue, by stream. */
  const known = new Map<string, Set<number>>()
  let timer: Timer | undefined
  let hasFailed = false

  const arm = (): void => {
    timer ??= clock.after(CHECKPOINT_INTERVAL_MS, () => {
      timer = undefined
      void flush().catch(() => undefined)
    })
  }

  const segmentChanges = (streamId: string, log: StreamLog): CatalogueChange[] => {
    const bases = known.get(streamId) ?? new Set<number>()
    known.set(streamId, bases)
    const changes: CatalogueChange[] = []
    const add = (summary: SegmentSummary): void => {
      bases.add(summary.base)
      changes.push({ key: catalogueKeys.segment(streamId, summary.base), value: encodeSummary(summary) })
    }
    for (let index = log.sealed.length - 1; index >= 0; index--) {
      const summary = log.sealed[index]
      if (summary === undefined || bases.has(summary.base)) break
      if (summary.next <= log.durableNext) add(summary)
    }
    for (const base of bases) {
      if (base >= log.oldest || base === log.sealed[0]?.base) break
      bases.delete(base)
      changes.push({ key: catalogueKeys.segment(streamId, base), value: undefined })
    }
    return changes
  }

  const flush = async (): Promise<void> => {
    const logs = [...changedLogs].map(([streamId, log]) => ({ streamId, log, oldest: log.oldest }))
    const changes: CatalogueChange[] = [...pending].map(([key, value]) => ({ key, value }))
    changedLogs.clear()
    pending.clear()
    for (const { streamId, log } of logs) {
      changes.push(
        { key: catalogueKeys.state(streamId), value: encodeState(log.state) },
        ...segmentChanges(streamId, log)
      )
    }
    try {
      if (changes.length > 0) await catalogue.commit(changes)
    } catch (error) {
      for (const { streamId, log } of logs) if (log.hasDropped) changedLogs.set(streamId, log)
      if (changedLogs.size > 0) arm()
      if (!hasFailed) logger.error('The catalogue takes no changes', { error: describeError(error) })
      hasFailed = true
      throw error
    }
    hasFailed = false
    for (const { log, oldest } of logs) if (log.hasDropped) log.removeDropped(oldest)
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
      known.set(streamId, new Set([...bases].sort((a, b) => a - b)))
    },
    flush,
    async stop() {
      timer?.cancel()
      timer = undefined
      await flush().catch(() => undefined)
    }
  }
}
