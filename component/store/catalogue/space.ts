import { Fault } from '../../base/fault.ts'
import type { DataFile } from './catalogue-files.ts'
import { checkHead, HEAD_BYTES, type CatalogueHead, type WordBytes } from './head-check.ts'
import { IN_PAGE_RECORD_BYTES_MAX, PREALLOCATED_BYTES } from './limits.ts'

/** LMDB's usual page; larger where the machine's pages are. */
export const PAGE_BYTES = 4096
const META_BYTES_MAX = 256
/** Page header and node header, item pointer, checksum. */
const RECORD_OVERHEAD_BYTES = 24
/** LMDB keeps pages at least a quarter full; half is usual. */
export const FILL_FACTOR = 2

/** Bytes that an entry occupies in the database, roughly. */
export function recordBytes(key: string, value: Uint8Array): number {
  const bytes = key.length + value.length + RECORD_OVERHEAD_BYTES
  return bytes <= IN_PAGE_RECORD_BYTES_MAX ? bytes : PAGE_BYTES * Math.ceil(bytes / PAGE_BYTES)
}

/** Size of a new file for these entries: steps of PREALLOCATED_BYTES, at most about half full. */
export function bytesNeededFor(entries: ReadonlyMap<string, Buffer>): number {
  let bytes = 0
  for (const [key, value] of entries) bytes += recordBytes(key, value)
  return PREALLOCATED_BYTES * Math.max(1, Math.ceil((2 * FILL_FACTOR * bytes) / PREALLOCATED_BYTES))
}

/** The room in a database file. */
export interface Space {
  readonly fileBytes: number
  /** Bytes behind the last page ever used. */
  readonly untouchedBytes: number
  /** Bytes that hold no data: untouched, or free for reuse within the file. */
  readonly freeBytes: number
}

/**
 * Reads the room in an open database; only between commits, when no meta page is being written.
 * @throws Fault when the head of the file is damaged
 */
export function readSpace(file: DataFile, word: WordBytes): Space {
  const fileBytes = file.size()
  const usual = checkHead(file.readStart(PAGE_BYTES + META_BYTES_MAX), fileBytes, word)
  const check = usual.ok ? usual : checkHead(file.readStart(HEAD_BYTES), fileBytes, word)
  if (!check.ok) throw new Fault(`the catalogue is damaged: ${check.reason}`)
  return spaceOf(check.head, fileBytes)
}

export function spaceOf(head: CatalogueHead, fileBytes: number): Space {
  return { fileBytes, untouchedBytes: fileBytes - head.usedBytes, freeBytes: fileBytes - head.liveBytes }
}
