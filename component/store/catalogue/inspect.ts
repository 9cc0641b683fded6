import { join } from 'node:path'
import { describeError, Fault } from '../../base/fault.ts'
import { MIB } from '../../base/limits.ts'
import type { Disk } from '../disk.ts'
import { decodeDatabase, type DecodedDatabase } from './decode-database.ts'
import { checkHead, HEAD_BYTES, type CatalogueHead } from './head-check.ts'
import { mergeSnapshot } from './merge-snapshot.ts'
import { catalogueNames, sortNames } from './names.ts'
import { readRecords } from './page-reader.ts'
import { decodeSnapshot } from './snapshot-codec.ts'

/** Looks at a database that a server is writing: so often, before it counts as damaged. */
const LIVE_ATTEMPTS = 20
const FILE_BYTES_MAX = 1024 * MIB

/** What the files of a catalogue say, read without changing anything, nor loading LMDB. */
export interface CatalogueInspection {
  /**
   * `sound`: the database says all. `repairable`: it is damaged, and together with the snapshot nothing is missing.
   * `damaged`: the entries may be incomplete or a minute old. `missing`: there is no database. `newer`: a later version
   * of this program wrote it.
   */
  readonly state: 'sound' | 'repairable' | 'damaged' | 'missing' | 'newer'
  /** Why it is not sound: a sentence without a final dot. */
  readonly reason: string | undefined
  /** Where the entries come from. */
  readonly source: 'database' | 'database and snapshot' | 'snapshot' | 'nothing'
  readonly generation: number | undefined
  readonly entries: ReadonlyMap<string, Buffer>
  readonly snapshot: 'sound' | 'damaged' | 'missing' | 'newer'
  /** Names of damaged databases that were put aside earlier. */
  readonly putAside: readonly string[]
}

/**
 * Inspects the catalogue in the folder of a store.
 * @param isLive a server runs on it: its database may change while it is read
 * @throws Fault when the folder cannot be listed
 */
export function inspectCatalogue(disk: Disk, folder: string, isLive: boolean): CatalogueInspection {
  const files = disk.listFolder(folder).filter(({ isFolder }) => !isFolder)
  const content = sortNames(files.map(({ name }) => name))
  const [generation] = content.generations
  const snapshot = readSnapshotFile(disk, folder)
  const shared = { generation, snapshot: snapshot.state, putAside: content.quarantined }
  const fallback = snapshot.entries ?? new Map<string, Buffer>()
  const source = snapshot.entries === undefined ? 'nothing' : 'snapshot'
  if (generation === undefined) {
    return { ...shared, state: 'missing', reason: 'there is no database', source, entries: fallback }
  }
  const database = readDatabase(disk, catalogueNames(folder).generation(generation), isLive)
  if (database instanceof Fault) {
    return { ...shared, state: 'damaged', reason: database.message, source, entries: fallback }
  }
  if (database.kind === 'newerFormat') {
    const reason = `its format is ${database.version}, which a later version of this program wrote`
    return { ...shared, state: 'newer', reason, source: 'nothing', entries: new Map() }
  }
  if (database.isWhole) {
    const { entries } = database.table
    return { ...shared, state: 'sound', reason: undefined, source: 'database', entries }
  }
  const merged = mergeSnapshot(database, fallback)
  return {
    ...shared,
    state: merged.isWhole ? 'repairable' : 'damaged',
    reason: `${database.damagedKeys.length} of its records are damaged, or others are missing`,
    source: 'database and snapshot',
    entries: merged.table.entries
  }
}

/** The whole file, or why it cannot be had. */
function readWhole(disk: Disk, path: string): Buffer {
  const file = disk.openFile(path, 'read')
  try {
    const bytes = file.size()
    if (bytes > FILE_BYTES_MAX) throw new Fault(`${path} has ${bytes} bytes, more than any catalogue`)
    return file.read(0, bytes)
  } finally {
    file.close()
  }
}

function headOf(bytes: Buffer): CatalogueHead {
  const start = bytes.subarray(0, HEAD_BYTES)
  const check = checkHead(start, bytes.length, 8)
  if (check.ok) return check.head
  // A store may come from a 32-bit device.
  const small = checkHead(start, bytes.length, 4)
  if (small.ok) return small.head
  throw new Fault(check.reason)
}

/** Each attempt reads the file anew: pages of a transaction stay as they are until the one after the next. */
function readDatabase(disk: Disk, path: string, isLive: boolean): DecodedDatabase | Fault {
  let result: DecodedDatabase | Fault = new Fault('it was not read')
  for (let attempt = 0; attempt < (isLive ? LIVE_ATTEMPTS : 1); attempt++) {
    try {
      const bytes = readWhole(disk, path)
      result = decodeDatabase(readRecords(bytes, headOf(bytes)))
      if (result.kind === 'newerFormat' || result.isWhole) return result
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      result = error
    }
  }
  return result
}

function readSnapshotFile(
  disk: Disk,
  folder: string
): { readonly state: CatalogueInspection['snapshot']; readonly entries?: ReadonlyMap<string, Buffer> } {
  const names = catalogueNames(folder)
  let state: CatalogueInspection['snapshot'] = 'missing'
  const present = new Set(disk.listFolder(folder).map(({ name }) => join(folder, name)))
  for (const path of [names.snapshot, names.oldSnapshot]) {
    if (!present.has(path)) continue
    let decoded: ReturnType<typeof decodeSnapshot>
    try {
      decoded = decodeSnapshot(readWhole(disk, path))
    } catch (error) {
      decoded = { kind: 'damaged', reason: describeError(error) }
    }
    if (decoded.kind === 'entries') return { state: state === 'missing' ? 'sound' : state, entries: decoded.entries }
    state = decoded.kind === 'newerFormat' ? 'newer' : 'damaged'
  }
  return { state }
}
