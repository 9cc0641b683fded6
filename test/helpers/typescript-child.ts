import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/**
 * Starts a TypeScript file of test/helpers as a process of its own.
 * @param script name of the file beside this one
 */
export function spawnTypescript(
  script: string,
  args: readonly string[],
  stdio: StdioOptions = ['pipe', 'pipe', 'inherit']
): ChildProcess {
  const file = fileURLToPath(new URL(script, import.meta.url))
  return spawn(process.execPath, ['--import', 'tsx', file, ...args], { stdio })
}

/** The first output of the child. Rejects when it ends without any. */
export async function firstOutput(child: ChildProcess): Promise<string> {
  const { stdout } = child
  if (stdout === null) throw new Error('the child has no output')
  const ended = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`the child ended first: ${String(code)} ${String(signal)}`)
  })
  const data = once(stdout, 'data') as Promise<[Buffer]>
  const [chunk] = await Promise.race([data, ended])
  ended.catch(() => undefined)
  return chunk.toString()
}

/** Ends the child and waits until it is gone. */
export async function killChild(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill(signal)
  await gone
}
