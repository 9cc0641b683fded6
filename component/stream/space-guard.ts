import type { Clock } from '../base/clock.ts'
import { describeError } from '../base/fault.ts'
import {
  DISK_CHECK_BYTES,
  DISK_CHECK_INTERVAL_MS,
  DISK_RESERVE_BYTES,
  DISK_RESERVE_INODES,
  KIB
} from '../base/limits.ts'
import type { Logger } from '../base/log.ts'
import type { Disk, Space } from '../store/disk.ts'

/**
 * Keeps a reserve of the disk free, so that a full disk is met here, at a place of our choice, and never by the
 * catalogue or in the middle of a record (reliability 3.5).
 */
export interface SpaceGuard {
  /** A sentence that says what is short, or undefined when appends may go on. `bytes` are about to be written. */
  shortage(bytes: number): string | undefined
  /** Looks again now, because space was freed. @returns true when more is free than at the last look */
  recheck(): boolean
}

/** Of the file system, where that is more than DISK_RESERVE_BYTES or DISK_RESERVE_INODES (reliability 3.5). */
const RESERVE_SHARE = 1 / 100
/** More than this of its inodes is never kept: a small file system may not have DISK_RESERVE_INODES at all. */
const RESERVE_SHARE_MAX = 1 / 8

/**
 * What streams leave free of a file system of this size.
 * @param reserveBytes instead of the usual share
 */
export function reserveOf(size: Space, reserveBytes?: number): Space {
  const inodesMax = size.inodes === 0 ? DISK_RESERVE_INODES : Math.floor(size.inodes * RESERVE_SHARE_MAX)
  return {
    bytes: reserveBytes ?? Math.max(DISK_RESERVE_BYTES, Math.floor(size.bytes * RESERVE_SHARE)),
    inodes: Math.min(inodesMax, Math.max(DISK_RESERVE_INODES, Math.floor(size.inodes * RESERVE_SHARE)))
  }
}

/** A small reserve is looked after more often, down to this. */
const CHECK_BYTES_MIN = 64 * KIB

export interface SpaceGuardOptions {
  readonly disk: Disk
  readonly folder: string
  /** Bytes that stay free; by default a share of the file system. */
  readonly reserveBytes?: number | undefined
  readonly clock: Clock
  readonly logger: Logger
}

/** Guards the file system that holds `folder`. */
export function createSpaceGuard(options: SpaceGuardOptions): SpaceGuard {
  const { disk, folder, clock, logger } = options
  let text: string | undefined
  let checkedAtMs = -Infinity
  let bytesSinceCheck = 0
  let checkBytes = DISK_CHECK_BYTES
  let isUnreadable = false
  let free: Space = { bytes: 0, inodes: 0 }

  const shortageOf = (what: 'bytes' | 'inodes', kept: Space): string | undefined =>
    free[what] < kept[what]
      ? `no space left on the device: ${free[what]} ${what} are free, and ${kept[what]} are kept in reserve`
      : undefined

  const measure = (): string | undefined => {
    const found = disk.freeSpace(folder)
    free = found
    const kept = reserveOf(found.size, options.reserveBytes)
    checkBytes = Math.min(DISK_CHECK_BYTES, Math.max(CHECK_BYTES_MIN, Math.floor(kept.bytes / 2)))
    return shortageOf('bytes', kept) ?? shortageOf('inodes', kept)
  }

  const check = (): void => {
    checkedAtMs = clock.monotonicMs()
    bytesSinceCheck = 0
    const before = text
    try {
      text = measure()
      isUnreadable = false
    } catch (error) {
      text = undefined
      if (!isUnreadable) {
        logger.warn('The free space of the store cannot be read', { folder, error: describeError(error) })
      }
      isUnreadable = true
    }
    if (text !== undefined && before === undefined)
      logger.error('Appends to file streams are refused', { reason: text })
    if (text === undefined && before !== undefined) logger.info('The store has space again, appends go on')
  }

  return {
    shortage(bytes) {
      bytesSinceCheck += bytes
      const isDue =
        bytesSinceCheck >= checkBytes ||
        clock.monotonicMs() - checkedAtMs >= (text === undefined ? DISK_CHECK_INTERVAL_MS : 500)
      if (isDue) check()
      return text
    },
    recheck() {
      const before = free
      check()
      return free.bytes > before.bytes || free.inodes > before.inodes
    }
  }
}

/** Memory streams have no disk that could fill up. */
export const noSpaceGuard: SpaceGuard = { shortage: () => undefined, recheck: () => true }
