import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** What a sync of a good memory card takes, and a bad one takes ten times as long. */
export const SLOW_SYNC_MS = 5

const LIBRARY = join(dirname(dirname(import.meta.dirname)), '.local', 'bench', 'slow-sync.so')
const SOURCE = join(import.meta.dirname, 'shim', 'slow-sync.c')

/** Why syncs cannot be slowed down here; undefined when they can. */
export function slowSyncProblem(): string | undefined {
  if (existsSync(LIBRARY)) return undefined
  mkdirSync(dirname(LIBRARY), { recursive: true })
  try {
    execFileSync('cc', ['-O1', '-shared', '-fPIC', '-o', LIBRARY, SOURCE, '-ldl'], { stdio: 'ignore' })
    return undefined
  } catch {
    return 'syncs are slowed down with a C library, and there is no C compiler'
  }
}

/** Settings under which the syncs of a program that is linked with libc take SLOW_SYNC_MS longer. */
export function slowSyncEnvironment(): Record<string, string> {
  return { LD_PRELOAD: LIBRARY, SLOW_SYNC_US: String(SLOW_SYNC_MS * 1000), UV_USE_IO_URING: '0' }
}
