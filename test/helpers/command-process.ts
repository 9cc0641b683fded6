import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { BUNDLE } from './server-process.ts'
import type { CommandOutcome } from './command-run.ts'

export interface CommandOptions {
  readonly input?: string | Buffer
  readonly environment?: Readonly<Record<string, string>>
}

function start(args: readonly string[], { environment }: CommandOptions): ChildProcess {
  const env = { PATH: process.env['PATH'], ...environment }
  return spawn(process.execPath, [BUNDLE, ...args], { env, stdio: ['pipe', 'pipe', 'pipe'] })
}

/** Runs a command of the built program to its end. */
export async function runBuilt(args: readonly string[], options: CommandOptions = {}): Promise<CommandOutcome> {
  const child = start(args, options)
  let [out, err] = ['', '']
  child.stdout?.on('data', (chunk: Buffer) => (out += chunk.toString()))
  child.stderr?.on('data', (chunk: Buffer) => (err += chunk.toString()))
  // A command that refuses its arguments reads nothing.
  child.stdin?.on('error', () => undefined)
  child.stdin?.end(options.input ?? '')
  const [code] = (await once(child, 'close')) as [number | null]
  return { code: code ?? -1, out, err }
}

export interface RunningCommand {
  readonly child: ChildProcess
  out(): string
  err(): string
  /** Resolves once standard output, or standard error, has the text. */
  until(text: string): Promise<void>
  readonly end: Promise<number | null>
}

/** Starts a command that goes on. */
export function startBuilt(args: readonly string[], options: CommandOptions = {}): RunningCommand {
  const child = start(args, options)
  let [out, err] = ['', '']
  const seen = new Set<() => void>()
  const look = (): void => [...seen].forEach((check) => check())
  child.stdout?.on('data', (chunk: Buffer) => {
    out += chunk.toString()
    look()
  })
  child.stderr?.on('data', (chunk: Buffer) => {
    err += chunk.toString()
    look()
  })
  const end = once(child, 'close').then(([code]) => code as number | null)
  return {
    child,
    out: () => out,
    err: () => err,
    until: (text) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          if (!out.includes(text) && !err.includes(text)) return
          seen.delete(check)
          resolve()
        }
        seen.add(check)
        check()
        void end.then(() => reject(new Error(`it ended without "${text}":\n${out}${err}`)))
      }),
    end
  }
}
