import { createStream, statusOfStorage } from '../../helpers/stream-calls.ts'
import { WireClient } from '../../helpers/wire-client.ts'
import { fill } from '../exports/appending.ts'
import { runLoad } from '../generator.ts'
import { APPEND_STREAM, makePayload, PAYLOAD_BYTES, type Sample, type Work } from '../job.ts'
import { percentilesUs } from '../load/histogram.ts'
import { settleDisk, startEntrant, streamManager, type RunningServer } from '../servers.ts'
import { median, readable } from '../statistics.ts'
import { GIB, type SpecialScenario, type SpecialSettings } from './special.ts'

/** Parts of the whole at which the cost is measured. */
const STEPS = [0, 0.5, 1]
const STREAM_GIB_MAX = 64
/** The oldest messages, which are read again and again. */
const READ_MESSAGES = 50_000
const READ_BATCH = 100

const APPENDS: Work = { kind: 'append', connections: 4, inFlight: 64, payloadBytes: PAYLOAD_BYTES, streams: 1 }
const READS: Work = { kind: 'read', stream: APPEND_STREAM, batch: READ_BATCH, stored: READ_MESSAGES, isOnePass: false }
const HEADING = [
  'stored GiB',
  'appends/s',
  'p50 µs',
  'p99 µs',
  'CPU µs/append',
  'reads/s, 100 a request',
  'CPU µs/read',
  'peak MiB'
]

async function measure(work: Work, server: RunningServer, settings: SpecialSettings): Promise<Sample[]> {
  const samples: Sample[] = []
  for (let round = 0; round < settings.rounds; round += 1) {
    settleDisk()
    samples.push(
      await runLoad({ ...settings, work, target: { peer: 'stream-manager', port: server.port, pid: server.pid } })
    )
  }
  return samples
}

function rowOf(storedBytes: number, appends: readonly Sample[], reads: readonly Sample[]): string[] {
  const of = (samples: readonly Sample[], value: (sample: Sample) => number): number => median(samples.map(value))
  const rate = ({ messages, seconds }: Sample): number => messages / seconds
  const cpuUs = ({ serverCpuSeconds, messages }: Sample): number => (serverCpuSeconds / messages) * 1e6
  const percentile = (part: number) => (sample: Sample) => percentilesUs(sample.latencies, [part])[0]!
  const peak = Math.max(...[...appends, ...reads].map(({ peakMib }) => peakMib))
  const numbers = [
    of(appends, rate),
    of(appends, percentile(0.5)),
    of(appends, percentile(0.99)),
    of(appends, cpuUs),
    of(reads, rate),
    of(reads, cpuUs),
    peak
  ]
  return [(storedBytes / GIB).toFixed(2), ...numbers.map(readable)]
}

async function run(settings: SpecialSettings): Promise<string[][]> {
  const server = await startEntrant(streamManager())
  try {
    const client = await WireClient.connect({ port: server.port })
    await createStream(client, APPEND_STREAM, { maxSize: STREAM_GIB_MAX * GIB })
    const payload = makePayload()
    // There must be something to read.
    await fill(server.port, APPEND_STREAM, payload, READ_MESSAGES)
    const rows = [HEADING]
    for (const step of STEPS) {
      const { totalBytes } = await statusOfStorage(client, APPEND_STREAM)
      const missing = Math.floor((step * settings.storedGib * GIB - totalBytes) / PAYLOAD_BYTES)
      settings.report(`${readable(step * settings.storedGib)} GiB stored`)
      if (missing > 0) await fill(server.port, APPEND_STREAM, payload, missing)
      const stored = await statusOfStorage(client, APPEND_STREAM)
      const appends = await measure(APPENDS, server, settings)
      rows.push(rowOf(stored.totalBytes, appends, await measure(READS, server, settings)))
    }
    await client.close()
    return rows
  } finally {
    await server.stop()
  }
}

export const growth: SpecialScenario = {
  name: 'growth',
  title: 'Cost per message while a stream grows, 1 KiB',
  note: 'Appends as in the first table. The reads are of the oldest messages.',
  run
}
