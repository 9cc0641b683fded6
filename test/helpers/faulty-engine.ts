import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import type { CatalogueEngine, CatalogueEnvironment } from '../../component/store/catalogue/environment.ts'
import { createLmdbEngine } from '../../component/store/catalogue/lmdb-environment.ts'

/** What a commit does instead of working. LMDB has been seen doing each of them. */
export type CommitFault = 'reject' | 'applyThenReject' | 'hang' | 'throw'

/** LMDB with failures on demand. */
export interface FaultyEngine extends CatalogueEngine {
  /** Lets the next commits fail in this way. */
  failCommits(fault: CommitFault, count?: number): void
  /** From now on commits work again. */
  heal(): void
  /** When true, databases cannot be opened. */
  refusesOpen: boolean
  /** When true, closing never ends. */
  hangsOnClose: boolean
  /** Calls into a database after it had failed: there must be none. */
  readonly forbiddenCalls: readonly string[]
  /** Commits that were asked for, of all databases, in records without those of the catalogue itself. */
  readonly commitSizes: readonly number[]
  readonly opened: readonly string[]
  /** Resolves when the next commit hangs. */
  nextHang(): Promise<void>
}

export async function createFaultyEngine(): Promise<FaultyEngine> {
  const lmdb = await createLmdbEngine()
  const forbiddenCalls: string[] = []
  const commitSizes: number[] = []
  const opened: string[] = []
  let commitFault: CommitFault = 'reject'
  let commitsToFail = 0
  let hangListeners: (() => void)[] = []

  const failed = (fault: CommitFault): Promise<void> => {
    if (fault === 'throw') throw new Error('thrown by the database')
    if (fault !== 'hang') return Promise.reject(new Error('rejected by the database'))
    for (const listener of hangListeners) listener()
    hangListeners = []
    return new Promise(() => undefined)
  }

  const wrap = (environment: CatalogueEnvironment): CatalogueEnvironment => {
    let hasFailed = false
    const guard = (call: string): void => {
      if (hasFailed) forbiddenCalls.push(call)
    }
    return {
      readAll() {
        guard('readAll')
        return environment.readAll()
      },
      async commit(changes) {
        guard('commit')
        commitSizes.push(changes.filter(({ key }) => !key.startsWith('!')).length)
        const fault = commitsToFail > 0 ? commitFault : undefined
        commitsToFail -= 1
        if (fault === undefined || fault === 'applyThenReject') await environment.commit(changes)
        if (fault === undefined) return
        hasFailed = true
        await failed(fault)
      },
      close() {
        guard('close')
        return engine.hangsOnClose ? new Promise(() => undefined) : environment.close()
      }
    }
  }

  const engine: FaultyEngine = {
    failCommits(fault, count = 1) {
      commitFault = fault
      commitsToFail = count
    },
    heal() {
      commitsToFail = 0
    },
    refusesOpen: false,
    hangsOnClose: false,
    forbiddenCalls,
    commitSizes,
    opened,
    nextHang: () => new Promise((resolve) => void hangListeners.push(resolve)),
    open(path, mapBytes) {
      if (engine.refusesOpen) throw new Error('MDB_PANIC')
      assert.ok(statSync(path).size > 0, 'LMDB must never make a file: it dies when that fails')
      opened.push(path)
      return wrap(lmdb.open(path, mapBytes))
    }
  }
  return engine
}
