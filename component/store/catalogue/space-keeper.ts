import { describeError } from '../../base/fault.ts'
import type { CatalogueContext, Generation } from './generation.ts'
import { wordBytesOf } from './head-check.ts'
import {
  GROWTH_RESERVE,
  GROWTH_RETRY_MS,
  KEYS_PER_TIGHT_COMMIT_MIN,
  NEW_STREAM_RESERVE,
  PREALLOCATED_BYTES
} from './limits.ts'
import { FILL_FACTOR, PAGE_BYTES, readSpace } from './space.ts'

/**
 * Keeps zeros ahead of the last page of a database, so that LMDB never needs a block from the disk: on a full one it
 * may not survive that (reliability 3.2.5, F10).
 */
export interface SpaceKeeper {
  /** Looks at the file again; call it after a commit. @throws Fault when the head of the file is damaged */
  refresh(): void
  /**
   * Appends zeros until half of the file is untouched, and as much as a commit of so many keys may need.
   * A full disk only stops the growing.
   * @param bytes of the records of these keys
   */
  extend(keyCount: number, bytes: number): Promise<void>
  /** True while the file cannot grow; then the rest of this interface has to be obeyed. */
  readonly isTight: boolean
  /** Bytes by which the records may still grow. */
  readonly growthBytesMax: number
  /** The largest record that finds consecutive pages for certain. */
  readonly recordBytesMax: number
  /** Keys that one commit may write. */
  readonly keysPerCommit: number
  /** Room for the records of another stream. */
  readonly hasRoomForStreams: boolean
}

/** Every key may sit on a leaf page of its own, which is copied and may be split. */
const PAGES_PER_KEY = 2
/** Branch pages, the free list and the digest. */
const PAGES_PER_COMMIT = 16
/** Pages freed by a commit can be used again only by the second one after it. */
const COMMITS_BEFORE_REUSE = 3

export function createSpaceKeeper(context: CatalogueContext, generation: Generation): SpaceKeeper {
  const { clock, log } = context
  const { file } = generation
  const word = wordBytesOf(process.arch)
  let space = readSpace(file, word)
  let failedAtMs: number | undefined

  const mayTry = (): boolean => failedAtMs === undefined || clock.monotonicMs() - failedAtMs >= GROWTH_RETRY_MS
  const refresh = (): void => {
    space = readSpace(file, word)
  }
  const needsMore = (keyCount: number, bytes: number): boolean => {
    const dataBytes = space.fileBytes - space.freeBytes
    // At worst every key is on another page, or every page of the database is copied.
    const copiedBytes = Math.min(PAGES_PER_KEY * PAGE_BYTES * keyCount, dataBytes + FILL_FACTOR * bytes)
    const commitBytes = copiedBytes + PAGES_PER_COMMIT * PAGE_BYTES
    return 2 * space.untouchedBytes < space.fileBytes || space.untouchedBytes < commitBytes
  }

  return {
    refresh,
    async extend(keyCount, bytes) {
      while (needsMore(keyCount, bytes) && mayTry()) {
        try {
          await file.extend(PREALLOCATED_BYTES)
          failedAtMs = undefined
        } catch (error) {
          if (failedAtMs === undefined) log.warn('The catalogue cannot grow', { error: describeError(error) })
          failedAtMs = clock.monotonicMs()
        }
        refresh()
      }
    },
    get isTight() {
      return failedAtMs !== undefined
    },
    get growthBytesMax() {
      return space.freeBytes - GROWTH_RESERVE * space.fileBytes
    },
    get recordBytesMax() {
      return space.untouchedBytes
    },
    get keysPerCommit() {
      if (failedAtMs === undefined) return Infinity
      const pages = space.freeBytes / PAGE_BYTES / COMMITS_BEFORE_REUSE - PAGES_PER_COMMIT
      return Math.max(KEYS_PER_TIGHT_COMMIT_MIN, Math.floor(pages / PAGES_PER_KEY))
    },
    get hasRoomForStreams() {
      return failedAtMs === undefined || space.freeBytes >= NEW_STREAM_RESERVE * space.fileBytes
    }
  }
}
