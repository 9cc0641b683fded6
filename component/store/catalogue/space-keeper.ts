import { describeError, Fault } from '../../base/fault.ts'
import type { CatalogueContext, Generation } from './generation.ts'
import { wordBytesOf } from './head-check.ts'
import {
  GROWTH_RESERVE,
  GROWTH_RETRY_MS,
  IN_PAGE_RECORD_BYTES_MAX,
  NEW_STREAM_RESERVE,
  PREALLOCATED_BYTES
} from './limits.ts'
import { readSpace } from './space.ts'

/** Keeps zeros ahead of the last page of a database, so that LMDB never needs a block from the disk (reliability 3.2.5). */
export interface SpaceKeeper {
  /** Looks at the file again; call it after a commit. @throws Fault when the head of the file is damaged */
  refresh(): void
  /** Appends zeros when less than half of the file is untouched. A full disk only stops the growing. */
  extend(): Promise<void>
  readonly hasRoomForStreams: boolean
  /**
   * Checks that a commit fits into the file when the file cannot grow: LMDB would ask the full disk for more, and may
   * not survive the answer (reliability F10). Commits that do not add data always fit.
   * @param keys keys to be written, with the bytes they occupy now
   * @throws Fault when it does not fit
   */
  assertRoom(keys: ReadonlyMap<string, number>, bytesAfter: (key: string) => number): void
}

function growthOf(keys: ReadonlyMap<string, number>, bytesAfter: (key: string) => number) {
  let bytes = 0
  /** Records that need consecutive pages, which only the untouched end of the file has for sure. */
  let consecutiveBytes = 0
  for (const [key, before] of keys) {
    const after = bytesAfter(key)
    bytes += after - before
    if (after > IN_PAGE_RECORD_BYTES_MAX) consecutiveBytes += after
  }
  return { bytes, consecutiveBytes }
}

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
  const hasRoom = (part: number): boolean => failedAtMs === undefined || space.freeBytes >= part * space.fileBytes

  return {
    refresh,
    async extend() {
      if (2 * space.untouchedBytes >= space.fileBytes || !mayTry()) return
      try {
        await file.extend(PREALLOCATED_BYTES)
        failedAtMs = undefined
      } catch (error) {
        if (failedAtMs === undefined) log.warn('The catalogue cannot grow', { error: describeError(error) })
        failedAtMs = clock.monotonicMs()
      }
      refresh()
    },
    assertRoom(keys, bytesAfter) {
      if (failedAtMs === undefined) return
      const growth = growthOf(keys, bytesAfter)
      const isTooMuch = growth.bytes > 0 && !hasRoom(GROWTH_RESERVE)
      if (isTooMuch || (growth.consecutiveBytes > 0 && growth.consecutiveBytes > space.untouchedBytes)) {
        throw new Fault('the catalogue is full and the disk has no room to make it larger')
      }
    },
    get hasRoomForStreams() {
      return hasRoom(NEW_STREAM_RESERVE)
    }
  }
}
