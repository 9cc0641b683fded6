/** Chooses and runs the checks and test suites: see scripts/test. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findBrowser } from '../test/helpers/chromium.ts'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
/** A test file that hangs fails after this time. */
const FILE_TIMEOUT_MS = 600_000
const FILES_AT_A_TIME = 2

/** Each counts as one test. */
const CHECKS = {
  types: ['node_modules/typescript/bin/tsc'],
  lint: ['node_modules/eslint/bin/eslint.js', '--max-warnings=0', '.'],
  format: ['node_modules/prettier/bin/prettier.cjs', '--check', '--log-level=warn', '.'],
  build: ['--import', 'tsx', 'scripts/build.ts']
} as const

/** Suites by name, in running order: a folder of test/, or one file. Others run only when they are named. */
const SUITES = ['unit', 'contract', 'property', 'fuzz', 'tidy', 'docs', 'integration', 'bundle', 'crash', 'browser']
/** Suites that run the built bundle. */
const NEED_BUILD: ReadonlySet<string> = new Set(['integration', 'bundle', 'crash', 'smoke', 'browser'])

interface Count {
  readonly passed: number
  readonly failed: number
}

function runCheck(name: keyof typeof CHECKS): Count {
  console.log(`\n== ${name}`)
  const run = spawnSync(process.execPath, CHECKS[name], { cwd: ROOT, stdio: 'inherit' })
  return run.status === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 }
}

/** Test files of a suite, sorted: Node.js 20 expands no patterns. */
function filesOf(suite: string): string[] {
  const file = join('test', `${suite}.test.ts`)
  if (existsSync(join(ROOT, file))) return [file]
  const folder = join('test', suite)
  if (!existsSync(join(ROOT, folder))) return []
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.ts'))
    .map((path) => join(folder, path))
    .sort()
}

/** The closing summary of a TAP report. The last line of each name counts: tests may print such lines too. */
function readSummary(tap: string): Readonly<Record<string, number>> {
  const lines = tap.matchAll(/^# (tests|pass|fail|cancelled|skipped|todo) (\d+)$/gm)
  return Object.fromEntries([...lines].map(([, name = '', count]) => [name, Number(count)] as const))
}

function runSuite(suite: string, files: readonly string[], reportFile: string): Count {
  console.log(`\n== ${suite}: ${files.length} ${files.length === 1 ? 'file' : 'files'}`)
  const reporters = ['--test-reporter=spec', '--test-reporter-destination=stdout']
  reporters.push('--test-reporter=tap', `--test-reporter-destination=${reportFile}`)
  const limits = [`--test-concurrency=${FILES_AT_A_TIME}`, `--test-timeout=${FILE_TIMEOUT_MS}`]
  const run = spawnSync(process.execPath, ['--import', 'tsx', '--test', ...limits, ...reporters, ...files], {
    cwd: ROOT,
    stdio: 'inherit'
  })
  const summary = existsSync(reportFile) ? readSummary(readFileSync(reportFile, 'utf8')) : {}
  const passed = summary['pass'] ?? 0
  const failed = (summary['fail'] ?? 0) + (summary['cancelled'] ?? 0)
  const uncounted = failed === 0 && (run.status !== 0 || passed === 0)
  if (uncounted) console.log(`${suite}: no test ran, or the run broke off (exit status ${String(run.status)})`)
  return { passed, failed: uncounted ? 1 : failed }
}

function isCheck(name: string): name is keyof typeof CHECKS {
  return name in CHECKS
}

function runAll(names: readonly string[]): Count[] {
  const chosen = names.length === 0 ? [...Object.keys(CHECKS), ...SUITES] : names
  const counts: Count[] = []
  const folder = mkdtempSync(join(tmpdir(), 'test-report-'))
  let built = false
  for (const name of chosen) {
    if (name === 'browser' && names.length === 0 && findBrowser() === undefined) {
      console.log('\n== browser: left out, Chromium is not installed (apt-get install chromium)')
      continue
    }
    if (isCheck(name)) {
      counts.push(runCheck(name))
      built ||= name === 'build'
      continue
    }
    const files = filesOf(name)
    if (files.length === 0) {
      console.log(`\n== ${name}: no test files`)
      if (names.length > 0) counts.push({ passed: 0, failed: 1 })
      continue
    }
    if (NEED_BUILD.has(name) && !built) {
      counts.push(runCheck('build'))
      built = true
    }
    counts.push(runSuite(name, files, join(folder, `${name}.tap`)))
  }
  rmSync(folder, { recursive: true })
  return counts
}

const counts = runAll(process.argv.slice(2))
const passed = counts.reduce((sum, count) => sum + count.passed, 0)
const failed = counts.reduce((sum, count) => sum + count.failed, 0)
console.log(`\n${passed} passed, ${failed} failed`)
process.exitCode = failed > 0 || passed === 0 ? 1 : 0
