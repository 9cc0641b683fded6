import { type ChildProcess, execFileSync, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { startServer } from '../helpers/server-process.ts'
import { PAYLOAD_BYTES, type PeerName } from './job.ts'
import { slowSyncEnvironment, slowSyncProblem } from './slow-sync.ts'

/** A server to measure, by the label that tables show. */
export interface Entrant {
  readonly label: string
  readonly peer: PeerName
  /** Why it cannot run here; undefined when it can. */
  readonly problem: () => string | undefined
  readonly launch: (folder: string) => Promise<LaunchedProcess>
}

interface LaunchedProcess {
  readonly port: number
  readonly pid: number
  end(signal: NodeJS.Signals): Promise<void>
}

/** A running server on loopback with its data in a temporary folder. */
export interface RunningServer {
  readonly entrant: Entrant
  readonly folder: string
  readonly port: number
  readonly pid: number
  /** Stops it in order and starts it again over the same data, which is not in the page cache any more. */
  restartCold(): Promise<RunningServer>
  /** Ends it and removes its data. */
  stop(): Promise<void>
}

const START_PATIENCE_MS = 30_000
const POLL_MS = 50

export async function startEntrant(
  entrant: Entrant,
  folder = mkdtempSync(join(tmpdir(), 'stream-manager-bench-'))
): Promise<RunningServer> {
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  try {
    const { port, pid, end } = await entrant.launch(folder)
    return {
      entrant,
      folder,
      port,
      pid,
      async restartCold() {
        await end('SIGTERM')
        dropFromPageCache(folder)
        return startEntrant(entrant, folder)
      },
      async stop() {
        await end('SIGKILL')
        remove()
      }
    }
  } catch (error) {
    remove()
    throw error
  }
}

export function findProgram(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path))
}

/** Version of a program as numbers, from what it prints; undefined when it is not installed. */
export function versionOf(name: string): readonly number[] | undefined {
  const path = findProgram(name)
  if (path === undefined) return undefined
  const text = execFileSync(path, ['--version'], { encoding: 'utf8' })
  return /(\d+)\.(\d+)\.(\d+)/.exec(text)?.slice(1).map(Number)
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no free port')
  return address.port
}

async function untilListening(port: number, child: ChildProcess): Promise<void> {
  for (const endMs = performance.now() + START_PATIENCE_MS; performance.now() < endMs;) {
    if (child.exitCode !== null) break
    const socket = connect(port, '127.0.0.1')
    const listening = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(() => false)
    ]).catch(() => false)
    socket.destroy()
    if (listening) return
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
  throw new Error(`${child.spawnfile} does not listen on ${port}`)
}

async function endOf(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill(signal)
  await once(child, 'exit')
}

async function launchProgram(
  name: string,
  folder: string,
  argumentsFor: (port: number) => string[],
  environment: Readonly<Record<string, string>> = {}
): Promise<LaunchedProcess> {
  const port = await freePort()
  const child = spawn(findProgram(name) ?? name, argumentsFor(port), {
    stdio: 'ignore',
    cwd: folder,
    env: { ...process.env, ...environment }
  })
  try {
    await untilListening(port, child)
    return { port, pid: child.pid!, end: (signal) => endOf(child, signal) }
  } catch (error) {
    await endOf(child, 'SIGKILL')
    throw error
  }
}

const NO_PROBLEM = (): undefined => undefined

/** @param isSlow each sync takes SLOW_SYNC_MS longer */
interface SyncSpeed {
  readonly isSlow?: boolean
}

/** The built bundle. */
export function streamManager(label = 'stream-manager', { isSlow = false }: SyncSpeed = {}): Entrant {
  return {
    label,
    peer: 'stream-manager',
    problem: isSlow ? slowSyncProblem : NO_PROBLEM,
    async launch(folder) {
      const server = await startServer({ storeRoot: folder, environment: isSlow ? slowSyncEnvironment() : {} })
      return {
        port: server.port,
        pid: server.pid,
        async end(signal) {
          await server.kill(signal)
        }
      }
    }
  }
}

/** From this version on JetStream can sync before it acknowledges. */
const NATS_WITH_SYNC_ALWAYS = [2, 10] as const

function isAtLeast(version: readonly number[], [major, minor]: readonly [number, number]): boolean {
  const [ownMajor = 0, ownMinor = 0] = version
  return ownMajor > major || (ownMajor === major && ownMinor >= minor)
}

/** JetStream with its files in a folder, which it syncs every two minutes by default. */
export function nats(options: { readonly syncAlways?: boolean; readonly label?: string } = {}): Entrant {
  const { syncAlways = false, label = 'nats-server' } = options
  return {
    label,
    peer: 'nats-server',
    problem() {
      const version = versionOf('nats-server')
      if (version === undefined) return 'not installed'
      if (syncAlways && !isAtLeast(version, NATS_WITH_SYNC_ALWAYS)) return 'cannot sync always before 2.10'
      return undefined
    },
    launch: (folder) =>
      launchProgram('nats-server', folder, (port) => {
        const data = join(folder, 'data')
        const configFile = join(folder, 'nats.conf')
        mkdirSync(data, { recursive: true })
        const sync = syncAlways ? ', sync_interval: always' : ''
        writeFileSync(configFile, `listen: "127.0.0.1:${port}"\njetstream { store_dir: "${data}"${sync} }\n`)
        return ['-c', configFile]
      })
  }
}

/** Redis with nothing but its append-only file, or with no file at all. */
export function redis(
  appendFsync: 'everysec' | 'always' | 'none',
  label = 'redis-server',
  { isSlow = false }: SyncSpeed = {}
): Entrant {
  return {
    label,
    peer: 'redis-server',
    problem() {
      if (findProgram('redis-server') === undefined) return 'not installed'
      return isSlow ? slowSyncProblem() : undefined
    },
    launch: (folder) =>
      launchProgram(
        'redis-server',
        folder,
        (port) => {
          const file = appendFsync === 'none' ? { appendonly: 'no' } : { appendonly: 'yes', appendfsync: appendFsync }
          const settings = { bind: '127.0.0.1', dir: folder, ...file, save: '' }
          return ['--port', String(port), ...Object.entries(settings).flatMap(([key, value]) => [`--${key}`, value])]
        },
        isSlow ? slowSyncEnvironment() : {}
      )
  }
}

export const bareEcho: Entrant = {
  label: 'bare TCP echo',
  peer: 'bare echo',
  problem: NO_PROBLEM,
  async launch() {
    const script = join(import.meta.dirname, 'echo-process.ts')
    const child = fork(script, [String(PAYLOAD_BYTES)], { execArgv: ['--import', 'tsx'] })
    const [port] = (await once(child, 'message')) as [number]
    return { port, pid: child.pid!, end: (signal) => endOf(child, signal) }
  }
}

/** What one run left to be written must not slow the next one. */
export function settleDisk(): void {
  execFileSync('sync')
}

/** Files that one shell is told to forget. */
const FILES_PER_SHELL = 1_000
// With a count of 0, dd only advises the system to forget the whole file.
const FORGET = 'for file; do dd if="$file" iflag=nocache count=0 status=none; done'

/** Later reads of the files in a folder come from the disk. */
export function dropFromPageCache(folder: string): void {
  settleDisk()
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const files = entries.map(({ parentPath, name }) => join(parentPath, name))
  for (let done = 0; done < files.length; done += FILES_PER_SHELL) {
    execFileSync('sh', ['-c', FORGET, 'sh', ...files.slice(done, done + FILES_PER_SHELL)])
  }
}
