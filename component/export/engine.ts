import { assert } from '../base/assert.ts'
import { createBatchPool } from '../base/buffer-pool.ts'
import { sleep, type Clock } from '../base/clock.ts'
import type { Logger } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import { EXPORT_KINDS, type ExportDefinition, type ExportKind } from '../model/export-definition.ts'
import type { ExportStatus } from '../model/stream-info.ts'
import { createBandwidth } from './bandwidth.ts'
import { Fault } from '../base/fault.ts'
import { createEndings, isEndedKey } from './endings.ts'
import type { DeadLetters } from './dead-letters.ts'
import type { ExporterContext } from './exporter-context.ts'
import { createExporter, type Exporter } from './exporter.ts'
import type { BatchLimits, SendBatch } from './sink.ts'
import { createSlots } from './slots.ts'
import { createExpiryJudge } from './expiry-judge.ts'
import type { ExportObservation } from './observation.ts'
import { createPacer } from './pacer.ts'
import { createReadAheads } from './read-ahead.ts'
import type { ExportProgress, ExportSource, ProgressStore } from './source.ts'
import { createStatusWriter, type AppendStatus } from './status-writer.ts'
import type { TaskContext } from './task-runner.ts'
import type { RunStep } from './task.ts'
import { createExportTotals, type KindTotals } from './totals.ts'

/** What S3 exports need beside the rest. */
export interface TaskOptions {
  readonly runStep: RunStep
  readonly appendStatus: AppendStatus
  /** Resolves when all progress saved so far survives a power cut. @throws Fault when it cannot be made durable now */
  makeDurable(): Promise<void>
}

export interface ExportEngineOptions {
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly progress: ProgressStore
  readonly sendBatch: SendBatch
  readonly tasks?: TaskOptions
  /** Keeps skipped messages; absent: they are only logged and counted. */
  readonly deadLetters?: DeadLetters
  /** What fits into one request of the export; undefined for one that cannot be done here. Pure. */
  limitsOf(definition: ExportDefinition): BatchLimits | undefined
  /** Why there are no limits for an export, as a sentence without a final dot, for its errorMessage. Pure. */
  whyUnavailable?(definition: ExportDefinition): string | undefined
  /** Requests in flight at a time, over all exports; 1 or more. */
  readonly concurrencyMax: number
  /** Average over all request bodies; absent is unlimited. Above 0. */
  readonly bandwidthBitsPerSecond?: number
}

/**
 * Exports streams to their destinations, at least once and in order, each export at its own pace. All of it runs on
 * events: durable messages, timers and answers. An idle export costs no CPU.
 */
export interface ExportEngine {
  /** Lets requests go out; before, streams may be opened already (behaviour 2, rule 1). */
  start(): void
  /**
   * Starts the exports of a stream; after `stop` it does nothing. The engine does not keep the map.
   * @param progress what was saved of them in an earlier run, by identifier
   */
  open(source: ExportSource, exports: readonly ExportDefinition[], progress: ReadonlyMap<string, ExportProgress>): void
  /**
   * Takes the new definitions of an open stream's exports, matched by identifier (behaviour 3.7): missing ones are ended
   * and their progress is removed, new ones are started, all others go on from where they are unless their
   * startSequenceNumber has changed. A failing export is tried again at once. Requests in flight complete.
   */
  update(streamId: string, exports: readonly ExportDefinition[]): void
  /**
   * Ends the exports of a deleted stream: aborts what is in flight and removes their progress. Resolves when the stream is
   * not read any more: its unfinished tasks have been told to be cancelled (behaviour 3.8).
   * @throws Fault when the engine stops before: they will be told once the stream is opened, and closed, again
   */
  close(streamId: string): Promise<void>
  /** What describe says, in the order http, iotAnalytics, kinesis, sitewise, s3. Empty for a stream that is not open. */
  statuses(streamId: string): readonly ExportStatus[]
  /** What the exports of an open stream do at present, in the same order. */
  observe(streamId: string): readonly ExportObservation[]
  /** Counters since the start of the server, for telemetry and health. */
  readonly totals: Readonly<Record<ExportKind, KindTotals>>
  /**
   * Starts no more requests, lets those in flight finish for up to `deadlineMs` milliseconds, then aborts them. When it
   * has resolved the progress is final: nothing is saved later. Calling it again waits for the same end.
   */
  stop(deadlineMs: number): Promise<void>
}

interface OpenStream {
  readonly source: ExportSource
  readonly endListening: () => void
  exporters: ReadonlyMap<string, Exporter>
  /** Tasks of deleted exports that are being cancelled. */
  readonly cancellations: Set<Promise<void>>
}

const byKind = (left: Exporter, right: Exporter): number =>
  EXPORT_KINDS.indexOf(left.definition.kind) - EXPORT_KINDS.indexOf(right.definition.kind)

/** Tells the progress of exports that go on from that of exports of tasks which are gone. */
function sortProgress(
  exports: readonly ExportDefinition[],
  progress: ReadonlyMap<string, ExportProgress>
): Record<'going' | 'gone', ReadonlyMap<string, ExportProgress>> {
  const kinds = new Map(exports.map(({ identifier, kind }) => [identifier, kind]))
  const isOfTasks = ({ statusConfig, task }: ExportProgress): boolean =>
    statusConfig !== undefined || task !== undefined
  const goesOn = (key: string, record: ExportProgress): boolean =>
    kinds.has(key) && (kinds.get(key) === 's3' || !isOfTasks(record))
  const entries = [...progress]
  return {
    going: new Map(entries.filter(([key, record]) => goesOn(key, record))),
    gone: new Map(entries.filter(([key, record]) => !goesOn(key, record) && (isEndedKey(key) || isOfTasks(record))))
  }
}

export function createExportEngine(options: ExportEngineOptions): ExportEngine {
  const { clock, log, progress: store, bandwidthBitsPerSecond } = options
  const bandwidth = bandwidthBitsPerSecond === undefined ? undefined : createBandwidth(clock, bandwidthBitsPerSecond)
  const totals = createExportTotals()
  const slots = createSlots(clock, options.concurrencyMax, bandwidth)
  /** Kinds that were reported: one warning for each is enough. */
  const unavailable = new Set<ExportKind>()
  const stopping = new AbortController()
  let stopped: Promise<void> | undefined
  const taskBasics = options.tasks && {
    progress: store,
    clock,
    random: options.random,
    runStep: options.tasks.runStep,
    pace: createPacer(clock, bandwidth),
    statuses: createStatusWriter(clock, log, options.tasks.appendStatus),
    expiry: createExpiryJudge(clock),
    makeDurable: options.tasks.makeDurable,
    isStopping: () => stopping.signal.aborted,
    stopping: stopping.signal
  }
  const endings = taskBasics && createEndings(taskBasics)
  const tasks: TaskContext | undefined = taskBasics && endings && { ...taskBasics, endings }
  const context: ExporterContext = {
    ...options,
    tasks,
    reportUnavailable(definition) {
      const { kind } = definition
      const reason = options.whyUnavailable?.(definition) ?? `${kind} exports are not available in this version`
      if (!unavailable.has(kind)) log.warn('Exports of one kind cannot be done and keep waiting', { kind, reason })
      unavailable.add(kind)
      return reason
    },
    slots,
    totals,
    readAheads: createReadAheads(options.concurrencyMax, createBatchPool()),
    requestBytesMax: bandwidth?.requestBytesMax ?? Infinity
  }
  const streams = new Map<string, OpenStream>()

  const start = (source: ExportSource, definition: ExportDefinition, remembered?: ExportProgress): Exporter =>
    createExporter(context, source, definition, remembered, (progress) =>
      store.save(source.streamId, definition.identifier, progress)
    )

  const waitFor = ({ cancellations }: OpenStream, cancellation: Promise<void>): void => {
    cancellations.add(cancellation)
    void cancellation.then(() => cancellations.delete(cancellation))
  }

  /** What the last run has left of exports that were removed from the definition. */
  const resumeEndings = (stream: OpenStream, progress: ReadonlyMap<string, ExportProgress>): void => {
    if (endings === undefined) return
    for (const [key, record] of progress) waitFor(stream, endings.resume(stream.source, key, record))
  }

  const endExport = (stream: OpenStream, identifier: string, exporter: Exporter, reason: string): void => {
    exporter.close()
    store.remove(stream.source.streamId, identifier)
    waitFor(stream, exporter.cancelTasks(reason))
  }

  const drainAll = async (deadlineMs: number): Promise<void> => {
    slots.stop()
    const exporters = [...streams.values()].flatMap((stream) => [...stream.exporters.values()])
    for (const stream of streams.values()) stream.endListening()
    const inTime = new AbortController()
    const landed = Promise.all(exporters.map((exporter) => exporter.drain())).then(() => inTime.abort())
    await Promise.race([landed, sleep(clock, deadlineMs, inTime.signal)])
    if (!inTime.signal.aborted) log.info('Export requests were still in flight at the end; they will be repeated')
    for (const exporter of exporters) exporter.close()
  }

  return {
    start() {
      if (stopped === undefined) slots.start()
    },
    open(source, exports, progress) {
      assert(!streams.has(source.streamId), 'a stream is opened once')
      // A stream that is created while the server stops begins to export at the next start.
      if (stopped !== undefined) return
      const { going, gone } = sortProgress(exports, progress)
      const stream: OpenStream = {
        source,
        endListening: source.onDurable(() => {
          for (const exporter of stream.exporters.values()) exporter.wake()
        }),
        cancellations: new Set(),
        exporters: new Map()
      }
      streams.set(source.streamId, stream)
      resumeEndings(stream, gone)
      stream.exporters = new Map(
        exports.map((definition) => {
          const { identifier } = definition
          return [identifier, start(source, definition, going.get(identifier))]
        })
      )
    },
    update(streamId, exports) {
      const stream = streams.get(streamId)
      if (stream === undefined && stopped !== undefined) return
      assert(stream !== undefined, 'only an open stream is updated')
      const before = stream.exporters
      const wanted = new Map(exports.map((definition) => [definition.identifier, definition.kind === 's3']))
      /** Of tasks and batches neither can go on where the other is. */
      const goesOn = ({ definition: { identifier, kind } }: Exporter): boolean =>
        wanted.get(identifier) === (kind === 's3')
      for (const [identifier, exporter] of before) {
        if (!goesOn(exporter)) endExport(stream, identifier, exporter, 'export definition deleted')
      }
      if (stopped !== undefined) return
      stream.exporters = new Map(
        exports.map((definition) => {
          const known = before.get(definition.identifier)
          const exporter = known !== undefined && goesOn(known) ? known : undefined
          exporter?.update(definition)
          return [definition.identifier, exporter ?? start(stream.source, definition)]
        })
      )
    },
    async close(streamId) {
      const stream = streams.get(streamId)
      if (stream === undefined) return
      streams.delete(streamId)
      stream.endListening()
      for (const [identifier, exporter] of stream.exporters) endExport(stream, identifier, exporter, 'stream deleted')
      await Promise.all(stream.cancellations)
      if (endings?.areDone(streamId) === false)
        throw new Fault('the exports stop before all tasks are told to be cancelled')
    },
    statuses(streamId) {
      const exporters = [...(streams.get(streamId)?.exporters.values() ?? [])]
      return exporters.sort(byKind).map((exporter) => exporter.status)
    },
    observe(streamId) {
      const exporters = [...(streams.get(streamId)?.exporters.values() ?? [])]
      return exporters.sort(byKind).map((exporter) => exporter.observe())
    },
    totals: totals.byKind,
    stop(deadlineMs) {
      stopping.abort()
      stopped ??= drainAll(deadlineMs)
      return stopped
    }
  }
}
