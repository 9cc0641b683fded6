import { describeError } from '../../base/fault.ts'
import { parseConfig } from '../../config/index.ts'
import type { ExportReport, StatusReport, StreamReport } from '../../monitor/report.ts'
import { integerOption, type Surroundings } from '../command.ts'
import { chooseEnvironment, type EnvironmentOptions } from './environment.ts'

/** What only the status interface of the server tells: rates, exact lags, accounts and health. */
export interface ServerStatus {
  readonly report: StatusReport | undefined
  /** Without a report: why there is none, and how to get one; sentences without a final dot. */
  readonly missing: { readonly text: string; readonly remedy: string } | undefined
}

export interface StatusValues extends EnvironmentOptions {
  readonly 'status-port'?: string | undefined
}

export const STATUS_OPTIONS = { 'status-port': { type: 'string' } } as const

/** What `help` says of them. */
export const STATUS_HELP: readonly string[] = [
  'Rates, lags in bytes and seconds, and accounts of all messages are asked for over HTTP:',
  '  --status-port <n>  the port for that; else STREAM_MANAGER_MONITOR_PORT; without it the answer says what is missing'
]

const PORT_MAX = 65_535
const TIMEOUT_MS = 5_000
const LACKING = 'skipped messages, the reasons of lost ones, exact lags and health are not known here'

const without = (reason: string, remedy: string): ServerStatus => ({
  report: undefined,
  missing: { text: `${LACKING}: ${reason}`, remedy }
})

/** @returns the port of the status interface; undefined when none is set */
function statusPortOf(values: StatusValues, surroundings: Surroundings): number | undefined {
  const given = integerOption('status-port', values['status-port'], 1, PORT_MAX)
  if (given !== undefined) return given
  const { variables } = chooseEnvironment(values, surroundings)
  return parseConfig(variables, surroundings.workFolder).config.monitorPort
}

/** Asks the server for its status. Never fails: the commands work without. @throws UsageProblem for a bad option */
export async function readStatus(values: StatusValues, surroundings: Surroundings): Promise<ServerStatus> {
  const port = statusPortOf(values, surroundings)
  if (port === undefined)
    return without(
      'no port of the status interface is known',
      'set STREAM_MANAGER_MONITOR_PORT for the server, and give that port with --status-port'
    )
  const remedy = 'compare the port with STREAM_MANAGER_MONITOR_PORT of the server'
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/status`, { signal: AbortSignal.timeout(TIMEOUT_MS) })
    const report = (await answer.json()) as Partial<StatusReport> | null
    if (report?.formatVersion === 1 && Array.isArray(report.streams))
      return { report: report as StatusReport, missing: undefined }
    return without(`what listens on port ${port} is not the status interface of this version`, remedy)
  } catch (error) {
    return without(`nothing answers on port ${port} (${describeError(error)})`, remedy)
  }
}

/** What the status tells of one stream. */
export function streamReportOf({ report }: ServerStatus, stream: string): StreamReport | undefined {
  return report?.streams.find(({ name }) => name === stream)
}

/** What the status tells of one export. */
export function exportReportOf(status: ServerStatus, stream: string, identifier: string): ExportReport | undefined {
  return streamReportOf(status, stream)?.exports.find((item) => item.identifier === identifier)
}
