import type { Clock } from '../base/clock.ts'
import { describeError } from '../base/fault.ts'
import { DISK_CHECK_BYTES, DISK_CHECK_INTERVAL_MS, DISK_RESERVE_BYTES, DISK_RESERVE_INODES } from '../base/limits.ts'
import type { Logger } from '../base/log.ts'
import type { Disk } from '../store/disk.ts'

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

/** Guards the file system that holds `folder`. */
export function createSpaceGuard(options: { disk: Disk; folder: string; clock: Clock; logger: Logger }): SpaceGuard {
  const { disk, folder, clock, logger } = options
  let text: string | undefined
  let checkedAtMs = -Infinity
  let bytesSinceCheck = 0
  let isUnreadable = false
  let free = { bytes: 0, inodes: 0 }

  const measure = (): string | undefined => {
    free = disk.freeSpace(folder)
    if (free.bytes < DISK_RESERVE_BYTES) return `no space left on the device: ${free.bytes} bytes are free`
    if (free.inodes < DISK_RESERVE_INODES) return `no space left on the device: ${free.inodes} inodes are free`
    return undefined
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
        bytesSinceCheck >= DISK_CHECK_BYTES ||
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
