import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MIB } from '../../../component/base/limits.ts'

/** Starts a program that posts records to `origin` at full speed, see `neighbour-process.ts`. */
export function startNeighbour(origin: string): { stop(): Promise<void> } {
  const folder = mkdtempSync(join(tmpdir(), 'stream-manager-bench-'))
  const file = join(folder, 'records')
  writeFileSync(file, Buffer.alloc(MIB, 'record'))
  const program = join(import.meta.dirname, 'neighbour-process.ts')
  const child = fork(program, [origin, file], { execArgv: ['--import', 'tsx'] })
  return {
    async stop() {
      child.kill('SIGKILL')
      await once(child, 'exit')
      rmSync(folder, { recursive: true })
    }
  }
}
