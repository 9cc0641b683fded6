import type { DecodedEntries } from './decode-database.ts'
import { createEntryTable, isSameDigest, type EntryTable } from './entry-table.ts'

export interface RepairedTable {
  readonly table: EntryTable
  /** True when the digest in the database proves that nothing is missing or stale. */
  readonly isWhole: boolean
}

type Entries = Iterable<readonly [string, Buffer]>

/**
 * Puts a damaged database and the last snapshot together (reliability 3.2.8). The database's digest tells which way is
 * right, if any: the sound entries as they are, with the snapshot's values for the damaged keys, with all that the
 * snapshot has more, or the snapshot alone, when pages of the database are older than it.
 *
 * If none is: a key that the database does not have may have been removed since the snapshot, and stays away, unless
 * there are signs that sound keys are missing as well.
 */
export function mergeSnapshot(decoded: DecodedEntries, snapshot: ReadonlyMap<string, Buffer>): RepairedTable {
  const { table, damagedKeys, digest } = decoded
  const damaged = new Set(damagedKeys)
  const sound: Entries = table.entries
  const missing = [...snapshot].filter(([key]) => !table.entries.has(key))
  const replaced = missing.filter(([key]) => damaged.has(key))
  const asDamaged = createEntryTable([...sound, ...replaced])
  const withMissing = createEntryTable([...sound, ...missing])
  for (const candidate of [table, asDamaged, withMissing, createEntryTable(snapshot)]) {
    if (isSameDigest(digest, candidate.digest)) return { table: candidate, isWhole: true }
  }
  const mayLackOthers =
    digest?.count !== table.entries.size + damagedKeys.length || damagedKeys.some((key) => !snapshot.has(key))
  return { table: mayLackOthers ? withMissing : asDamaged, isWhole: false }
}
