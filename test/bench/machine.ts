import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, release, tmpdir, totalmem } from 'node:os'
import { dirname, join } from 'node:path'
import { findProgram, versionOf } from './servers.ts'

/** Where and with what was measured. */
export interface Machine {
  /** UTC, year to day. */
  readonly date: string
  readonly processor: string
  readonly cores: number
  readonly memoryGib: number
  readonly system: string
  /** File system of the data. */
  readonly fileSystem: string
  readonly node: string
  readonly streamManager: string
  /** Versions of the other servers; undefined when not installed. */
  readonly nats: string | undefined
  readonly redis: string | undefined
}

const ROOT = dirname(dirname(import.meta.dirname))
const GIB = 1024 ** 3

function outputOf(program: string, ...parameters: readonly string[]): string {
  try {
    return execFileSync(program, parameters, {
      encoding: 'utf8',
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'ignore']
    }).trim()
  } catch {
    return 'unknown'
  }
}

function distribution(): string {
  const text = readFileSync('/etc/os-release', 'utf8')
  return /^PRETTY_NAME="?([^"\n]*)/m.exec(text)?.[1] ?? 'Linux'
}

function ownVersion(): string {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { readonly version: string }
  return `${version} (commit ${outputOf('git', 'rev-parse', '--short', 'HEAD')})`
}

export function describeMachine(now: Date): Machine {
  const processors = cpus()
  return {
    date: now.toISOString().slice(0, 10),
    processor: (processors[0]?.model ?? 'unknown').trim(),
    cores: processors.length,
    memoryGib: Math.round(totalmem() / GIB),
    system: `${distribution()}, Linux ${release()}`,
    fileSystem: outputOf('stat', '--file-system', '--format=%T', tmpdir()),
    node: process.version,
    streamManager: ownVersion(),
    nats: versionOf('nats-server')?.join('.'),
    redis: versionOf('redis-server')?.join('.')
  }
}

/** Debian's packages of the programs to compare with. */
const PACKAGES: readonly string[] = ['nats-server', 'redis-server']

/** Installs what is missing from Debian, without starting services. @throws Error when that is not possible */
export function installPeers(): void {
  const missing = PACKAGES.filter((name) => findProgram(name) === undefined)
  if (missing.length === 0) return
  if (process.getuid?.() !== 0) throw new Error(`only root can install: sudo apt-get install ${missing.join(' ')}`)
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  const run = (...parameters: readonly string[]): void => {
    execFileSync('apt-get', parameters, { stdio: ['ignore', 'ignore', 'inherit'], env: environment })
  }
  run('update', '--quiet')
  run('install', '--quiet', '--yes', '--no-install-recommends', ...missing)
}
