import { digestChange } from './decode-database.ts'
import { addToDigest, removeFromDigest, type Digest, type EntryTable } from './entry-table.ts'
import type { RecordChange } from './environment.ts'
import { encodeRecord, checksumOf } from './record-codec.ts'
import { recordBytes } from './space.ts'

/**
 * The difference between the table and the database, by key. Invariant: the database, with the pending keys taken from
 * the table, makes the table.
 */
export interface PendingChanges {
  /** The table is about to change at this key. */
  touch(key: string): void
  /** Everything touched so far has reached the database by other means. */
  reset(): void
  readonly isEmpty: boolean
  /** Keys to be written, without those held back. */
  readonly count: number
  /** Bytes of their records. */
  readonly bytes: number
  /** Bytes by which the database grows when these keys are written. */
  growthOf(keys: Iterable<string>): number
  /** Bytes of the largest record among these keys. */
  largestOf(keys: Iterable<string>): number
  /** Those of the keys that grow are kept back until they are released. */
  hold(keys: Iterable<string>): void
  release(keys: Iterable<string>): void
  releaseAll(): void
  /** Takes up to `countMax` pending keys, which the caller now writes, and all their records. */
  take(countMax: number): { readonly keys: readonly string[]; readonly changes: readonly RecordChange[] }
}

/** What the database holds for a key. */
interface Stored {
  readonly bytes: number
  readonly checksum: number | undefined
}

export function createPendingChanges(table: EntryTable): PendingChanges {
  const pending = new Map<string, Stored>()
  const held = new Set<string>()
  /** Digest of the database: on a full disk it lags behind the table. */
  let digest: Digest = table.digest

  const bytesInTable = (key: string): number => {
    const value = table.entries.get(key)
    return value === undefined ? 0 : recordBytes(key, value)
  }
  const growth = (key: string): number => bytesInTable(key) - (pending.get(key)?.bytes ?? bytesInTable(key))

  const takeKey = (key: string, stored: Stored): RecordChange => {
    pending.delete(key)
    const value = table.entries.get(key)
    if (stored.checksum !== undefined) digest = removeFromDigest(digest, stored.checksum)
    if (value === undefined) return { key, record: undefined }
    digest = addToDigest(digest, checksumOf(key, value))
    return { key, record: encodeRecord(key, value) }
  }

  return {
    touch(key) {
      if (pending.has(key)) return
      const value = table.entries.get(key)
      pending.set(key, { bytes: bytesInTable(key), checksum: value === undefined ? undefined : checksumOf(key, value) })
    },
    reset() {
      pending.clear()
      held.clear()
      digest = table.digest
    },
    get isEmpty() {
      return pending.size === held.size
    },
    get count() {
      return pending.size - held.size
    },
    get bytes() {
      let bytes = 0
      for (const key of pending.keys()) bytes += bytesInTable(key)
      return bytes
    },
    growthOf(keys) {
      let bytes = 0
      for (const key of keys) bytes += growth(key)
      return bytes
    },
    largestOf(keys) {
      let bytes = 0
      for (const key of keys) bytes = Math.max(bytes, bytesInTable(key))
      return bytes
    },
    hold(keys) {
      for (const key of keys) if (pending.has(key) && growth(key) > 0) held.add(key)
    },
    release(keys) {
      for (const key of keys) held.delete(key)
    },
    releaseAll() {
      held.clear()
    },
    take(countMax) {
      const changes: RecordChange[] = []
      for (const [key, stored] of pending) {
        if (changes.length >= countMax) break
        if (!held.has(key)) changes.push(takeKey(key, stored))
      }
      return { keys: changes.map(({ key }) => key), changes: [...changes, digestChange(digest)] }
    }
  }
}
