/**
 * Long runs of the kill tests, on a build of their own:
 *
 *     npm run kill -- [--cycles N] [--seed S] [kill | kill-export | catalogue-kill…]
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { makeOwnBuild } from '../helpers/own-build.ts'

const TESTS = ['kill', 'kill-export', 'catalogue-kill']

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { cycles: { type: 'string', default: '1000' }, seed: { type: 'string' } }
})
const unknown = positionals.filter((name) => !TESTS.includes(name))
if (unknown.length > 0) throw new Error(`unknown tests: ${unknown.join(', ')}; there are ${TESTS.join(', ')}`)

const chosen = positionals.length === 0 ? TESTS : positionals
const files = chosen.map((name) => join(import.meta.dirname, `${name}.test.ts`))
const build = await makeOwnBuild()
const started = performance.now()
const { status } = spawnSync(
  process.execPath,
  ['--import', 'tsx', '--test', '--test-concurrency=2', '--test-reporter=spec', ...files],
  {
    stdio: 'inherit',
    env: {
      ...process.env,
      STREAM_MANAGER_TEST_BUNDLE: build.path,
      STREAM_MANAGER_KILL_CYCLES: values.cycles,
      CATALOGUE_KILL_CYCLES: values.cycles,
      ...(values.seed === undefined ? {} : { STREAM_MANAGER_TEST_SEED: values.seed })
    }
  }
)
build.remove()
console.log(`${values.cycles} cycles in ${Math.round((performance.now() - started) / 60_000)} minutes`)
process.exitCode = status ?? 1
