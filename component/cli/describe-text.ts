import { bytesText, countText, durationText, numberText } from '../base/quantities.ts'
import type { ExportDefinition } from '../model/export-definition.ts'
import type { StreamDefinition } from '../model/stream-definition.ts'
import { helpFor } from '../export/error-help.ts'
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

function exportLines(view: ExportView, times: StreamTimes, nowMs: number): readonly Line[] {
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
  if (lostMessages > 0)
    lines.push(['lost', `${countText(lostMessages, 'message')} went by retention before they were sent`])
  if (error !== undefined) lines.push(['last error', safeText(error)])
  if (help !== undefined) lines.push(['meaning', help.meaning], ['what to do', help.remedy])
  else if (error !== undefined)
    lines.push(['what to do', 'look up the name in docs/export-failures.md; it is tried again by itself'])
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
export function describeText(view: StreamView, times: StreamTimes, nowMs: number, columns: number | undefined): string {
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
    return `\n${head}${linesText(exportLines(item, times, nowMs), width)}`
  })
  return `stream ${JSON.stringify(definition.name)}\n${linesText(stream, width)}${parts.join('')}`
}
