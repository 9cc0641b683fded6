import { createEntryTable, decodeDigest, encodeDigest, type Digest, type EntryTable } from './entry-table.ts'
import type { RecordChange } from './environment.ts'
import { decodeRecord, DIGEST_KEY, encodeRecord, FORMAT_KEY, FORMAT_VERSION, isReservedKey } from './record-codec.ts'

/** What the records of a database say. */
export type DecodedDatabase =
  | { readonly kind: 'newerFormat'; readonly version: number }
  | {
      readonly kind: 'decoded'
      readonly table: EntryTable
      /** Keys whose value failed its checksum. */
      readonly damagedKeys: readonly string[]
      /** False when nothing but the damaged keys is missing. */
      readonly mayLackOthers: boolean
      /** True when every record that was ever committed is there, in its last state. */
      readonly isWhole: boolean
    }

function readFormatVersion(records: ReadonlyMap<string, Buffer>): number | undefined {
  const record = records.get(FORMAT_KEY)
  const digits = record === undefined ? undefined : decodeRecord(FORMAT_KEY, record)?.toString('latin1')
  return digits !== undefined && /^\d{1,9}$/.test(digits) ? Number(digits) : undefined
}

/** Checks all records of a database. Only a format record whose checksum fits can make it one of a newer format. */
export function decodeDatabase(records: ReadonlyMap<string, Buffer>): DecodedDatabase {
  const version = readFormatVersion(records)
  if (version !== undefined && version > FORMAT_VERSION) return { kind: 'newerFormat', version }
  const table = createEntryTable()
  const damagedKeys: string[] = []
  for (const [key, record] of records) {
    if (isReservedKey(key)) continue
    const value = decodeRecord(key, record)
    if (value === undefined) damagedKeys.push(key)
    else table.set(key, value)
  }
  const digestRecord = records.get(DIGEST_KEY)
  const digestBytes = digestRecord === undefined ? undefined : decodeRecord(DIGEST_KEY, digestRecord)
  const digest = digestBytes === undefined ? undefined : decodeDigest(digestBytes)
  const isWhole =
    version === FORMAT_VERSION &&
    damagedKeys.length === 0 &&
    digest?.count === table.digest.count &&
    digest.sum === table.digest.sum
  const mayLackOthers = digest?.count !== table.digest.count + damagedKeys.length
  return { kind: 'decoded', table, damagedKeys, mayLackOthers, isWhole }
}

/** The record that belongs to every commit: the digest of all entries after it. */
export function digestChange(digest: Digest): RecordChange {
  return { key: DIGEST_KEY, record: encodeRecord(DIGEST_KEY, encodeDigest(digest)) }
}

/** The record by which a later version of this program knows how to read the rest. */
export function formatChange(): RecordChange {
  return { key: FORMAT_KEY, record: encodeRecord(FORMAT_KEY, Buffer.from(String(FORMAT_VERSION), 'latin1')) }
}
