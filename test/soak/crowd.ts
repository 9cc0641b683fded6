/**
 * What a crowd costs well-behaved clients: `npm run crowd -- [--rounds N] [--cpu] [neighbour...]`. One client that waits for each
 * answer and one that sends bursts append and read, alone and beside one neighbour at a time: idle, busy, deaf, slow,
 * greedy ones. Every round has each of them once, so that a slow minute hits all alike. `--cpu` leaves a CPU profile of
 * the server in the current folder.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { median, readable, table } from '../bench/statistics.ts'
import { makeOwnBuild } from '../helpers/own-build.ts'
import { memoryOf } from '../helpers/process-memory.ts'
import { startServer } from '../helpers/server-process.ts'
import { NEIGHBOURS, prepareStreams } from './crowd/neighbours.ts'
import { startVictims, type Waits } from './crowd/victims.ts'

const TURN_MS = 1_500
/** For a neighbour to come, and to be forgotten. */
const ARRIVAL_MS = 1_000
const DEPARTURE_MS = 200
const ALONE = 'alone'
const RATIO_MAX = 2

/** What the victims had beside one neighbour in one round. */
interface Turn {
  readonly waits: Waits
  readonly residentMiB: number
  readonly peakMiB: number
}

const { values, positionals } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, cpu: { type: 'boolean', default: false } },
  allowPositionals: true
})
const names = positionals.length > 0 ? positionals : Object.keys(NEIGHBOURS)
const unknown = names.find((name) => NEIGHBOURS[name] === undefined)
if (unknown !== undefined)
  throw new Error(`nobody is called ${unknown}; there are ${Object.keys(NEIGHBOURS).join(', ')}`)

const build = await makeOwnBuild()
const profile = values.cpu ? ['--cpu-prof', '--cpu-prof-dir', process.cwd()] : []
const server = await startServer({ bundle: build.path, nodeArguments: profile })
await prepareStreams(server.port)
const victims = await startVictims(server.port)
const neighbours = fork(join(import.meta.dirname, 'crowd', 'neighbour.ts'), [String(server.port)], {
  execArgv: ['--import', 'tsx']
})

async function takeTurn(name: string): Promise<Turn> {
  if (name !== ALONE) neighbours.send(name)
  await sleep(ARRIVAL_MS)
  // From here on VmHWM counts anew.
  writeFileSync(`/proc/${server.pid}/clear_refs`, '5')
  const waits = await victims.measure(TURN_MS)
  const memory = memoryOf(server.pid)
  if (name !== ALONE) {
    const gone = once(neighbours, 'message')
    neighbours.send('')
    await gone
  }
  await sleep(DEPARTURE_MS)
  return { waits, ...memory }
}

function percentileOf(waits: readonly number[], part: number): number {
  return (
    waits.toSorted((left, right) => left - right)[Math.min(waits.length - 1, Math.floor(waits.length * part))] ?? NaN
  )
}

const turns = new Map<string, Turn[]>([ALONE, ...names].map((name) => [name, []]))
await victims.measure(TURN_MS)
for (let round = 0; round < Number(values.rounds); round += 1)
  for (const [name, known] of turns) known.push(await takeTurn(name))

const kinds = ['synchronous', 'pipelined'] as const
const middle = (name: string, kind: keyof Waits, part: number): number =>
  median(turns.get(name)!.map(({ waits }) => percentileOf(waits[kind], part)))
const ratioOf = (name: string, kind: keyof Waits): number => middle(name, kind, 0.99) / middle(ALONE, kind, 0.99)

const rows = [...turns].map(([name, known]) => {
  const figures = kinds.flatMap((kind) => [
    readable(middle(name, kind, 0.5)),
    readable(middle(name, kind, 0.99)),
    `${ratioOf(name, kind).toFixed(2)} ×`,
    readable(middle(name, kind, 1))
  ])
  const peaks = known.map(({ peakMiB }) => peakMiB)
  return [NEIGHBOURS[name]?.title ?? ALONE, ...figures, `${peaks[0]} to ${peaks.at(-1)}`]
})
const columns = kinds.flatMap((kind) => [`${kind} p50 ms`, 'p99 ms', 'to alone', 'max ms'])
console.log(table([['beside', ...columns, 'peak MiB, first to last round'], ...rows]))
for (const name of names) {
  const worst = Math.max(...kinds.map((kind) => ratioOf(name, kind)))
  if (worst > RATIO_MAX) console.log(`${name}: the p99 is ${worst.toFixed(2)} times that of clients alone`)
}
neighbours.disconnect()
await victims.close()
if (values.cpu) await server.kill('SIGTERM')
await server.dispose()
build.remove()
process.exit(0)
