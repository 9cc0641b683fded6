/**
 * Compares the built server with NATS JetStream and Redis Streams on this machine, and measures what only it has.
 * `npm run bench -- --help` tells how; docs/performance.md what is measured and how.
 */
import { describeMachine, installPeers } from './machine.ts'
import { type Options, parseOptions, USAGE } from './options.ts'
import { resultTable } from './report/page.ts'
import { writeReport } from './report/write.ts'
import { mergeResults, readResults, type ScenarioResult, writeResults } from './results.ts'
import { chooseScenarios, makeSuite } from './suite.ts'

/** When this part of the time is over, the rest is measured in one round only. */
const LATE_PART = 0.75

/** What one scenario meets must not cost the results of the others. */
async function attempt(run: () => Promise<ScenarioResult>): Promise<ScenarioResult | undefined> {
  try {
    return await run()
  } catch (error) {
    console.error(error)
    process.exitCode = 1
    return undefined
  }
}

async function measure(options: Options): Promise<void> {
  if (options.install) installPeers()
  const machine = describeMachine(new Date())
  for (const [name, version] of [
    ['nats-server', machine.nats],
    ['redis-server', machine.redis]
  ] as const) {
    if (version === undefined && !options.isAlone)
      console.log(`${name} is not installed and left out; --install fetches it from Debian.`)
  }
  const results: ScenarioResult[] = []
  const startMs = performance.now()
  const report = (line: string): void => {
    const seconds = Math.round((performance.now() - startMs) / 1000)
    process.stderr.write(`${String(seconds).padStart(5)} s  ${line}\n`)
  }
  for (const scenario of chooseScenarios(options)) {
    report(`== ${scenario.name}`)
    const isLate = performance.now() - startMs > options.minutes * 60_000 * LATE_PART
    const result = await attempt(() => scenario.run(isLate ? { ...options, rounds: 1 } : options, report, results))
    if (result === undefined) continue
    const note = result.note === undefined ? '' : `\n\n${result.note}`
    console.log(`### ${result.title}\n\n${resultTable(result)}${note}\n\n${result.method}\n`)
    results.push(result)
  }
  if (!options.write) return
  const order = makeSuite(options).map(({ name }) => name)
  const merged = mergeResults(readResults(), machine, results, order)
  await writeResults(merged)
  await writeReport(merged)
}

const options = parseOptions(process.argv.slice(2))
if (options === undefined) console.log(USAGE)
else if (options.render) await writeReport(readResults())
else await measure(options)
