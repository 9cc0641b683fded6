import { join } from 'node:path'
import { describeError, Fault } from '../../base/fault.ts'
import { withDeadline } from './deadline.ts'
import { decodeDatabase, digestChange, formatChange, type DecodedEntries } from './decode-database.ts'
import { createEntryTable, type EntryTable } from './entry-table.ts'
import {
  abandonGeneration,
  closeGeneration,
  openGeneration,
  prepareLockFile,
  type CatalogueContext,
  type Generation
} from './generation.ts'
import { mergeSnapshot, type RepairedTable } from './merge-snapshot.ts'
import { checkHead, HEAD_BYTES, wordBytesOf } from './head-check.ts'
import { COMMIT_DEADLINE_MS, DIED_OPENS_MAX, QUARANTINED_MAX } from './limits.ts'
import { catalogueNames, lockFileOf, sortNames } from './names.ts'
import { createOpeningMarker } from './opening-marker.ts'
import { readSnapshot } from './snapshot.ts'

/** Reads a database and commits once, in a child process: true when the child got to the end. */
export type Probe = (path: string) => Promise<boolean>

/** What a start found. */
export interface Recovery {
  readonly table: EntryTable
  /** True when the entries are all that were ever committed. */
  readonly isComplete: boolean
  /** The database that holds them and has taken a commit; undefined when a new one has to be written. */
  readonly generation: Generation | undefined
  /** Highest number of a generation seen, 0 when there was none. */
  readonly highestNumber: number
  /** True when the folder holds neither a database nor a snapshot. */
  readonly isFirstStart: boolean
  /** A database that could be read in part; to be put aside once a new one is there. */
  readonly suspect: number | undefined
}

/** Renames a database that cannot be used, for a person to look at; of several the newest are kept. */
export async function quarantine(context: CatalogueContext, number: number, reason: string): Promise<void> {
  const { folder, clock, log, files } = context
  const names = catalogueNames(folder)
  const target = names.quarantined(number, clock.wallMs())
  log.error('The catalogue is damaged and was put aside', { reason, keptAs: target })
  await files.remove(target)
  await files.rename(names.generation(number), target)
  await files.remove(lockFileOf(names.generation(number)))
  for (const name of sortNames(await files.list(folder)).quarantined.slice(QUARANTINED_MAX)) {
    await files.remove(join(folder, name))
  }
  await files.syncFolder(folder)
}

/** Why LMDB must not open this file in this process, or undefined when it may. */
async function refusalOf(
  context: CatalogueContext,
  path: string,
  diedOpens: number,
  probe: Probe
): Promise<string | undefined> {
  const { files, log } = context
  const state = await files.stat(path)
  if (state?.isFile !== true) return 'it is not a file'
  if (state.bytes === 0) return 'it is empty'
  const file = await files.openData(path)
  const check = checkHead(file.readStart(HEAD_BYTES), state.bytes, wordBytesOf(process.arch))
  await file.close()
  if (!check.ok) return check.reason
  if (diedOpens === 0) return undefined
  if (diedOpens >= DIED_OPENS_MAX) return `the process died ${diedOpens} times while opening it`
  log.warn('The last start died while opening the catalogue; it is examined in another process')
  return (await probe(path)) ? undefined : 'a process that examined it died or found an error'
}

type Opened =
  | { readonly kind: 'whole'; readonly table: EntryTable; readonly generation: Generation | undefined }
  | { readonly kind: 'partial'; readonly decoded: DecodedEntries }
  | { readonly kind: 'unreadable'; readonly reason: string }

/** Closes a database that was only read. It cannot hurt any more when this fails. */
async function closeQuietly(context: CatalogueContext, generation: Generation): Promise<void> {
  await closeGeneration(context, generation).catch(() => abandonGeneration(context, generation))
}

/** Opens, reads and checks everything, and commits once: damage in LMDB's free list shows only then. */
async function openAndRead(context: CatalogueContext, path: string, number: number): Promise<Opened> {
  const { clock, log } = context
  await prepareLockFile(context.files, path)
  const generation = await openGeneration(context, path, number).catch((error: unknown) => describeError(error))
  if (typeof generation === 'string') return { kind: 'unreadable', reason: generation }
  let decoded: ReturnType<typeof decodeDatabase>
  try {
    decoded = decodeDatabase(generation.environment.readAll())
  } catch (error) {
    await closeQuietly(context, generation)
    return { kind: 'unreadable', reason: describeError(error) }
  }
  if (decoded.kind === 'newerFormat') {
    await closeQuietly(context, generation)
    throw new Fault(
      `the catalogue ${path} has format ${decoded.version}, which is newer than this version of the program understands; it was left as it is`
    )
  }
  if (!decoded.isWhole) {
    await closeQuietly(context, generation)
    return { kind: 'partial', decoded }
  }
  const { table } = decoded
  try {
    const proof = generation.environment.commit([formatChange(), digestChange(table.digest)])
    await withDeadline(clock, COMMIT_DEADLINE_MS, 'a commit', proof)
    return { kind: 'whole', table, generation }
  } catch (error) {
    abandonGeneration(context, generation)
    log.error('The catalogue takes no commit; a new one is written', { error: describeError(error) })
    return { kind: 'whole', table, generation: undefined }
  }
}

/** The entries of a damaged database with its holes filled from the snapshot. */
async function repair(context: CatalogueContext, decoded: DecodedEntries): Promise<RepairedTable> {
  const { table, damagedKeys } = decoded
  const snapshot = await readSnapshot(context)
  const repaired = mergeSnapshot(decoded, snapshot ?? new Map<string, Buffer>())
  context.log.error('The catalogue is damaged in part', {
    damagedRecords: damagedKeys.length,
    first: damagedKeys[0],
    soundRecords: table.entries.size,
    afterRepair: repaired.table.entries.size,
    isWholeAgain: repaired.isWhole
  })
  return repaired
}

async function fromSnapshotAlone(context: CatalogueContext, highestNumber: number): Promise<Recovery> {
  const snapshot = await readSnapshot(context)
  const isFirstStart = snapshot === undefined && highestNumber === 0
  if (snapshot !== undefined) {
    context.log.error('The catalogue is taken from its last snapshot', { entries: snapshot.size })
  } else if (isFirstStart) context.log.info('There is no catalogue yet; an empty one is made')
  else context.log.error('The catalogue is lost and there is no snapshot of it')
  const table = createEntryTable(snapshot ?? [])
  return { table, isComplete: false, generation: undefined, highestNumber, isFirstStart, suspect: undefined }
}

/**
 * Finds the entries that the folder's newest usable database or snapshot holds (reliability 3.2.2 to 3.2.4, 3.2.8).
 * @throws Fault when the folder cannot be read or written, or holds data of a newer format
 */
export async function recover(context: CatalogueContext, probe: Probe): Promise<Recovery> {
  const { folder, files, log } = context
  const names = catalogueNames(folder)
  const content = sortNames(await files.list(folder))
  for (const name of content.leftovers) await files.remove(join(folder, name))
  const marker = createOpeningMarker(files, names.marker)
  let diedOpens = await marker.diedOpens()
  const numbers = content.generations
  const highestNumber = numbers[0] ?? 0
  const found = { highestNumber, isFirstStart: false, suspect: undefined, generation: undefined }
  for (const number of numbers) {
    const path = names.generation(number)
    // A snapshot is newer than a generation that another one had replaced already.
    if (number !== highestNumber && (await files.stat(names.snapshot)) !== undefined) break
    const refusal = await refusalOf(context, path, diedOpens, probe)
    let opened: Opened
    if (refusal !== undefined) opened = { kind: 'unreadable', reason: refusal }
    else {
      // On a full disk there is no marker; the start must work all the same.
      await marker.set(diedOpens + 1).catch((error: unknown) => {
        log.warn('The opening of the catalogue cannot be marked', { error: describeError(error) })
      })
      try {
        opened = await openAndRead(context, path, number)
      } finally {
        await marker.clear()
      }
    }
    diedOpens = 0
    if (opened.kind === 'unreadable') await quarantine(context, number, opened.reason)
    else if (opened.kind === 'partial') {
      const { table, isWhole } = await repair(context, opened.decoded)
      return { ...found, table, isComplete: isWhole && number === highestNumber, suspect: number }
    } else {
      return { ...found, table: opened.table, isComplete: number === highestNumber, generation: opened.generation }
    }
  }
  await marker.clear()
  return fromSnapshotAlone(context, highestNumber)
}
