import { DROP_CAUSES } from '../export/index.ts'
import { REMOVAL_CAUSES } from '../model/removal.ts'
import type { MetricFamily, Series } from './exposition.ts'
import type { ExportReport, StatusReport, StreamReport } from './report.ts'

/** A metric before its values; docs/monitoring.md has all of them. */
interface Metric {
  readonly name: string
  readonly type: MetricFamily['type']
  readonly help: string
  readonly series: (report: StatusReport) => Iterable<Series>
}

const one =
  (value: (report: StatusReport) => number): Metric['series'] =>
  (report) => [{ labels: {}, value: value(report) }]

const ofStreams = (value: (stream: StreamReport) => number): Metric['series'] =>
  function* ({ streams }) {
    for (const stream of streams) yield { labels: { stream: stream.name }, value: value(stream) }
  }

/** Values by further labels; those that are null are left out. */
const ofExports = (
  values: (item: ExportReport) => Iterable<readonly [value: number | null, labels?: Series['labels']]>
): Metric['series'] =>
  function* ({ streams }) {
    for (const { name, exports } of streams)
      for (const item of exports)
        for (const [value, labels = {}] of values(item))
          if (value !== null)
            yield { labels: { stream: name, export: item.identifier, kind: item.kind, ...labels }, value }
  }

const ofExport = (value: (item: ExportReport) => number | null): Metric['series'] =>
  ofExports((item) => [[value(item)]])

/** Of the process. */
const PROCESS_METRICS: readonly Metric[] = [
  {
    name: 'stream_manager_info',
    type: 'gauge',
    help: 'Always 1; version of the server and of Node.js',
    series: ({ process }) => [{ labels: { version: process.version, node: process.nodeVersion }, value: 1 }]
  },
  {
    name: 'process_start_time_seconds',
    type: 'gauge',
    help: 'Start of the process, seconds since the epoch',
    series: one(({ timeMs, process }) => Math.round(timeMs / 1_000 - process.uptimeSeconds))
  },
  {
    name: 'process_resident_memory_bytes',
    type: 'gauge',
    help: 'Memory of the process that is in RAM',
    series: one(({ process }) => process.residentBytes)
  },
  {
    name: 'process_cpu_seconds_total',
    type: 'counter',
    help: 'Processor time of all threads',
    series: one(({ process }) => process.cpuSeconds)
  },
  {
    name: 'stream_manager_event_loop_delay_p99_seconds',
    type: 'gauge',
    help: 'Lateness of the event loop that one turn in a hundred exceeded, over the last minute or less',
    series: one(({ process }) => process.eventLoopDelaySeconds.p99)
  },
  {
    name: 'stream_manager_event_loop_delay_max_seconds',
    type: 'gauge',
    help: 'Greatest lateness of the event loop over the last minute or less',
    series: one(({ process }) => process.eventLoopDelaySeconds.max)
  },
  {
    name: 'stream_manager_connections',
    type: 'gauge',
    help: 'Open connections of clients',
    series: one(({ process }) => process.connections)
  },
  {
    name: 'stream_manager_health',
    type: 'gauge',
    help: '1 for the present status of the server, 0 for the others',
    series: ({ health }) =>
      ['ok', 'degraded', 'failing'].map((status) => ({ labels: { status }, value: health.status === status ? 1 : 0 }))
  },
  {
    name: 'stream_manager_streams',
    type: 'gauge',
    help: 'Streams, those that cannot be opened included',
    series: one(({ streams, unopened, omitted }) => streams.length + unopened.length + omitted.streams)
  },
  {
    name: 'stream_manager_streams_unopened',
    type: 'gauge',
    help: 'Streams that cannot be opened',
    series: one(({ unopened }) => unopened.length)
  },
  {
    name: 'stream_manager_streams_omitted',
    type: 'gauge',
    help: 'Streams without series of their own, because there are too many',
    series: one(({ omitted }) => omitted.streams)
  },
  {
    name: 'stream_manager_exports_omitted',
    type: 'gauge',
    help: 'Exports of listed streams without series of their own, because there are too many',
    series: one(({ omitted }) => omitted.exports)
  }
]

/** Of each stream. */
const STREAM_METRICS: readonly Metric[] = [
  {
    name: 'stream_manager_stream_appended_messages_total',
    type: 'counter',
    help: 'Sequence numbers given since the stream was made',
    series: ofStreams((stream) => stream.nextSequenceNumber)
  },
  {
    name: 'stream_manager_stream_appended_bytes_total',
    type: 'counter',
    help: 'Record bytes appended since the start of the server, those that were stored then included',
    series: ofStreams((stream) => stream.appendedBytes)
  },
  {
    name: 'stream_manager_stream_stored_messages',
    type: 'gauge',
    help: 'Sequence numbers from the oldest stored message on',
    series: ofStreams((stream) => stream.storedMessages)
  },
  {
    name: 'stream_manager_stream_stored_bytes',
    type: 'gauge',
    help: 'Record bytes that are stored, the measure of maxSize',
    series: ofStreams((stream) => stream.storedBytes)
  },
  {
    name: 'stream_manager_stream_max_bytes',
    type: 'gauge',
    help: 'maxSize of the stream',
    series: ofStreams((stream) => stream.definition.maxSizeBytes)
  },
  {
    name: 'stream_manager_stream_removed_messages_total',
    type: 'counter',
    help: 'Messages that retention has removed since the stream was made, exported or not',
    series: function* ({ streams }) {
      for (const { name, removed } of streams)
        for (const cause of REMOVAL_CAUSES) yield { labels: { stream: name, cause }, value: removed[cause] }
    }
  },
  {
    name: 'stream_manager_stream_appends_failing',
    type: 'gauge',
    help: '1 when the last append has failed in the store',
    series: ofStreams((stream) => (stream.appendProblem === null ? 0 : 1))
  }
]

/** Of each export. */
const EXPORT_METRICS: readonly Metric[] = [
  {
    name: 'stream_manager_export_messages',
    type: 'gauge',
    help: 'What became of the messages of the present account; the fates add up to all that the stream was given since its origin',
    series: ofExports(({ account: { exported, skipped, dropped, waiting } }) => [
      [exported, { fate: 'exported' }],
      [skipped, { fate: 'skipped' }],
      ...DROP_CAUSES.map((cause) => [dropped[cause], { fate: cause }] as const),
      [waiting, { fate: 'waiting' }]
    ])
  },
  {
    name: 'stream_manager_export_origin_sequence_number',
    type: 'gauge',
    help: 'First sequence number of the present account',
    series: ofExport(({ account }) => account.origin)
  },
  {
    name: 'stream_manager_export_replays_total',
    type: 'counter',
    help: 'How often a changed startSequenceNumber sent the export back and opened a new account',
    series: ofExport(({ account }) => account.replays)
  },
  {
    name: 'stream_manager_export_exported_messages_total',
    type: 'counter',
    help: 'Messages accepted by the destination, repetitions included',
    series: ofExport((item) => item.exportedMessages)
  },
  {
    name: 'stream_manager_export_exported_bytes_total',
    type: 'counter',
    help: 'Payload bytes, or file bytes of S3 tasks, accepted by the destination, repetitions included',
    series: ofExport((item) => item.exportedBytes)
  },
  {
    name: 'stream_manager_export_waiting_bytes',
    type: 'gauge',
    help: 'Record bytes that wait for export, estimated',
    series: ofExport(({ lag }) => lag.bytes)
  },
  {
    name: 'stream_manager_export_lag_seconds',
    type: 'gauge',
    help: 'Age of the oldest waiting message, 0 when none waits; absent when it cannot be read',
    series: ofExport(({ lag }) => lag.seconds)
  },
  {
    name: 'stream_manager_export_failed_attempts',
    type: 'gauge',
    help: 'Failed attempts since the last success',
    series: ofExport((item) => item.failedAttempts)
  },
  {
    name: 'stream_manager_export_last_attempt_timestamp_seconds',
    type: 'gauge',
    help: 'Time of the last attempt, seconds since the epoch; absent before the first',
    series: ofExport(({ lastAttemptMs }) => (lastAttemptMs === null ? null : lastAttemptMs / 1_000))
  },
  {
    name: 'stream_manager_export_next_attempt_timestamp_seconds',
    type: 'gauge',
    help: 'Time of the next attempt, seconds since the epoch; only after a failure or while the destination wants a pause',
    series: ofExport(({ nextAttemptMs }) => (nextAttemptMs === null ? null : nextAttemptMs / 1_000))
  },
  {
    name: 'stream_manager_export_activity',
    type: 'gauge',
    help: 'Always 1; the label says what the export is doing',
    series: ofExports((item) => [[1, { activity: item.activity }]])
  }
]

export const METRICS = [...PROCESS_METRICS, ...STREAM_METRICS, ...EXPORT_METRICS]

/** Computes each series when it is asked for. */
export function* metricFamilies(report: StatusReport): Generator<MetricFamily> {
  for (const { name, type, help, series } of METRICS) yield { name, type, help, series: series(report) }
}
