import { PAYLOAD_BYTES } from '../job.ts'
import { readable } from '../statistics.ts'
import { runAppendBeside, STEADY_APPENDS_PER_SECOND } from './append-beside.ts'
import { fill, startSteadyLoad } from './appending.ts'
import { batchExport, type BenchSettings, measureExport, type Measured, startScene, untilDurable } from './scene.ts'
import { runUpload } from './upload.ts'

/** One table. */
export interface ExportScenario {
  readonly name: string
  readonly title: string
  readonly note?: string
  /** Whether the scenario has rounds; otherwise all is measured once. */
  readonly hasRounds?: boolean
  /** The first row is the heading. */
  run(settings: BenchSettings): Promise<string[][]>
}

const STREAM = 'bench-export'
/** Compilers and connections settle while this part of the backlog is sent. */
const WARM_UP_PART = 0.2

const EXPORT_HEADING = [
  '',
  'records/s',
  'payload MB/s',
  'main µs/record',
  'worker µs/record',
  'rest µs/record',
  'peak RSS MiB'
]

function exportRow(name: string, { seconds, records, cpu, peakMib }: Measured): string[] {
  const perRecord = (cpuSeconds: number): number => (cpuSeconds / records) * 1e6
  const rate = records / seconds
  const numbers = [rate, (rate * PAYLOAD_BYTES) / 1e6, perRecord(cpu.main), perRecord(cpu.worker), perRecord(cpu.rest)]
  return [name, ...[...numbers, peakMib].map(readable)]
}

/** Sends backlogs as fast as it goes, with appends to the first of them or without. */
async function drain(kind: 'kinesis' | 'http', settings: BenchSettings, shape: DrainShape): Promise<Measured> {
  const scene = await startScene(kind, settings)
  try {
    const { port } = scene.server
    const names = Array.from({ length: shape.exports }, (_, index) => `${STREAM}-${index}`)
    const perStream = Math.ceil(settings.messages / names.length)
    for (const name of names) {
      await scene.createStream(name, batchExport(kind, scene.destination, true))
      await fill(port, name, scene.payload, perStream)
    }
    await untilDurable()
    const { appendsPerSecond = 0 } = shape
    const load =
      appendsPerSecond === 0 ? undefined : await startSteadyLoad(port, `${STREAM}-0`, scene.payload, appendsPerSecond)
    for (const name of names) await scene.update(name, batchExport(kind, scene.destination, false))
    const measured = await measureExport(
      scene,
      ({ records }) => records >= settings.messages * WARM_UP_PART,
      ({ records }) => records >= settings.messages
    )
    await load?.stop()
    return measured
  } finally {
    await scene.stop()
  }
}

interface DrainShape {
  /** Streams with one export each, which share the messages. */
  readonly exports: number
  readonly appendsPerSecond?: number
}

async function runDrains(kind: 'kinesis' | 'http', settings: BenchSettings): Promise<string[][]> {
  return [
    EXPORT_HEADING,
    exportRow('one export', await drain(kind, settings, { exports: 1 })),
    exportRow('four exports', await drain(kind, settings, { exports: 4 }))
  ]
}

async function runBacklog(settings: BenchSettings): Promise<string[][]> {
  const shape = { exports: 1, appendsPerSecond: STEADY_APPENDS_PER_SECOND }
  return [EXPORT_HEADING, exportRow('one export', await drain('kinesis', settings, shape))]
}

export const EXPORT_SCENARIOS: readonly ExportScenario[] = [
  {
    name: 'export-kinesis',
    title: 'A backlog to Kinesis, 1 KiB, 500 records a request',
    note: 'An export has one request under way. The columns are CPU time of the main thread, the exporter worker, all others.',
    run: (settings) => runDrains('kinesis', settings)
  },
  {
    name: 'export-http',
    title: 'A backlog to HTTP as JSON arrays, 1 KiB, 500 records a request',
    run: (settings) => runDrains('http', settings)
  },
  {
    name: 'export-backlog',
    title: `A backlog to Kinesis while ${STEADY_APPENDS_PER_SECOND} messages/s are appended to the same stream`,
    run: runBacklog
  },
  {
    name: 'append-while-exporting',
    title: `${STEADY_APPENDS_PER_SECOND} appends/s to one stream while another one is exported`,
    note: 'Clients and server share the cores of this machine; the destination takes what they leave. The other program of the last row is no part of the server: it reads records from a file, encodes them and posts them, one request after the other. What it costs the appends is the price of sharing the cores.',
    hasRounds: true,
    run: runAppendBeside
  },
  {
    name: 'export-s3',
    title: 'A file of 1 GiB to S3 in parts of 5 MiB',
    note: 'SHA-256 and cp of the same file, which lies in the page cache, for comparison.',
    run: runUpload
  }
]
