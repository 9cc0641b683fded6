import {
  createEntryTable,
  decodeDigest,
  encodeDigest,
  isSameDigest,
  type Digest,
  type EntryTable
} from './entry-table.ts'
import type { RecordChange } from './environment.ts'
import { decodeRecord, DIGEST_KEY, encodeRecord, FORMAT_KEY, FORMAT_VERSION, isReservedKey } from './record-codec.ts'

/** The readable part of a database. */
export interface DecodedEntries {
  readonly kind: 'entries'
  readonly table: EntryTable
  /** Keys whose value failed its checksum. A key itself can be damaged, too. */
  readonly damagedKeys: readonly string[]
  /** The digest of all that was committed, if that record is sound. */
  readonly digest: Digest | undefined
  /** True when the format is known and the entries are all that were committed, in their last state. */
  readonly isWhole: boolean
}

/** What the records of a database say. */
export type DecodedDatabase = DecodedEntries | { readonly kind: 'newerFormat'; readonly version: number }

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
  const isWhole = version === FORMAT_VERSION && damagedKeys.length === 0 && isSameDigest(digest, table.digest)
  return { kind: 'entries', table, damagedKeys, digest, isWhole }
}

/** The record that belongs to every commit: the digest of all entries after it. */
export function digestChange(digest: Digest): RecordChange {
  return { key: DIGEST_KEY, record: encodeRecord(DIGEST_KEY, encodeDigest(digest)) }
}

/** The record by which a later version of this program knows how to read the rest. */
export function formatChange(): RecordChange {
  return { key: FORMAT_KEY, record: encodeRecord(FORMAT_KEY, Buffer.from(String(FORMAT_VERSION), 'latin1')) }
}
