import { bytesText, countText, durationText, numberText } from '../base/quantities.ts'
import type { StreamReport } from '../monitor/report.ts'
import { EXIT, parseArguments, type Command } from './command.ts'
import type { StreamClient } from './client/client.ts'
import { RequestRefused } from './client/connection.ts'
import { CONNECTION_HELP, CONNECTION_OPTIONS, withClient } from './client/open.ts'
import { readStatus, STATUS_HELP, STATUS_OPTIONS, streamReportOf, type ServerStatus } from './client/status.ts'
import { healthFindings } from './doctor/account-checks.ts'
import { findingsText, missingFinding } from './doctor/finding.ts'
import { checkStreams } from './doctor/stream-checks.ts'
import { viewStream, type ExportView, type StreamView } from './stream-status.ts'
import { toJson } from './stream-report.ts'
import { tableText } from './table.ts'

/** Streams that are described at a time. */
const CONCURRENCY = 16

/** Descriptions in order of the names; a stream that is deleted meanwhile is left out. */
async function describeAll(client: StreamClient, names: readonly string[]): Promise<readonly StreamView[]> {
  const views: StreamView[] = []
  const one = async (name: string): Promise<StreamView | undefined> => {
    try {
      return viewStream(await client.describe(name))
    } catch (error) {
      if (error instanceof RequestRefused && error.kind === 'resourceNotFound') return undefined
      throw error
    }
  }
  for (let start = 0; start < names.length; start += CONCURRENCY) {
    const some = await Promise.all(names.slice(start, start + CONCURRENCY).map(one))
    views.push(...some.filter((view) => view !== undefined))
  }
  return views
}

/** `2 of 3 failing`: the worst of the states. */
function exportsText(exports: readonly ExportView[]): string {
  if (exports.length === 0) return '-'
  const countOf = (state: ExportView['state']): number => exports.filter((view) => view.state === state).length
  const worst = (['failing', 'paused', 'behind'] as const).find((state) => countOf(state) > 0)
  if (worst === undefined) return 'up to date'
  return exports.length === 1 ? worst : `${countOf(worst)} of ${exports.length} ${worst}`
}

function rowOf({ info, messages, exports }: StreamView, report: StreamReport | undefined): string[] {
  const { definition, storageStatus } = info
  const percent = (storageStatus.totalBytes / Number(definition.maxSizeBytes)) * 100
  const lag = Math.max(0, ...exports.map(({ lagMessages }) => lagMessages))
  return [
    definition.name,
    numberText(messages),
    bytesText(storageStatus.totalBytes),
    `${percent.toFixed(0)} %`,
    storageStatus.newestSequenceNumber < 0 ? '-' : String(storageStatus.newestSequenceNumber),
    `${definition.persistence}, ${definition.strategyOnFull === 'rejectNewData' ? 'rejects' : 'overwrites'}`,
    exportsText(exports),
    exports.length === 0 ? '-' : numberText(lag),
    ...(report === undefined ? [] : liveCells(report))
  ]
}

/** What the status interface tells: rate of appends, and the largest lag in bytes and in time. */
function liveCells({ rates, exports }: StreamReport): string[] {
  const seconds = exports.map(({ lag }) => lag.seconds ?? 0)
  return [
    rates.messagesPerSecond.over10s.toFixed(1),
    exports.length === 0 ? '-' : bytesText(Math.max(...exports.map(({ lag }) => lag.bytes))),
    exports.length === 0 ? '-' : durationText(Math.max(...seconds) * 1000)
  ]
}

const LIVE_COLUMNS = [
  { title: 'MSG/S', isNumber: true },
  { title: 'LAG SIZE', isNumber: true },
  { title: 'LAG AGE', isNumber: true }
] as const

const COLUMNS = [
  { title: 'STREAM', isElastic: true },
  { title: 'MESSAGES', isNumber: true },
  { title: 'SIZE', isNumber: true },
  { title: 'FULL', isNumber: true },
  { title: 'NEWEST', isNumber: true },
  { title: 'KIND' },
  { title: 'EXPORTS', isElastic: true },
  { title: 'LAG', isNumber: true }
] as const

function jsonOf({ info, messages, exports }: StreamView, report: StreamReport | undefined) {
  const { definition, storageStatus } = info
  return {
    name: definition.name,
    persistence: definition.persistence,
    strategyOnFull: definition.strategyOnFull,
    maxSize: definition.maxSizeBytes,
    messages,
    ...storageStatus,
    exports: exports.map(({ definition: { identifier, kind }, state, lagMessages }) => ({
      identifier,
      kind,
      state,
      lagMessages
    })),
    /** As the status interface tells it; null without it. */
    live: report ?? null
  }
}

/** Findings below the table; more are told by `describe` and `doctor`. */
const FINDINGS_MAX = 20

function listText(views: readonly StreamView[], status: ServerStatus, columns: number | undefined): string {
  const { report, missing } = status
  const table = tableText(
    report === undefined ? COLUMNS : [...COLUMNS, ...LIVE_COLUMNS],
    views.map((view) => rowOf(view, streamReportOf(status, view.info.definition.name))),
    columns
  )
  const findings = [...(report === undefined ? [] : healthFindings(report.health)), ...checkStreams(views, status)]
  const wrong = findings.filter(({ verdict }) => verdict === 'problem' || verdict === 'warning')
  const more =
    wrong.length > FINDINGS_MAX ? `${countText(wrong.length - FINDINGS_MAX, 'finding')} more: see doctor\n` : ''
  const told = wrong.length === 0 ? '' : `\n${findingsText(wrong.slice(0, FINDINGS_MAX), columns)}${more}`
  return `${table}${told}${missing === undefined ? '' : `\n${findingsText([missingFinding(missing)], columns)}`}`
}

const OPTIONS = {
  ...CONNECTION_OPTIONS,
  ...STATUS_OPTIONS,
  json: { type: 'boolean' },
  names: { type: 'boolean' }
} as const

/** `list`: all streams, a line each. */
export const list: Command = {
  name: 'list',
  usage: '[--names | --json]',
  summary: 'lists the streams: how much they hold, how full they are, and how their exports do',
  details: [
    'LAG is the largest number of messages that an export has still to send. Below the table stands what is wrong, and what to do.',
    '--names prints the names alone, --json one JSON document.',
    ...STATUS_HELP,
    ...CONNECTION_HELP
  ],
  options: OPTIONS,
  async run(args, surroundings) {
    const { values } = parseArguments(args, OPTIONS, 0)
    return withClient(values, surroundings, async (client) => {
      const names = await client.list()
      if (values.names === true) {
        surroundings.write(names.map((name) => `${name}\n`).join(''))
        return EXIT.ok
      }
      const views = await describeAll(client, names)
      const status = await readStatus(values, surroundings)
      const json = (view: StreamView) => jsonOf(view, streamReportOf(status, view.info.definition.name))
      if (values.json === true)
        surroundings.write(`${toJson({ streams: views.map(json), statusMissing: status.missing ?? null }, 2)}\n`)
      else if (views.length === 0) surroundings.write('there are no streams\n')
      else surroundings.write(listText(views, status, surroundings.columns))
      return EXIT.ok
    })
  }
}
