import { spawn } from 'node:child_process'
import type { Clock } from '../../base/clock.ts'
import { decodeDatabase, formatChange } from './decode-database.ts'
import { PREALLOCATED_BYTES, PROBE_DEADLINE_MS } from './limits.ts'
import { createLmdbEngine } from './lmdb-environment.ts'

/**
 * Does with a database all that a start does with it: opens it, reads it, commits once. Meant for a process of its
 * own, which damage may kill or hang; `probeInChild` starts it.
 * @returns false when LMDB reports an error
 */
export async function probeCatalogue(path: string): Promise<boolean> {
  try {
    const engine = await createLmdbEngine()
    const environment = engine.open(path, 4 * PREALLOCATED_BYTES)
    const decoded = decodeDatabase(environment.readAll())
    // A database of a newer format is not written to; the server will refuse it with the reason.
    if (decoded.kind === 'entries') await environment.commit([formatChange()])
    await environment.close()
    return true
  } catch {
    return false
  }
}

/**
 * Runs a command that ends with code 0 exactly when `probeCatalogue` of its last argument returns true.
 * @param args everything between the program and the path
 * @returns false also when the child dies by a signal or takes longer than PROBE_DEADLINE_MS
 */
export function probeInChild(clock: Clock, program: string, args: readonly string[], path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(program, [...args, path], { stdio: 'ignore' })
    const timer = clock.after(PROBE_DEADLINE_MS, () => child.kill('SIGKILL'))
    const finish = (isSound: boolean): void => {
      timer.cancel()
      resolve(isSound)
    }
    child.on('error', () => finish(false))
    child.on('exit', (code) => finish(code === 0))
  })
}
