import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What the kernel is made to do to a process, by strace(1). */
export interface Injection {
  readonly calls: string
  /** `error=EIO`, or `delay_enter=50ms`. */
  readonly effect: string
  /** Each so-manieth of these calls of a thread. */
  readonly every: number
}

export interface Injected {
  /** Lets go of the process. @returns how many calls were tampered with */
  stop(): Promise<number>
}

/** True where strace is installed and may look at other processes. */
export function canInject(): boolean {
  return spawnSync('strace', ['-o', '/dev/null', 'true'], { stdio: 'ignore' }).status === 0
}

/** Attaches to all threads of a process, and to those that it starts. */
export async function injectInto(pid: number, { calls, effect, every }: Injection): Promise<Injected> {
  const folder = mkdtempSync(join(tmpdir(), 'strace-'))
  const log = join(folder, 'log')
  const rule = `inject=${calls}:${effect}:when=${every}+${every}`
  const child = spawn('strace', ['-f', '-p', String(pid), '-o', log, '-e', `trace=${calls}`, '-e', rule], {
    stdio: ['ignore', 'ignore', 'pipe']
  })
  const ended = once(child, 'exit')
  let said = ''
  await new Promise<void>((resolve, reject) => {
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      if (said.includes('attached')) resolve()
    })
    void ended.then(() => reject(new Error(`strace ended: ${said}`)))
  })
  return {
    async stop() {
      child.kill('SIGINT')
      await ended
      const count = readFileSync(log, 'latin1').split(/\((?:INJECTED|DELAYED)\)/).length - 1
      rmSync(folder, { recursive: true })
      return count
    }
  }
}
