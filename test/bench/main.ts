/**
 * Compares the built server with NATS JetStream and Redis Streams on this machine:
 *   npm run bench -- [--seconds N] [--rounds N] [scenario...]
 * The servers take turns in every round; the tables show the medians of all rounds. Exports are measured when they are
 * named, all of them as `exports`, each once:
 *   npm run bench -- [--messages N] [--profiles FOLDER] [exports|scenario...]
 */
import { execFile } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { EXPORT_SCENARIOS } from './exports/scenarios.ts'
import { APPEND_STREAM, type Job, makePayload, type Outcome, PAYLOAD_BYTES, PEERS } from './job.ts'
import { PRELOADED_MESSAGES, READ_STREAM } from './job.ts'
import type { Peer } from './peers/peer.ts'
import { type Scenario, SCENARIOS } from './scenarios.ts'
import { type RunningServer, settleDisk } from './servers.ts'
import { median, readable, table } from './statistics.ts'

const execute = promisify(execFile)

const { values, positionals } = parseArgs({
  options: {
    seconds: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '3' },
    messages: { type: 'string', default: '500000' },
    profiles: { type: 'string' }
  },
  allowPositionals: true
})
const seconds = Number(values.seconds)
const rounds = Number(values.rounds)
if (!(seconds > 0 && rounds >= 1)) throw new Error('--seconds and --rounds must be positive numbers')

async function runLoad(job: Job): Promise<Outcome> {
  const load = join(import.meta.dirname, 'load.ts')
  const { stdout } = await execute(process.execPath, ['--import', 'tsx', load, JSON.stringify(job)])
  // JSON writes NaN, the sign of what was not measured, as null.
  return JSON.parse(stdout, (_key, value: unknown) => value ?? NaN) as Outcome
}

async function prepare(server: RunningServer, scenario: Scenario): Promise<void> {
  const peer: Peer = PEERS[server.name]
  await peer.createStream(server.port, { name: APPEND_STREAM, flush: scenario.flush === true })
  if (scenario.load.kind !== 'read') return
  await peer.createStream(server.port, { name: READ_STREAM, flush: false })
  await peer.preload?.(server.port, READ_STREAM, makePayload(), PRELOADED_MESSAGES)
}

async function runScenario(scenario: Scenario): Promise<Map<string, Outcome[]>> {
  const outcomes = new Map<string, Outcome[]>()
  const record = (name: string, outcome: Outcome): void => {
    outcomes.set(name, [...(outcomes.get(name) ?? []), outcome])
  }
  const servers: RunningServer[] = []
  try {
    for (const candidate of scenario.servers) {
      const starting = candidate.start()
      if (starting === undefined) console.log(`${candidate.name} is not installed and left out.\n`)
      else servers.push(await starting)
    }
    for (const server of servers) await prepare(server, scenario)
    for (let round = 1; round <= rounds; round += 1) {
      for (const { name: peer, port, pid: serverPid } of servers) {
        settleDisk()
        process.stderr.write(`${scenario.name}: round ${round} of ${rounds}, ${peer}\n`)
        record(peer, await runLoad({ ...scenario.load, peer, port, serverPid, seconds }))
      }
      if (scenario.withFdatasync === true) {
        record('one fdatasync per message', await runLoad({ kind: 'fdatasync', folder: tmpdir(), seconds }))
      }
    }
  } finally {
    for (const server of servers) await server.stop()
  }
  return outcomes
}

function show(scenario: Scenario, outcomes: ReadonlyMap<string, readonly Outcome[]>): string {
  const heading = [
    '',
    'messages/s',
    'MB/s',
    'p50 µs',
    'p99 µs',
    'server CPU µs/message',
    'MB per CPU second',
    'RSS MiB'
  ]
  const rows = [...outcomes].map(([name, runs]) => {
    const of = (field: keyof Outcome): number => median(runs.map((run) => run[field]))
    const rate = of('messagesPerSecond')
    const cpuUs = of('cpuPerMessageUs')
    const numbers = [rate, (rate * PAYLOAD_BYTES) / 1e6, of('p50Us'), of('p99Us'), cpuUs, PAYLOAD_BYTES / cpuUs]
    return [name, ...[...numbers, of('residentMib')].map(readable)]
  })
  const note = scenario.note === undefined ? '' : `\n\n${scenario.note}`
  return `### ${scenario.title}\n\n${table([heading, ...rows])}${note}\n`
}

const isChosen = (name: string): boolean => positionals.includes(name)
const chosen = SCENARIOS.filter(({ name }) => positionals.length === 0 || isChosen(name))
const chosenExports = EXPORT_SCENARIOS.filter(({ name }) => isChosen('exports') || isChosen(name))
if (chosen.length + chosenExports.length === 0) {
  throw new Error(`scenarios: exports, ${[...SCENARIOS, ...EXPORT_SCENARIOS].map(({ name }) => name).join(', ')}`)
}
if (chosen.length > 0) {
  console.log(
    `Medians of ${rounds} rounds of ${seconds} s, Node.js ${process.version}, one machine, servers in turns.\n`
  )
}
for (const scenario of chosen) console.log(show(scenario, await runScenario(scenario)))
for (const { title, note, run } of chosenExports) {
  const rows = await run({ messages: Number(values.messages), profiles: values.profiles })
  console.log(`### ${title}\n\n${table(rows)}${note === undefined ? '' : `\n\n${note}`}\n`)
}
