import { tmpdir } from 'node:os'
import { runLoad } from './generator.ts'
import {
  APPEND_STREAM,
  appendStreams,
  type Job,
  makePayload,
  PEERS,
  type PeerName,
  READ_STREAM,
  type Sample,
  type Work
} from './job.ts'
import { percentilesUs } from './load/histogram.ts'
import type { StreamOptions } from './peers/peer.ts'
import { type Entrant, type RunningServer, settleDisk, startEntrant } from './servers.ts'
import { spread, type Spread } from './statistics.ts'

/** A load by its label. */
export interface Load {
  readonly label: string
  readonly work: Work
}

/** Servers that are started together and take turns under the same loads. */
export interface Fleet {
  readonly entrants: readonly Entrant[]
  readonly stream?: Partial<StreamOptions>
  /** Messages stored before reads. */
  readonly stored?: number
  /** Each run begins with a new process and nothing in the page cache. */
  readonly isCold?: boolean
  readonly loads: readonly Load[]
  /** Something without a server, measured in the same turns; by the label that stands for a server's. */
  readonly baseline?: { readonly label: string; readonly load: Load }
  /** A scenario whose only fleet is this one: what was measured of it in the same run is not measured again. */
  readonly sameAs?: string
}

export interface Settings {
  readonly seconds: number
  readonly warmUpSeconds: number
  readonly rounds: number
  /** Without the servers of others. */
  readonly isAlone: boolean
  /** Called with what is about to be done. */
  readonly report: (line: string) => void
}

/** Medians of all rounds, and how far the rounds lie apart. */
export interface Measurement {
  readonly load: string
  readonly server: string
  readonly payloadBytes: number
  readonly rate: Spread
  /** Server CPU time per message, microseconds; undefined without a server. */
  readonly cpuUs: Spread | undefined
  readonly p50Us: number
  readonly p99Us: number
  readonly p999Us: number
  readonly peakMib: number | undefined
  /** CPU time of the busiest load generator per time, 0 to 1 or a little more. */
  readonly generatorShare: number
  /** Messages read beside the appends, per second. */
  readonly besideRate: number | undefined
}

async function prepare({ entrant, port }: RunningServer, fleet: Fleet): Promise<void> {
  const peer = PEERS[entrant.peer]
  const options = { flush: false, inMemory: false, ...fleet.stream }
  const counts = fleet.loads.map(({ work }) => (work.kind === 'append' ? work.streams : 1))
  const names = new Set([APPEND_STREAM, ...counts.flatMap(appendStreams)])
  await peer.createStreams(port, [...names], options)
  if (fleet.stored === undefined) return
  await peer.createStreams(port, [READ_STREAM], options)
  await peer.preload?.(port, READ_STREAM, makePayload(), fleet.stored)
}

const OTHERS: ReadonlySet<string> = new Set<PeerName>(['nats-server', 'redis-server'])

async function startAll(fleet: Fleet, { isAlone, report }: Settings): Promise<RunningServer[]> {
  const servers: RunningServer[] = []
  try {
    for (const entrant of fleet.entrants) {
      if (isAlone && OTHERS.has(entrant.peer)) continue
      const problem = entrant.problem()
      if (problem === undefined) servers.push(await startEntrant(entrant))
      else report(`${entrant.label}: ${problem}, left out`)
    }
    for (const server of servers) await prepare(server, fleet)
    return servers
  } catch (error) {
    for (const server of servers) await server.stop()
    throw error
  }
}

/** Compilers of a server that has just started need longer than the caches of one that had a turn before. */
const FIRST_WARM_UP = 2.5

/** Runs all loads of a fleet in rounds, in which each server has its turn under each load, and gives medians. */
export async function runFleet(fleet: Fleet, settings: Settings): Promise<Measurement[]> {
  const { seconds, warmUpSeconds, rounds, report } = settings
  const samples = new Map<string, { load: Load; server: string; samples: Sample[] }>()
  const run = async (load: Load, server: string, target: Job['target'], isFirst: boolean): Promise<void> => {
    settleDisk()
    report(load.label === '' ? server : `${load.label}, ${server}`)
    const sample = await runLoad({
      work: load.work,
      target,
      seconds,
      warmUpSeconds: warmUpSeconds * (isFirst ? FIRST_WARM_UP : 1)
    })
    const key = JSON.stringify([load.label, server])
    const entry = samples.get(key) ?? { load, server, samples: [] }
    entry.samples.push(sample)
    samples.set(key, entry)
  }
  const servers = await startAll(fleet, settings)
  try {
    for (let round = 0; round < rounds; round += 1) {
      for (const load of fleet.loads) {
        for (const [index, server] of servers.entries()) {
          const ready = fleet.isCold === true ? await server.restartCold() : server
          servers[index] = ready
          await run(
            load,
            ready.entrant.label,
            { peer: ready.entrant.peer, port: ready.port, pid: ready.pid },
            round === 0
          )
        }
      }
      if (fleet.baseline !== undefined) await run(fleet.baseline.load, fleet.baseline.label, undefined, round === 0)
    }
  } finally {
    for (const server of servers) await server.stop()
  }
  return [...samples.values()].map((entry) => measurementOf(entry.load, entry.server, entry.samples))
}

function measurementOf(load: Load, server: string, samples: readonly Sample[]): Measurement {
  const { work } = load
  const of = (value: (sample: Sample) => number): Spread => spread(samples.map(value))
  const percentiles = samples.map(({ latencies }) => percentilesUs(latencies, [0.5, 0.99, 0.999]))
  const percentileAt = (index: number): number => spread(percentiles.map((values) => values[index]!)).median
  const hasServer = work.kind !== 'fdatasync'
  const hasReads = work.kind === 'steady' && work.reads !== undefined
  return {
    load: load.label,
    server,
    payloadBytes: work.kind === 'append' ? work.payloadBytes : makePayload().length,
    rate: of(({ messages, seconds }) => messages / seconds),
    cpuUs: hasServer ? of(({ serverCpuSeconds, messages }) => (serverCpuSeconds / messages) * 1e6) : undefined,
    p50Us: percentileAt(0),
    p99Us: percentileAt(1),
    p999Us: percentileAt(2),
    peakMib: hasServer ? of(({ peakMib }) => peakMib).median : undefined,
    generatorShare: of(({ generatorCpuSeconds, seconds }) => generatorCpuSeconds / seconds).median,
    besideRate: hasReads ? of(({ messagesBeside, seconds }) => messagesBeside / seconds).median : undefined
  }
}

/** The folder in which servers have their data and baselines write. */
export const DATA_FOLDER = tmpdir()
