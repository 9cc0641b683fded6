import type { Clock } from '../../base/clock.ts'
import { describeError, Fault } from '../../base/fault.ts'
import type { Logger } from '../../base/log.ts'
import type { CatalogueFiles, DataFile } from './catalogue-files.ts'
import { withDeadline } from './deadline.ts'
import { decodeDatabase, digestChange, formatChange } from './decode-database.ts'
import { emptyDatabase } from './empty-database.ts'
import type { EntryTable } from './entry-table.ts'
import type { CatalogueEngine, CatalogueEnvironment } from './environment.ts'
import { wordBytesOf } from './head-check.ts'
import { ABANDONED_GENERATIONS_MAX, COMMIT_DEADLINE_MS, PREALLOCATED_BYTES, ZERO_CHUNK_BYTES } from './limits.ts'
import { catalogueNames, lockFileOf, sortNames } from './names.ts'
import { encodeRecord } from './record-codec.ts'
import { bytesNeededFor } from './space.ts'

/** What every part of the catalogue works with. */
export interface CatalogueContext {
  readonly folder: string
  readonly clock: Clock
  readonly log: Logger
  readonly files: CatalogueFiles
  readonly engine: CatalogueEngine
  /** Identity of the folder at the start; another folder in its place gets nothing written (ST22). */
  readonly folderIdentity: string
  readonly condition: CatalogueCondition
}

/** What one part finds out and others have to know. */
export interface CatalogueCondition {
  /** Databases that failed in this process and can never be closed. */
  abandoned: number
  /** Closing took too long: the lock on the store may be given away, so no file may get its name any more. */
  isGivenUp: boolean
}

/** One database file, open. */
export interface Generation {
  readonly number: number
  readonly path: string
  readonly environment: CatalogueEnvironment
  readonly file: DataFile
}

/** LMDB maps its lock file, so on a full disk a hole in it would kill the process at the first access. */
const LOCK_FILE_BYTES = 4096
const ENTRIES_PER_COMMIT = 1_000

function zeros(bytes: number): Uint8Array[] {
  const chunk = Buffer.alloc(Math.min(bytes, ZERO_CHUNK_BYTES))
  return Array.from({ length: Math.ceil(bytes / chunk.length) }, (_, index) =>
    chunk.subarray(0, bytes - index * chunk.length)
  )
}

/** Makes sure that LMDB's lock file is there with all its blocks. @throws Fault when the disk is full */
export async function prepareLockFile(files: CatalogueFiles, path: string): Promise<void> {
  const state = await files.stat(lockFileOf(path))
  if (state?.isFile === true && state.bytes >= LOCK_FILE_BYTES) return
  await files.remove(lockFileOf(path))
  await files.write(lockFileOf(path), zeros(LOCK_FILE_BYTES))
}

/**
 * Opens a database whose head has been checked. Its lock file has been prepared.
 * @throws Fault, or whatever LMDB throws
 */
export async function openGeneration(context: CatalogueContext, path: string, number: number): Promise<Generation> {
  const { files, engine } = context
  const bytes = (await files.stat(path))?.bytes ?? 0
  const environment = engine.open(path, 4 * Math.max(bytes, PREALLOCATED_BYTES))
  return { number, path, environment, file: await files.openData(path) }
}

/** Closes the database and its file; gives up after the deadline. */
export async function closeGeneration(context: CatalogueContext, generation: Generation): Promise<void> {
  await withDeadline(context.clock, COMMIT_DEADLINE_MS, 'closing the catalogue', generation.environment.close())
  await generation.file.close()
}

/**
 * Writes an empty database with all the room that the build will need: on a full or failing disk LMDB crashes or hangs
 * (reliability F10, F12), and an environment that failed can never be given back.
 */
async function writeEmptyDatabase(files: CatalogueFiles, path: string, bytes: number): Promise<void> {
  await files.write(path, [emptyDatabase(wordBytesOf(process.arch)), ...zeros(bytes)])
}

async function fill(context: CatalogueContext, generation: Generation, table: EntryTable): Promise<void> {
  const { clock } = context
  const entries = [...table.entries]
  const lastRecords = [formatChange(), digestChange(table.digest)]
  const commit = async (changes: Parameters<CatalogueEnvironment['commit']>[0]): Promise<void> => {
    await withDeadline(clock, COMMIT_DEADLINE_MS, 'a commit', generation.environment.commit(changes))
  }
  for (let start = 0; start < entries.length; start += ENTRIES_PER_COMMIT) {
    const part = entries.slice(start, start + ENTRIES_PER_COMMIT)
    await commit(part.map(([key, value]) => ({ key, record: encodeRecord(key, value) })))
  }
  await commit(lastRecords)
}

/** Reads a new generation back: it replaces the only other copy on the disk. */
function verify(generation: Generation): void {
  const decoded = decodeDatabase(generation.environment.readAll())
  if (decoded.kind !== 'entries' || !decoded.isWhole) throw new Fault('a new catalogue does not read back as written')
}

/** Lets go of a generation that failed: its database is never called again, only our own descriptor is given back. */
export function abandonGeneration(context: CatalogueContext, generation: Generation): void {
  context.condition.abandoned += 1
  generation.file.close().catch(() => undefined)
}

async function assertUsable(context: CatalogueContext): Promise<void> {
  const { abandoned, isGivenUp } = context.condition
  if (isGivenUp) throw new Fault('the catalogue is closed')
  if (abandoned > ABANDONED_GENERATIONS_MAX) {
    throw new Fault('too many databases failed in this process; it has to be started again')
  }
  if ((await context.files.stat(context.folder))?.identity !== context.folderIdentity) {
    throw new Fault('the folder was removed or replaced while the program was running')
  }
}

async function fillAndClose(context: CatalogueContext, table: EntryTable): Promise<void> {
  const { building } = catalogueNames(context.folder)
  await prepareLockFile(context.files, building)
  const unnamed = await openGeneration(context, building, 0)
  try {
    await fill(context, unnamed, table)
    await unnamed.file.sync()
    await closeGeneration(context, unnamed)
  } catch (error) {
    abandonGeneration(context, unnamed)
    throw error
  }
}

async function openNamed(context: CatalogueContext, number: number): Promise<Generation> {
  const generation = await openGeneration(context, catalogueNames(context.folder).generation(number), number)
  try {
    verify(generation)
    return generation
  } catch (error) {
    abandonGeneration(context, generation)
    throw error
  }
}

/**
 * Writes all entries into a new database under another name, syncs it, gives it its name, and opens it
 * (reliability 3.2.3). A cut at any moment leaves the old generation, or the new one complete.
 * `table` may change meanwhile; what it holds at the call is written.
 * @throws Fault when the disk or the database fails; no generation of this number remains
 */
export async function buildGeneration(
  context: CatalogueContext,
  number: number,
  table: EntryTable
): Promise<Generation> {
  const { folder, files } = context
  const names = catalogueNames(folder)
  const [building, path] = [names.building, names.generation(number)]
  const frozen: EntryTable = { entries: new Map(table.entries), digest: table.digest, set: () => undefined }
  try {
    await assertUsable(context)
    await files.remove(building)
    await files.remove(lockFileOf(building))
    await writeEmptyDatabase(files, building, bytesNeededFor(frozen.entries))
    await fillAndClose(context, frozen)
    await assertUsable(context)
    await files.remove(lockFileOf(path))
    await files.rename(lockFileOf(building), lockFileOf(path))
    await files.rename(building, path)
    await files.syncFolder(folder)
    return await openNamed(context, number)
  } catch (error) {
    for (const leftover of [path, building, lockFileOf(path), lockFileOf(building)]) {
      await files.remove(leftover).catch(() => undefined)
    }
    throw new Fault(`a new catalogue cannot be written in ${folder}: ${describeError(error)}`, error)
  }
}

/** Removes the generations that this one has replaced. A failure is not one of the catalogue's. */
export async function removeOlderGenerations(context: CatalogueContext, current: number): Promise<void> {
  const { folder, files, log } = context
  try {
    for (const number of sortNames(await files.list(folder)).generations.filter((other) => other < current)) {
      const path = catalogueNames(folder).generation(number)
      await files.remove(path)
      await files.remove(lockFileOf(path))
    }
  } catch (error) {
    log.warn('An old catalogue could not be removed', { error: describeError(error) })
  }
}
