import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Random } from '../../component/base/random.ts'

/*
 * Damage to the files of a store, and which messages it must cost. The layout of a segment is written down a second time
 * here on purpose (docs/storage-format.md).
 */

/** A message in a segment file: the bytes from `start` to `end` belong to it alone. */
export interface StoredRecord {
  readonly sequenceNumber: number
  readonly start: number
  readonly end: number
}

const HEADER_LENGTH_AT = 12
const RECORD_HEADER_BYTES = 24

/** The records of the file of an undamaged segment. */
export function readSegment(path: string): StoredRecord[] {
  return recordsOf(readFileSync(path))
}

/** The records of an undamaged segment with this content. */
export function recordsOf(bytes: Buffer): StoredRecord[] {
  const records: StoredRecord[] = []
  for (let start = bytes.readUInt32LE(HEADER_LENGTH_AT); start < bytes.length; start = records.at(-1)!.end) {
    const end = start + RECORD_HEADER_BYTES + bytes.readUInt32LE(start + 4)
    records.push({ sequenceNumber: Number(bytes.readBigUInt64LE(start + 8)), start, end })
  }
  return records
}

/** What is done to one file. */
export interface Damage {
  /** Path below the store's root. */
  readonly path: string
  readonly kind: 'flip' | 'invert' | 'truncate' | 'empty' | 'delete'
  /** First damaged byte, or the length that is left. */
  readonly offset: number
}

/** Bytes that `invert` turns around. */
const INVERTED_BYTES = 64

export function inflict(root: string, { path, kind, offset }: Damage): void {
  const file = join(root, path)
  if (kind === 'delete') rmSync(file)
  else if (kind === 'truncate' || kind === 'empty') truncateSync(file, offset)
  else {
    const bytes = readFileSync(file)
    if (kind === 'flip') bytes[offset] = bytes[offset]! ^ (1 << (offset % 8))
    else for (let at = offset; at < Math.min(offset + INVERTED_BYTES, bytes.length); at++) bytes[at]! ^= 0xff
    writeFileSync(file, bytes)
  }
}

/** Numbers of the messages that the damage hits; all others of the segment must survive. */
export function hitNumbers(records: readonly StoredRecord[], { kind, offset }: Damage): number[] {
  const isHit = ({ start, end }: StoredRecord): boolean => {
    if (kind === 'flip') return start <= offset && offset < end
    if (kind === 'invert') return start < offset + INVERTED_BYTES && offset < end
    return kind === 'delete' || end > offset
  }
  return records.filter(isHit).map(({ sequenceNumber }) => sequenceNumber)
}

/** Damage of this kind at a random place within the first `bytes` of a file. */
export function randomDamage(random: Random, path: string, kind: Damage['kind'], bytes: number): Damage {
  const hasPlace = kind === 'flip' || kind === 'invert' || kind === 'truncate'
  return { path, kind, offset: hasPlace ? Math.floor(random.fraction() * bytes) : 0 }
}

/** Path of every file below `root`, sorted. */
export function filesBelow(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .sort()
}
