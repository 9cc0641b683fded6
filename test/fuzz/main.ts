/**
 * Long random runs:
 *
 *     npm run fuzz -- [--minutes N | --count N] [--seed S] [target…]   targets one after another, in equal shares of the time
 *     npm run fuzz -- --guided …                                       the same, but inputs that reach new code are changed further
 *     npm run fuzz -- --input FILE target                              one input again, from a file in hexadecimal
 *     npm run fuzz -- mutations [name…]                                deliberate bugs, which the tests have to catch
 */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { fuzzGuided } from './guided.ts'
import { runMutations } from './mutations/run.ts'
import { describeFinding, fuzz, type FuzzOptions, type FuzzReport } from './runner.ts'
import type { FuzzTarget } from './target.ts'
import { createTargets } from './targets/index.ts'
import { startWatchdog } from './watchdog.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: 'string' },
    count: { type: 'string' },
    seed: { type: 'string' },
    input: { type: 'string' },
    guided: { type: 'boolean', default: false }
  }
})

function chosenTargets(): FuzzTarget[] {
  const targets = createTargets()
  const names = targets.map(({ name }) => name)
  const unknown = positionals.filter((name) => !names.includes(name))
  if (unknown.length > 0) throw new Error(`unknown targets: ${unknown.join(', ')}; there are ${names.join(', ')}`)
  return positionals.length === 0 ? targets : targets.filter(({ name }) => positionals.includes(name))
}

function printReport({ target, inputs, elapsedMs, slowestMs, finding }: FuzzReport): void {
  const perSecond = Math.round((inputs / elapsedMs) * 1_000)
  const memory = Math.round(process.memoryUsage.rss() / 1024 / 1024)
  const figures = `${inputs} inputs, ${perSecond}/s, slowest ${Math.round(slowestMs)} ms, ${memory} MiB`
  console.log(`${target.padEnd(14)} ${figures}${finding === undefined ? '' : ', one fails'}`)
  if (finding !== undefined) console.log(`\n${describeFinding(finding)}\n`)
}

async function runGuided(target: FuzzTarget, options: FuzzOptions): Promise<FuzzReport> {
  const report = await fuzzGuided(target, options)
  console.log(`${target.name.padEnd(14)} ${report.functionCount} functions reached, ${report.kept.length} inputs kept`)
  return report
}

async function replay(file: string): Promise<void> {
  const [target, ...others] = chosenTargets()
  if (target === undefined || others.length > 0) throw new Error('--input needs one target')
  await target.run(Buffer.from(readFileSync(file, 'utf8').trim(), 'hex'))
  await target.close?.()
  console.log(`${target.name}: the input does no harm`)
}

async function run(): Promise<boolean> {
  const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(values.seed)
  const targets = chosenTargets()
  const watchdog = startWatchdog()
  const minutes = values.minutes === undefined ? undefined : Number(values.minutes)
  console.log(`seed ${seed}, ${targets.length} targets${minutes === undefined ? '' : `, ${minutes} minutes`}`)
  let isClean = true
  for (const target of targets) {
    const limits =
      values.count !== undefined
        ? { scale: Number(values.count) / target.inputCount }
        : minutes === undefined
          ? {}
          : { msPerTarget: (minutes * 60_000) / targets.length }
    const options = { seed, watch: watchdog.watch, ...limits }
    const report = values.guided ? await runGuided(target, options) : await fuzz(target, options)
    await target.close?.()
    printReport(report)
    isClean &&= report.finding === undefined
  }
  await watchdog.stop()
  return isClean
}

if (positionals[0] === 'mutations') process.exitCode = (await runMutations(positionals.slice(1))) ? 0 : 1
else if (values.input !== undefined) await replay(values.input)
else process.exitCode = (await run()) ? 0 : 1
