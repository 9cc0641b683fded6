import { checksumOf } from './record-codec.ts'

/**
 * A fingerprint of a set of entries that can follow single changes. It tells that records are missing, stale or too
 * many although each of them has a valid checksum, as after a page of the database was overwritten by an older one.
 */
export interface Digest {
  readonly count: number
  /** Sum of the mixed checksums of all entries, modulo 2^32. */
  readonly sum: number
}

/** A checksum is linear; unmixed, equal bit changes in two values could cancel out. */
function mix(checksum: number): number {
  const folded = Math.imul(checksum ^ (checksum >>> 15), 0x85ebca6b)
  return (folded ^ (folded >>> 13)) >>> 0
}

export function addToDigest({ count, sum }: Digest, checksum: number): Digest {
  return { count: count + 1, sum: (sum + mix(checksum)) >>> 0 }
}

export function removeFromDigest({ count, sum }: Digest, checksum: number): Digest {
  return { count: count - 1, sum: (sum - mix(checksum)) >>> 0 }
}

export function isSameDigest(left: Digest | undefined, right: Digest | undefined): boolean {
  return left !== undefined && left.count === right?.count && left.sum === right.sum
}

export function encodeDigest(digest: Digest): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeUInt32LE(digest.count)
  bytes.writeUInt32LE(digest.sum, 4)
  return bytes
}

export function decodeDigest(bytes: Buffer): Digest | undefined {
  return bytes.length === 8 ? { count: bytes.readUInt32LE(), sum: bytes.readUInt32LE(4) } : undefined
}

/** All entries of the catalogue in memory. Values are never written to, so that a copy of the map is a snapshot. */
export interface EntryTable {
  readonly entries: ReadonlyMap<string, Buffer>
  readonly digest: Digest
  /** Sets or removes an entry; takes over `value`, which must not change any more. */
  set(key: string, value: Buffer | undefined): void
}

export function createEntryTable(initial: Iterable<readonly [string, Buffer]> = []): EntryTable {
  const entries = new Map<string, Buffer>()
  let digest: Digest = { count: 0, sum: 0 }
  const set = (key: string, value: Buffer | undefined): void => {
    const old = entries.get(key)
    if (old !== undefined) digest = removeFromDigest(digest, checksumOf(key, old))
    if (value === undefined) {
      entries.delete(key)
      return
    }
    digest = addToDigest(digest, checksumOf(key, value))
    entries.set(key, value)
  }
  for (const [key, value] of initial) set(key, value)
  return {
    entries,
    get digest() {
      return digest
    },
    set
  }
}
