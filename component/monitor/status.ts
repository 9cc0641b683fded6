import type { ExportDefinition } from '../model/export-definition.ts'
import type { ExportObservation } from '../export/index.ts'
import type { Stream } from '../stream/index.ts'
import { judgeHealth } from './health.ts'
import { bytesFrom, createAges, type Ages } from './lag.ts'
import { createRates, type Rates, type Sample } from './rates.ts'
import type { ExportReport, ProcessReport, Rates as RatesReport, StatusReport, StreamReport } from './report.ts'
import { createSlice, monitorTurn, type Turn } from './slices.ts'
import type { MonitorSources } from './sources.ts'

/** Streams, and exports, that one report lists: nobody reads more. */
export const REPORTED_STREAMS_MAX = 1_000
export const REPORTED_EXPORTS_MAX = 2_000
/** A report this young serves everybody who asks. */
const REPORT_AGE_MAX_MS = 1_000
/** Delays of the event loop are told for this long. */
const EVENT_LOOP_PERIOD_MS = 60_000
/** Messages whose age is read at a time. */
const READS_MAX = 16

/** Looks at everything, at most once a second, and never at two reports at a time. */
export interface StatusMaker {
  report(): Promise<StatusReport>
  stop(): void
}

export function createStatusMaker(sources: MonitorSources, turn: Turn = monitorTurn): StatusMaker {
  const { clock, eventLoop } = sources
  const rates = createRates(clock, () => samplesOf(sources), turn)
  const ages = createAges()
  let latest: { readonly atMs: number; readonly report: Promise<StatusReport> } | undefined
  let isMaking = false
  let isStopped = false
  const startPeriod = (): void => {
    eventLoop.reset()
    timer = clock.after(EVENT_LOOP_PERIOD_MS, startPeriod)
  }
  let timer = clock.after(EVENT_LOOP_PERIOD_MS, startPeriod)

  return {
    report() {
      const nowMs = clock.monotonicMs()
      if (latest !== undefined && (isMaking || nowMs - latest.atMs < REPORT_AGE_MAX_MS)) return latest.report
      isMaking = true
      const report = makeReport(sources, rates, ages, turn).finally(() => (isMaking = false))
      latest = { atMs: nowMs, report }
      return report
    },
    stop() {
      if (isStopped) return
      isStopped = true
      timer.cancel()
      rates.stop()
      eventLoop.stop()
    }
  }
}

const streamKey = ({ id }: Stream): string => id
const exportKey = ({ id }: Stream, identifier: string): string => `${id}/${identifier}`

/** What is stored, and what was removed since the start of the server: it grows by what is appended. */
const appendedBytes = ({ log, removals }: Stream): number => log.totalBytes + removals.bytes

function* samplesOf({ registry, engine }: MonitorSources): Generator<Sample[]> {
  for (const name of registry.list()) {
    const stream = registry.get(name)
    if (stream === undefined) continue
    const samples = [{ key: streamKey(stream), messages: stream.log.next, bytes: appendedBytes(stream) }]
    for (const { definition, exportedMessages, exportedBytes } of engine.observe(stream.id))
      samples.push({ key: exportKey(stream, definition.identifier), messages: exportedMessages, bytes: exportedBytes })
    yield samples
  }
}

async function makeReport(sources: MonitorSources, rates: Rates, ages: Ages, turn: Turn): Promise<StatusReport> {
  const { registry, engine, clock } = sources
  const timeMs = clock.wallMs()
  const process = processReport(sources)
  const isSliceFull = createSlice()
  const streams: StreamReport[] = []
  const unopened: { name: string; reason: string }[] = []
  const omitted = { streams: 0, exports: 0 }
  const aging: Aging[] = []
  let exportsLeft = REPORTED_EXPORTS_MAX
  for (const name of registry.list()) {
    const stream = registry.get(name)
    if (stream === undefined) {
      const { kind, message } = registry.whyAbsent(name)
      // It may have been deleted meanwhile.
      if (kind !== 'resourceNotFound' && unopened.length < REPORTED_STREAMS_MAX)
        unopened.push({ name, reason: message })
      continue
    }
    if (streams.length >= REPORTED_STREAMS_MAX) {
      omitted.streams += 1
      continue
    }
    const observed = engine.observe(stream.id)
    const listed = observed.slice(0, exportsLeft)
    exportsLeft -= listed.length
    omitted.exports += observed.length - listed.length
    const exports = listed.map((observation) => exportReport(stream, observation, rates))
    for (const report of exports) aging.push({ stream, report })
    streams.push({ ...streamReport(stream, rates), exports })
    if (isSliceFull(1 + observed.length)) await turn()
  }
  await turn()
  ages.keep(new Set(aging.map(({ stream, report }) => exportKey(stream, report.identifier))))
  await findAges(aging, ages, timeMs, turn)
  await turn()
  const health = await judgeHealth(
    {
      streams,
      unopened,
      process,
      spaceProblem: sources.spaceProblem(),
      isCatalogueFailing: sources.isCatalogueFailing(),
      isStopping: sources.isStopping()
    },
    turn
  )
  return {
    formatVersion: 1,
    timeMs,
    process,
    health,
    streams,
    unopened,
    omitted
  }
}

function streamReport(stream: Stream, rates: Rates): Omit<StreamReport, 'exports'> {
  const { name, log, definition, removals, appendProblem } = stream
  const { persistence, strategyOnFull, flushOnWrite, segmentSizeBytes } = definition
  const bytes = appendedBytes(stream)
  return {
    name,
    definition: {
      persistence,
      strategyOnFull,
      flushOnWrite,
      maxSizeBytes: Number(definition.maxSizeBytes),
      segmentSizeBytes,
      timeToLiveMs: definition.timeToLiveMs ?? null
    },
    oldestSequenceNumber: log.oldest,
    nextSequenceNumber: log.next,
    durableSequenceNumber: log.durableNext,
    storedMessages: log.next - log.oldest,
    storedBytes: log.totalBytes,
    segments: log.sealed.length + 1,
    rates: {
      messagesPerSecond: rates.messages(streamKey(stream), log.next),
      bytesPerSecond: rates.bytes(streamKey(stream), bytes)
    },
    appendedBytes: bytes,
    removed: { ...removals.totals },
    appendProblem: appendProblem ?? null
  }
}

type Changeable<Value> = { -readonly [Key in keyof Value]: Value[Key] }

function exportReport(stream: Stream, observation: ExportObservation, rates: Rates): ExportReport {
  const { definition, activity, accounting, exportedMessages, exportedBytes } = observation
  const { position, ...account } = accounting
  const key = exportKey(stream, definition.identifier)
  const rate: RatesReport = {
    messagesPerSecond: rates.messages(key, exportedMessages),
    bytesPerSecond: rates.bytes(key, exportedBytes)
  }
  return {
    identifier: definition.identifier,
    kind: definition.kind,
    destination: destinationOf(definition),
    priority: definition.priority ?? null,
    disabled: definition.disabled === true,
    activity,
    position,
    account,
    lag: {
      messages: account.waiting,
      bytes: account.waiting === 0 ? 0 : bytesFrom(stream.log, position),
      seconds: account.waiting === 0 ? 0 : null
    },
    rates: rate,
    exportedMessages,
    exportedBytes,
    lastAttemptMs: observation.lastAttemptMs ?? null,
    lastError: observation.errorMessage ?? null,
    failedAttempts: observation.failedAttempts,
    nextAttemptMs: observation.nextAttemptMs ?? null
  }
}

/** Paths and queries of an address may hold keys, user names are no better: only the host is told. */
function destinationOf(definition: ExportDefinition): string {
  switch (definition.kind) {
    case 'http': {
      const { protocol, host } = URL.canParse(definition.uri) ? new URL(definition.uri) : { protocol: '', host: '' }
      return `${protocol}//${host}`
    }
    case 'iotAnalytics':
      return definition.iotChannel
    case 'kinesis':
      return definition.kinesisStreamName
    case 'sitewise':
      return 'IoT SiteWise'
    case 's3':
      return 'the bucket of each task'
  }
}

interface Aging {
  readonly stream: Stream
  readonly report: ExportReport
}

async function findAges(aging: readonly Aging[], ages: Ages, timeMs: number, turn: Turn): Promise<void> {
  const waiting = aging.filter(({ report }) => report.lag.messages > 0)
  const isSliceFull = createSlice()
  const find = async ({ stream, report }: Aging): Promise<void> => {
    const since = await ages.ingestTimeMs(exportKey(stream, report.identifier), stream.log, report.position)
    const lag: Changeable<ExportReport['lag']> = report.lag
    lag.seconds = since === undefined ? null : Math.max(0, timeMs - since) / 1_000
  }
  for (let at = 0; at < waiting.length; at += READS_MAX) {
    await Promise.all(waiting.slice(at, at + READS_MAX).map(find))
    if (isSliceFull(READS_MAX)) await turn()
  }
}

function processReport({ process, version, eventLoop, connectionCount }: MonitorSources): ProcessReport {
  return {
    version,
    nodeVersion: process.nodeVersion,
    pid: process.pid,
    uptimeSeconds: process.uptimeSeconds(),
    residentBytes: process.residentBytes(),
    cpuSeconds: process.cpuSeconds(),
    eventLoopDelaySeconds: { p99: eventLoop.p99Seconds, max: eventLoop.maxSeconds },
    connections: connectionCount()
  }
}
