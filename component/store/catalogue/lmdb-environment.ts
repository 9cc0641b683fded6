import { describeError, Fault } from '../../base/fault.ts'
import type { CatalogueEngine, CatalogueEnvironment, RecordChange } from './environment.ts'
import { wordBytesOf } from './head-check.ts'
import { loadLmdb, type LmdbDatabase } from './load-lmdb.ts'

/**
 * Chosen by measurement (reliability 3.2.1). The defaults `overlappingSync` and `eventTurnBatching` can acknowledge a
 * commit whose durable meta page was not written, and raise rejections that nobody can handle. This process is the
 * only reader and writer; two more readers are for the child process that probes a file.
 */
const OPTIONS = {
  noSubdir: true,
  overlappingSync: false,
  eventTurnBatching: false,
  encoding: 'binary',
  keyEncoding: 'binary',
  maxDbs: 1,
  maxReaders: 4,
  permissionsMode: 0o600,
  useWritemap: false,
  noSync: false,
  compression: false,
  cache: false
} as const

const keyBytes = (key: string): Buffer => Buffer.from(key, 'latin1')

/** Runs inside a transaction: must neither throw nor wait, or half of the changes would be committed (reliability F16). */
function applyAll(database: LmdbDatabase, changes: readonly RecordChange[]): boolean {
  try {
    for (const { key, record } of changes) {
      const bytes = keyBytes(key)
      if (record !== undefined) {
        if (!database.putSync(bytes, record)) return false
      } else if (!database.removeSync(bytes) && database.doesExist(bytes)) return false
    }
    return true
  } catch {
    return false
  }
}

/**
 * Why a commit failed. The library's error carries another promise, rejected with the reason at the same time, later,
 * or never; with nobody to handle it the process would die.
 */
async function reasonOf(error: unknown): Promise<Fault> {
  const commitError = error instanceof Error && 'commitError' in error ? error.commitError : undefined
  if (!(commitError instanceof Promise)) return new Fault(describeError(error), error)
  const reason: unknown = await Promise.race([commitError, Promise.resolve()]).catch((cause: unknown) => cause)
  return new Fault(describeError(reason ?? error), reason ?? error)
}

function createEnvironment(database: LmdbDatabase): CatalogueEnvironment {
  return {
    readAll() {
      const records = new Map<string, Buffer>()
      // Read to the end in one turn: an iterator kept open makes the file grow (reliability F15).
      for (const { key, value } of database.getRange({})) {
        records.set(Buffer.from(key).toString('latin1'), Buffer.from(value))
      }
      return records
    },
    async commit(changes) {
      try {
        const isApplied = await database.transaction(() => applyAll(database, changes))
        if (!isApplied) throw new Fault('the database did not take a record')
      } catch (error) {
        throw await reasonOf(error)
      }
    },
    close: () => database.close()
  }
}

/**
 * LMDB as the engine of the catalogue.
 * @throws Fault when the native library cannot be loaded (PR12)
 */
export async function createLmdbEngine(arch: string = process.arch): Promise<CatalogueEngine> {
  const lmdb = await loadLmdb()
  const hasScarceAddresses = wordBytesOf(arch) === 4
  return {
    open(path, mapBytes) {
      const space = hasScarceAddresses ? { remapChunks: true } : { mapSize: mapBytes }
      return createEnvironment(lmdb.open({ ...OPTIONS, ...space, path }))
    }
  }
}
