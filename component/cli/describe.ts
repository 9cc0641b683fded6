import { definitionToWire } from '../protocol/definition-codec.ts'
import { EXIT, parseArguments, UsageProblem, type Command } from './command.ts'
import { CONNECTION_HELP, CONNECTION_OPTIONS, withClient } from './client/open.ts'
import { readStatus, STATUS_HELP, STATUS_OPTIONS, streamReportOf } from './client/status.ts'
import { describeText } from './describe-text.ts'
import { definitionToYaml } from './definition-file.ts'
import { helpFor } from '../export/error-help.ts'
import { toJson } from './stream-report.ts'
import { readTimes, viewStream, type ExportView, type StreamTimes, type StreamView } from './stream-status.ts'

function exportJson(view: ExportView, times: StreamTimes, nowMs: number) {
  const { definition, status, state, next, lagMessages, lagBytes, lostMessages } = view
  const { errorMessage } = status
  const waitingSinceMs = times.waitingSinceMs.get(definition.identifier)
  const help = errorMessage === undefined ? undefined : helpFor(definition.kind, errorMessage)
  return {
    identifier: definition.identifier,
    kind: definition.kind,
    state,
    next,
    lagMessages,
    lagBytes,
    lagSeconds:
      lagMessages === 0 ? 0 : waitingSinceMs === undefined ? null : Math.max(0, nowMs - waitingSinceMs) / 1000,
    lostMessages,
    exportedMessages: status.exportedMessagesCount,
    exportedBytes: status.exportedBytesFromStream,
    lastExportedSequenceNumber: status.lastExportedSequenceNumber,
    lastExportTimeMs: status.lastExportTimeMs ?? null,
    error:
      errorMessage === undefined
        ? null
        : { text: errorMessage, meaning: help?.meaning ?? null, remedy: help?.remedy ?? null }
  }
}

function viewJson({ info, messages, exports }: StreamView, times: StreamTimes, nowMs: number) {
  return {
    name: info.definition.name,
    definition: definitionToWire(info.definition),
    storage: {
      ...info.storageStatus,
      messages,
      oldestTimeMs: times.oldestMs ?? null,
      newestTimeMs: times.newestMs ?? null
    },
    messagesPerSecond: times.rate,
    exports: exports.map((view) => exportJson(view, times, nowMs))
  }
}

const OPTIONS = {
  ...CONNECTION_OPTIONS,
  ...STATUS_OPTIONS,
  json: { type: 'boolean' },
  yaml: { type: 'boolean' }
} as const

/** `describe <stream>`: all about one stream. */
export const describe: Command = {
  name: 'describe',
  usage: '<stream> [--json | --yaml]',
  summary: 'tells all about a stream: definition, sizes, rate, and the lag and last error of each export',
  details: [
    'The rate is that of the last minute. The bytes of a lag are its messages times the mean size of the stored ones.',
    '--json prints one JSON document; --yaml the definition alone, as `create` and `update` take it.',
    'Exit codes: 0, 1 when the server refuses, such as for an unknown stream, 2 without a connection, 64 wrong arguments.',
    ...STATUS_HELP,
    ...CONNECTION_HELP
  ],
  options: OPTIONS,
  takes: 'streams',
  async run(args, surroundings) {
    const { values, positionals } = parseArguments(args, OPTIONS, 1)
    if (values.json === true && values.yaml === true) throw new UsageProblem('--json and --yaml exclude each other')
    return withClient(values, surroundings, async (client) => {
      const { write, clock, columns } = surroundings
      const view = viewStream(await client.describe(positionals[0] ?? ''))
      if (values.yaml === true) {
        write(await definitionToYaml(view.info.definition))
        return EXIT.ok
      }
      const nowMs = clock.wallMs()
      const status = await readStatus(values, surroundings)
      const times = await readTimes(client, view, nowMs)
      write(
        values.json === true
          ? `${toJson({ ...viewJson(view, times, nowMs), live: streamReportOf(status, view.info.definition.name) ?? null, statusMissing: status.missing ?? null }, 2)}\n`
          : describeText(view, times, nowMs, columns, status)
      )
      return EXIT.ok
    })
  }
}
