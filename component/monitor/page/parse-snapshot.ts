import { helpFor } from '../../export/error-help.ts'
import type { ExportReport, StatusReport, StreamReport } from '../report.ts'
import type { ExportSnapshot, ExportState, Snapshot, StreamSnapshot } from './snapshot.ts'

/** The only form that this page knows; page and server are parts of one program. */
const FORMAT_VERSION = 1
/** Reasons of health that the page finds in streams and exports itself, with more detail. */
const TOLD_ELSEWHERE = new Set([
  'appends_failing',
  'export_unavailable',
  'export_failing',
  'messages_dropped',
  'messages_skipped'
])

function isReport(json: unknown): json is StatusReport {
  if (typeof json !== 'object' || json === null) return false
  const { formatVersion, streams } = json as { readonly formatVersion?: unknown; readonly streams?: unknown }
  return formatVersion === FORMAT_VERSION && Array.isArray(streams)
}

/** Reads the answer to /status; undefined when it has another form. */
export function parseSnapshot(json: unknown): Snapshot | undefined {
  if (!isReport(json)) return undefined
  const { timeMs, process, health, streams, omitted } = json
  const reasons = health.reasons.filter(({ code }) => !TOLD_ELSEWHERE.has(code))
  return {
    takenAtMs: timeMs,
    version: process.version,
    uptimeSeconds: process.uptimeSeconds,
    memoryBytes: process.residentBytes,
    connections: process.connections,
    complaints: reasons.map(({ text, stream, meaning, remedy }) => ({
      text: stream === undefined ? text : `Stream ${stream}: ${text}`,
      meaning,
      remedy
    })),
    omittedStreams: omitted.streams,
    streams: streams.map(streamSnapshot)
  }
}

function streamSnapshot(report: StreamReport): StreamSnapshot {
  const { definition, rates } = report
  return {
    name: report.name,
    persistence: definition.persistence,
    strategyOnFull: definition.strategyOnFull,
    maxSizeBytes: definition.maxSizeBytes,
    totalBytes: report.storedBytes,
    oldest: report.oldestSequenceNumber,
    next: report.nextSequenceNumber,
    messagesPerSecond: rates.messagesPerSecond.over10s,
    bytesPerSecond: rates.bytesPerSecond.over10s,
    problem: report.appendProblem ?? undefined,
    exports: report.exports.map(exportSnapshot)
  }
}

function exportSnapshot(report: ExportReport): ExportSnapshot {
  const { account, lag, kind, lastError } = report
  const help = lastError === null ? undefined : helpFor(kind, lastError)
  return {
    identifier: report.identifier,
    kind,
    destination: report.destination,
    state: stateOf(report),
    waitingMessages: lag.messages,
    waitingBytes: lag.bytes,
    waitingSeconds: lag.messages === 0 ? undefined : (lag.seconds ?? undefined),
    exportedMessages: account.exported,
    skippedMessages: account.skipped,
    droppedMessages: Object.values(account.dropped).reduce((sum, count) => sum + count, 0),
    skippedRanges: account.skippedRanges,
    droppedRanges: account.droppedRanges,
    error: lastError ?? undefined,
    meaning: help?.meaning,
    remedy: help?.remedy,
    failedAttempts: report.failedAttempts,
    nextAttemptMs: report.nextAttemptMs ?? undefined
  }
}

/** An export fails from its first failed attempt until one has succeeded, also while it tries again. */
function stateOf({ activity, failedAttempts, disabled, lag }: ExportReport): ExportState {
  if (disabled || activity === 'disabled' || activity === 'stopped') return 'disabled'
  if (activity === 'unavailable') return 'unavailable'
  if (failedAttempts > 0) return 'failing'
  if (activity === 'sending' || activity === 'queued') return 'sending'
  return lag.messages > 0 ? 'waiting' : 'idle'
}
