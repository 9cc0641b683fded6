/**
 * What a crowd costs well-behaved clients: `npm run crowd -- [--rounds N] [--cpu] [--bare] [neighbour...]`. One client that waits for each
 * answer and one that sends bursts append and read, alone and beside one neighbour at a time: idle, busy, deaf, slow,
 * greedy ones. Every round has each of them once, so that a slow minute hits all alike. `--cpu` leaves a CPU profile of
 * the server in the current folder. `--bare` has the same beside a server that does nothing but send bytes that it has at
 * hand: what it costs others to share the machine, the kernel and one Node.js thread with a neighbour.
 */
import { type ChildProcess, fork } from 'node:child_process'
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
import { startVictims, type Victims, type Waits } from './crowd/victims.ts'

const TURN_MS = 1_500
/** For a neighbour to come, and to be forgotten. */
const ARRIVAL_MS = 1_000
const DEPARTURE_MS = 200
const ALONE = 'alone'
const RATIO_MAX = 2

/** A server with an ordinary pair of clients and room for neighbours. */
interface Place {
  readonly pid: number
  readonly victims: Victims
  readonly neighbours: ChildProcess
  readonly turns: Map<string, Turn[]>
}

/** What the victims had beside one neighbour in one round. */
interface Turn {
  readonly waits: Waits
  readonly residentMiB: number
  readonly peakMiB: number
}

const { values, positionals } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    cpu: { type: 'boolean', default: false },
    bare: { type: 'boolean', default: false }
  },
  allowPositionals: true
})
const names = positionals.length > 0 ? positionals : Object.keys(NEIGHBOURS)
const unknown = names.find((name) => NEIGHBOURS[name] === undefined)
if (unknown !== undefined)
  throw new Error(`nobody is called ${unknown}; there are ${Object.keys(NEIGHBOURS).join(', ')}`)

const build = await makeOwnBuild()
const profile = values.cpu ? ['--cpu-prof', '--cpu-prof-dir', process.cwd()] : []
const server = await startServer({ bundle: build.path, nodeArguments: profile })

const forkPart = (file: string, ...args: string[]): ChildProcess =>
  fork(join(import.meta.dirname, 'crowd', file), args, { execArgv: ['--import', 'tsx'] })

async function prepare(pid: number, port: number): Promise<Place> {
  await prepareStreams(port)
  const victims = await startVictims(port)
  await victims.measure(TURN_MS)
  const turns = new Map<string, Turn[]>([ALONE, ...names].map((name) => [name, []]))
  return { pid, victims, neighbours: forkPart('neighbour.ts', String(port)), turns }
}

async function takeTurn({ pid, victims, neighbours }: Place, name: string): Promise<Turn> {
  if (name !== ALONE) neighbours.send(name)
  await sleep(ARRIVAL_MS)
  // From here on VmHWM counts anew.
  writeFileSync(`/proc/${pid}/clear_refs`, '5')
  const waits = await victims.measure(TURN_MS)
  const memory = memoryOf(pid)
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

const own = await prepare(server.pid, server.port)
const places = [own]
if (values.bare) {
  const bareServer = forkPart('bare-server.ts')
  const [port] = (await once(bareServer, 'message')) as [number]
  places.push(await prepare(bareServer.pid!, port))
}
for (let round = 0; round < Number(values.rounds); round += 1)
  for (const name of own.turns.keys())
    for (const place of places) place.turns.get(name)!.push(await takeTurn(place, name))

const kinds = ['synchronous', 'pipelined'] as const
const middle = ({ turns }: Place, name: string, kind: keyof Waits, part: number): number =>
  median(turns.get(name)!.map(({ waits }) => percentileOf(waits[kind], part)))
const ratioOf = (name: string, kind: keyof Waits): number =>
  middle(own, name, kind, 0.99) / middle(own, ALONE, kind, 0.99)

const rows = [...own.turns].map(([name, known]) => {
  const figures = kinds.flatMap((kind) => [
    readable(middle(own, name, kind, 0.5)),
    readable(middle(own, name, kind, 0.99)),
    `${ratioOf(name, kind).toFixed(2)} ×`,
    readable(middle(own, name, kind, 1)),
    ...places.slice(1).map((bare) => readable(middle(bare, name, kind, 0.99)))
  ])
  const peaks = known.map(({ peakMiB }) => peakMiB)
  return [NEIGHBOURS[name]?.title ?? ALONE, ...figures, `${peaks[0]} to ${peaks.at(-1)}`]
})
const columns = kinds.flatMap((kind) => [
  `${kind} p50 ms`,
  'p99 ms',
  'to alone',
  'max ms',
  ...places.slice(1).map(() => 'bare p99 ms')
])
console.log(table([['beside', ...columns, 'peak MiB, first to last round'], ...rows]))
for (const name of names) {
  const worst = Math.max(...kinds.map((kind) => ratioOf(name, kind)))
  if (worst > RATIO_MAX) console.log(`${name}: the p99 is ${worst.toFixed(2)} times that of clients alone`)
}
for (const { neighbours, victims } of places) {
  neighbours.disconnect()
  await victims.close()
}
if (values.cpu) await server.kill('SIGTERM')
await server.dispose()
build.remove()
process.exit(0)
