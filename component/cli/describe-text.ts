import { bytesText, countText, durationText, numberText } from '../base/quantities.ts'
import type { ExportDefinition } from '../model/export-definition.ts'
import type { StreamDefinition } from '../model/stream-definition.ts'
import { helpFor } from '../export/error-help.ts'
import { DROP_CAUSES } from '../export/index.ts'
import type { ExportReport } from '../monitor/report.ts'
import { exportReportOf, streamReportOf, type ServerStatus } from './client/status.ts'
import { accountFindings, healthFindings } from './doctor/account-checks.ts'
import { findingsText, missingFinding } from './doctor/finding.ts'
import type { ExportView, StreamTimes, StreamView } from './stream-status.ts'
import { wrap } from './table.ts'
import { safeText, timeText } from './text.ts'

const TITLE_WIDTH = 12
const WIDTH_MIN = 60
const WIDTH_DEFAULT = 100

/** Where an export sends to. */
export function destinationText(definition: ExportDefinition): string {
  switch (definition.kind) {
    case 'http':
      return `HTTP ${safeText(definition.uri)}`
    case 'kinesis':
      return `Kinesis stream ${safeText(definition.kinesisStreamName)}`
    case 'sitewise':
      return 'IoT SiteWise'
    case 's3':
      return 'S3 tasks'
    case 'iotAnalytics':
      return `IoT Analytics channel ${safeText(definition.iotChannel)}`
  }
}

function definitionText(definition: StreamDefinition): string {
  const { persistence, flushOnWrite, strategyOnFull, segmentSizeBytes, timeToLiveMs } = definition
  return [
    persistence === 'file' ? (flushOnWrite ? 'on disk, synced before the answer' : 'on disk') : 'in memory',
    strategyOnFull === 'rejectNewData' ? 'when full: rejects new data' : 'when full: overwrites the oldest data',
    `segments of ${bytesText(segmentSizeBytes)}`,
    timeToLiveMs === undefined ? 'kept without a time limit' : `kept for ${durationText(timeToLiveMs)}`
  ].join('; ')
}

function ago(timeMs: number | undefined, nowMs: number): string {
  return timeMs === undefined ? 'unknown' : `${timeText(timeMs)} (${durationText(nowMs - timeMs)} ago)`
}

function settingsText(definition: ExportDefinition): string {
  const parts = [`priority ${definition.priority ?? 'lowest'}`]
  if (definition.kind === 's3') {
    const { statusConfig } = definition
    if (statusConfig?.statusStreamName !== undefined)
      parts.push(`status to ${JSON.stringify(statusConfig.statusStreamName)}`)
    return parts.join(', ')
  }
  if (definition.batchSize !== undefined) parts.push(`batches of ${definition.batchSize}`)
  if (definition.batchIntervalMs !== undefined) parts.push(`every ${durationText(definition.batchIntervalMs)}`)
  if (definition.startSequenceNumber !== undefined) parts.push(`start at ${definition.startSequenceNumber.toString()}`)
  return parts.join(', ')
}

function lagText(view: ExportView, waitingSinceMs: number | undefined, nowMs: number): string {
  if (view.lagMessages === 0) return 'none'
  const age =
    waitingSinceMs === undefined ? '' : `, the first of them waits for ${durationText(nowMs - waitingSinceMs)}`
  return `${countText(view.lagMessages, 'message')}, about ${bytesText(view.lagBytes)}${age}`
}

type Line = readonly [title: string, text: string]

/** How the account of an export stands, and its rates. */
function accountLines({ account, rates, lag, failedAttempts, nextAttemptMs }: ExportReport, nowMs: number): Line[] {
  const { exported, skipped, dropped, waiting, origin } = account
  const lost = DROP_CAUSES.filter((cause) => dropped[cause] > 0).map(
    (cause) => `${numberText(dropped[cause])} ${cause}`
  )
  const parts = [
    `${numberText(exported)} exported`,
    `${numberText(skipped)} skipped`,
    ...lost,
    `${numberText(waiting)} waiting`
  ]
  const age = lag.seconds === null ? '' : `, ${durationText(lag.seconds * 1000)} old`
  const lines: Line[] = [
    ['account', `since number ${origin}: ${parts.join(', ')}`],
    ['exact lag', `${countText(lag.messages, 'message')}, ${bytesText(lag.bytes)}${age}`],
    ['rate', `${rates.messagesPerSecond.over10s.toFixed(1)} messages/s, ${bytesText(rates.bytesPerSecond.over10s)}/s`]
  ]
  if (failedAttempts > 0 && nextAttemptMs !== null)
    lines.push([
      'attempts',
      `${numberText(failedAttempts)} failed, next in ${durationText(Math.max(0, nextAttemptMs - nowMs))}`
    ])
  return lines
}

function exportLines(
  view: ExportView,
  times: StreamTimes,
  nowMs: number,
  report: ExportReport | undefined
): readonly Line[] {
  const { definition, status, lostMessages, next } = view
  const error = status.errorMessage
  const help = error === undefined ? undefined : helpFor(definition.kind, error)
  const lines: Line[] = [
    ['next', `message ${next}`],
    ['lag', lagText(view, times.waitingSinceMs.get(definition.identifier), nowMs)],
    ['sent', `${countText(status.exportedMessagesCount, 'message')}, ${bytesText(status.exportedBytesFromStream)}`],
    ['tried', status.lastExportTimeMs === undefined ? 'not yet' : ago(status.lastExportTimeMs, nowMs)],
    ['settings', settingsText(definition)]
  ]
  if (report !== undefined) lines.push(...accountLines(report, nowMs))
  if (report === undefined && lostMessages > 0)
    lines.push(['lost', `${countText(lostMessages, 'message')} went by retention before they were sent`])
  if (error !== undefined) lines.push(['last error', safeText(error)])
  if (help !== undefined) lines.push(['meaning', help.meaning], ['what to do', help.remedy])
  else if (error !== undefined)
    lines.push(['what to do', 'look up the name in docs/export-failures.md; it is tried again by itself'])
  const losses = report === undefined ? [] : accountFindings('', report)
  for (const { text, remedy = '' } of losses) lines.push(['lost', text], ['what to do', remedy])
  return lines
}

function linesText(lines: readonly Line[], width: number): string {
  return lines
    .flatMap(([title, text]) =>
      wrap(text, width - TITLE_WIDTH - 2).map(
        (part, index) => `  ${(index === 0 ? title : '').padEnd(TITLE_WIDTH)}${part}\n`
      )
    )
    .join('')
}

/** All about a stream, for people. */
export function describeText(
  view: StreamView,
  times: StreamTimes,
  nowMs: number,
  columns: number | undefined,
  status: ServerStatus
): string {
  const width = Math.max(WIDTH_MIN, columns ?? WIDTH_DEFAULT)
  const { info, messages, exports } = view
  const { definition, storageStatus } = info
  const { oldestSequenceNumber: oldest, newestSequenceNumber: newest, totalBytes } = storageStatus
  const maxBytes = Number(definition.maxSizeBytes)
  const stream: Line[] = [
    [
      'holds',
      messages === 0
        ? `nothing; the next message is ${newest + 1}`
        : `${countText(messages, 'message')}, ${oldest} to ${newest}`
    ],
    ['size', `${bytesText(totalBytes)} of ${bytesText(maxBytes)} (${((totalBytes / maxBytes) * 100).toFixed(1)} %)`],
    ['kind', definitionText(definition)]
  ]
  if (messages > 0) {
    stream.push(['oldest', ago(times.oldestMs, nowMs)], ['newest', ago(times.newestMs, nowMs)])
    stream.push(['rate', `${numberText(times.rate)} messages/s in the last minute`])
  }
  const parts = exports.map((item) => {
    const { definition: target, state } = item
    const head = `export ${JSON.stringify(target.identifier)} to ${destinationText(target)}: ${state.toUpperCase()}\n`
    return `\n${head}${linesText(exportLines(item, times, nowMs, exportReportOf(status, definition.name, target.identifier)), width)}`
  })
  const problem = streamReportOf(status, definition.name)?.appendProblem ?? undefined
  if (problem !== undefined) stream.push(['problem', safeText(problem)])
  const notes = [
    status.report === undefined ? '' : findingsText(healthFindings(status.report.health), columns),
    status.missing === undefined ? '' : findingsText([missingFinding(status.missing)], columns)
  ].filter((text) => text !== '')
  const note = notes.map((text) => `\n${text}`).join('')
  return `stream ${JSON.stringify(definition.name)}\n${linesText(stream, width)}${parts.join('')}${note}`
}
