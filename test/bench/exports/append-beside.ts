import { median, readable, spread } from '../statistics.ts'
import { fill, startSteadyLoad, type AppendLatency } from './appending.ts'
import type { EndpointKind } from './destination.ts'
import { startNeighbour } from './neighbour.ts'
import { batchExport, sleepMs, startScene, untilDurable, type BenchSettings } from './scene.ts'

const STREAM = 'bench-appended'
const EXPORTED_STREAM = 'bench-exported'
export const STEADY_APPENDS_PER_SECOND = 5_000
const WARM_UP_SECONDS = 1
const STEADY_SECONDS = 4

/** What goes on beside the appends. */
interface Beside {
  readonly name: string
  readonly endpoint: EndpointKind
  /** Where another stream is exported to. */
  readonly exportKind?: 'http' | 'kinesis'
  /** Instead of an export, a program that is no part of the server posts to the destination. */
  readonly hasNeighbour?: boolean
}

const BESIDES: readonly Beside[] = [
  { name: 'no export', endpoint: 'http' },
  { name: 'JSON to HTTP at full speed', endpoint: 'http', exportKind: 'http' },
  { name: 'Kinesis at full speed', endpoint: 'kinesis', exportKind: 'kinesis' },
  { name: 'a destination that hangs', endpoint: 'hanging', exportKind: 'http' },
  { name: 'no export, but another program', endpoint: 'http', hasNeighbour: true }
]

/** Latency of appends to one stream beside something else. */
async function appendBeside(beside: Beside, settings: BenchSettings): Promise<AppendLatency> {
  const scene = await startScene(beside.endpoint, settings)
  const neighbour = beside.hasNeighbour === true ? startNeighbour(scene.destination.origin) : undefined
  try {
    const { port } = scene.server
    await scene.createStream(STREAM)
    await scene.createStream(EXPORTED_STREAM)
    await fill(port, EXPORTED_STREAM, scene.payload, settings.messages)
    await untilDurable()
    if (beside.exportKind !== undefined) {
      await scene.update(EXPORTED_STREAM, batchExport(beside.exportKind, scene.destination, false))
    }
    const warmUp = await startSteadyLoad(port, STREAM, scene.payload, STEADY_APPENDS_PER_SECOND)
    await sleepMs(WARM_UP_SECONDS * 1_000)
    await warmUp.stop()
    const before = await scene.destination.received()
    const load = await startSteadyLoad(port, STREAM, scene.payload, STEADY_APPENDS_PER_SECOND)
    await sleepMs(STEADY_SECONDS * 1_000)
    const latency = await load.stop()
    const after = await scene.destination.received()
    checkTraffic(beside, after.records - before.records, after.records >= settings.messages)
    return latency
  } finally {
    await neighbour?.stop()
    await scene.stop()
  }
}

/** A figure counts only if what it was measured beside went on all the time. */
function checkTraffic({ endpoint, exportKind, hasNeighbour }: Beside, records: number, isDrained: boolean): void {
  const isSending = endpoint !== 'hanging' && (exportKind !== undefined || hasNeighbour === true)
  if (isSending && records === 0) throw new Error('nothing arrived at the destination')
  if (isSending && exportKind !== undefined && isDrained) throw new Error('the backlog ended too early')
}

function latencyRow(name: string, rounds: readonly AppendLatency[]): string[] {
  const of = (value: (latency: AppendLatency) => number): string => readable(median(rounds.map(value)))
  const { min, max } = spread(rounds.map(({ p99Us }) => p99Us))
  return [
    name,
    of(({ appends }) => appends),
    of(({ p50Us }) => p50Us),
    of(({ p99Us }) => p99Us),
    `${readable(min)} – ${readable(max)}`,
    of(({ p999Us }) => p999Us),
    of(({ maxUs }) => maxUs)
  ]
}

/** The table of all of them, each of which has its turn in every round; the first row is the heading. */
export async function runAppendBeside(settings: BenchSettings): Promise<string[][]> {
  const latencies = BESIDES.map((): AppendLatency[] => [])
  for (let round = 0; round < settings.rounds; round += 1) {
    for (const [index, beside] of BESIDES.entries()) latencies[index]!.push(await appendBeside(beside, settings))
  }
  return [
    ['', 'appends', 'p50 µs', 'p99 µs', 'of all rounds', 'p99.9 µs', 'max µs'],
    ...BESIDES.map(({ name }, index) => latencyRow(name, latencies[index]!))
  ]
}
