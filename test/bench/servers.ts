import { type ChildProcess, execFileSync, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { startServer } from '../helpers/server-process.ts'
import { PAYLOAD_BYTES, type PeerName } from './job.ts'
import { REQUEST_OVERHEAD_BYTES } from './peers/echo.ts'

/** A running server on loopback with its data in a temporary folder. */
export interface RunningServer {
  readonly name: PeerName
  readonly port: number
  readonly pid: number
  stop(): Promise<void>
}

/** A server to measure, started anew for each scenario. */
export interface Candidate {
  readonly name: PeerName
  /** Undefined when the program is not installed. */
  start(): Promise<RunningServer> | undefined
}

const START_PATIENCE_MS = 10_000

function findProgram(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path))
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
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`${child.spawnfile} does not listen on ${port}`)
}

async function startProgram(
  name: PeerName,
  path: string,
  argumentsFor: (port: number, folder: string) => string[]
): Promise<RunningServer> {
  const folder = mkdtempSync(join(tmpdir(), 'stream-manager-bench-'))
  const port = await freePort()
  const child = spawn(path, argumentsFor(port, folder), { stdio: 'ignore', cwd: folder })
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    await untilListening(port, child)
    return { name, port, pid: child.pid!, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** The built bundle. */
export const streamManager: Candidate = {
  name: 'stream-manager',
  async start() {
    const server = await startServer()
    return { name: 'stream-manager', port: server.port, pid: server.pid, stop: () => server.dispose() }
  }
}

/** JetStream with its files in a folder; this version's default is to sync every two minutes. */
export const nats: Candidate = {
  name: 'nats-server',
  start() {
    const path = findProgram('nats-server')
    if (path === undefined) return undefined
    return startProgram('nats-server', path, (port, folder) => {
      const configFile = join(folder, 'nats.conf')
      mkdirSync(join(folder, 'data'))
      writeFileSync(configFile, `listen: "127.0.0.1:${port}"\njetstream { store_dir: "${join(folder, 'data')}" }\n`)
      return ['-c', configFile]
    })
  }
}

/** Redis with nothing but its append-only file. */
export function redisWith(appendFsync: 'everysec' | 'always'): Candidate {
  return {
    name: 'redis-server',
    start() {
      const path = findProgram('redis-server')
      if (path === undefined) return undefined
      return startProgram('redis-server', path, (port, folder) => {
        const settings = { bind: '127.0.0.1', dir: folder, appendonly: 'yes', appendfsync: appendFsync, save: '' }
        return ['--port', String(port), ...Object.entries(settings).flatMap(([key, value]) => [`--${key}`, value])]
      })
    }
  }
}

export const bareEcho: Candidate = {
  name: 'bare echo',
  async start() {
    const requestBytes = String(PAYLOAD_BYTES + REQUEST_OVERHEAD_BYTES)
    const script = join(import.meta.dirname, 'echo-process.ts')
    const child = fork(script, [requestBytes], { execArgv: ['--import', 'tsx'] })
    const [port] = (await once(child, 'message')) as [number]
    return {
      name: 'bare echo',
      port,
      pid: child.pid!,
      async stop() {
        child.kill('SIGKILL')
        await once(child, 'exit')
      }
    }
  }
}

/** What one run left to be written must not slow the next one. */
export function settleDisk(): void {
  execFileSync('sync')
}
