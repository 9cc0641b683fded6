import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The built server as a child process, as the nucleus would run it; `npm run build` comes first. */
export interface ServerProcess {
  readonly port: number
  readonly pid: number
  /** The store folder; it outlives the process and goes with `dispose`. */
  readonly storeRoot: string
  /** Everything the process wrote so far, both outputs in order of arrival. */
  output(): string
  /** Resolves once the output contains `text`; rejects when the process ends first, or after a while. */
  untilOutput(text: string): Promise<void>
  /** Sends the signal and resolves when the process has ended. */
  kill(signal?: NodeJS.Signals): Promise<ProcessEnd>
  /** Resolves when the process ends by itself. */
  untilExit(): Promise<ProcessEnd>
  /** Kills the process if it still runs, and removes the store unless the caller brought it. */
  dispose(): Promise<void>
}

export interface ProcessEnd {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface ServerOptions {
  /** Where the data lies; a new temporary folder by default. */
  readonly storeRoot?: string
  /** Settings beside port 0, authentication off and the store; the machine's own are not passed on. */
  readonly environment?: Readonly<Record<string, string>>
  /** Path of the bundle; the built one by default. */
  readonly bundle?: string
  /** Path of Node.js; that of the tests by default. */
  readonly node?: string
  /** Arguments for node, before the bundle. */
  readonly nodeArguments?: readonly string[]
}

/** Where the build leaves the server; the variable names another build, so that one can be tested while the next is made. */
export const BUNDLE =
  process.env['STREAM_MANAGER_TEST_BUNDLE'] ?? join(import.meta.dirname, '..', '..', 'artifacts', 'stream-manager.cjs')
/** The line of behaviour 2, rule 4. */
const READY = 'Stream Manager reporting the state: RUNNING'
const PATIENCE_MS = 30_000

/**
 * Starts the server and resolves when it has reported RUNNING. Rejects with its output when it does not. Every caller
 * disposes of it, best with `t.after`. A later server gets the same data with `storeRoot: earlier.storeRoot`.
 */
export async function startServer(options: ServerOptions = {}): Promise<ServerProcess> {
  const server = spawnServer(options)
  try {
    await server.untilOutput(READY)
    return { ...server, port: readPort(server.output()) }
  } catch (error) {
    await server.dispose()
    throw error
  }
}

/** Starts the server without waiting for anything, for tests of starts that fail. */
export function spawnServer(options: ServerOptions = {}): Omit<ServerProcess, 'port'> {
  const storeRoot = options.storeRoot ?? mkdtempSync(join(tmpdir(), 'stream-manager-test-'))
  const child = spawn(options.node ?? process.execPath, [...(options.nodeArguments ?? []), options.bundle ?? BUNDLE], {
    cwd: storeRoot,
    env: {
      PATH: process.env['PATH'],
      UV_THREADPOOL_SIZE: '8',
      STREAM_MANAGER_SERVER_PORT: '0',
      STREAM_MANAGER_AUTHENTICATE_CLIENT: 'false',
      STREAM_MANAGER_STORE_ROOT_DIR: storeRoot,
      ...options.environment
    },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  const output = collectOutput(child)
  const end = exitOf(child)
  return {
    pid: child.pid ?? 0,
    storeRoot,
    output: output.text,
    untilOutput: (text) => output.until(text, end),
    kill(signal = 'SIGTERM') {
      child.kill(signal)
      return end
    },
    untilExit: () => end,
    async dispose() {
      child.kill('SIGKILL')
      await end
      if (options.storeRoot === undefined) rmSync(storeRoot, { recursive: true, force: true })
    }
  }
}

function readPort(output: string): number {
  const port = /listening.*\bport"?[=:](\d+)/.exec(output)?.[1]
  if (port === undefined) throw new Error(`the server did not say its port:\n${output}`)
  return Number(port)
}

async function exitOf(child: ChildProcess): Promise<ProcessEnd> {
  // 'close' comes after the last output, 'exit' may come before it.
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  return { code, signal }
}

function collectOutput(child: ChildProcess): {
  text: () => string
  until: (text: string, end: Promise<ProcessEnd>) => Promise<void>
} {
  let collected = ''
  const listeners = new Set<() => void>()
  const collect = (chunk: Buffer): void => {
    collected += chunk.toString()
    for (const listener of [...listeners]) listener()
  }
  child.stdout?.on('data', collect)
  child.stderr?.on('data', collect)
  const until = async (text: string, end: Promise<ProcessEnd>): Promise<void> => {
    let found = (): void => undefined
    let timer: NodeJS.Timeout | undefined
    const seen = new Promise<string>((resolve) => {
      found = () => collected.includes(text) && resolve('')
      timer = setTimeout(() => resolve('in time'), PATIENCE_MS)
    })
    listeners.add(found)
    found()
    const problem = await Promise.race([seen, end.then(() => 'before it ended')])
    clearTimeout(timer)
    listeners.delete(found)
    if (!collected.includes(text)) throw new Error(`the server did not write "${text}" ${problem}:\n${collected}`)
  }
  return { text: () => collected, until }
}
