import { join } from 'node:path'
import type { Clock } from '../base/clock.ts'
import { describeError, Fault } from '../base/fault.ts'
import { MIB } from '../base/limits.ts'
import type { Logger } from '../base/log.ts'
import type { Disk } from '../store/disk.ts'
import { streamIdOfFolder } from './folder-name.ts'

/** What is kept at most, unless it is the newest of its stream (reliability ST27). */
const QUARANTINE_COUNT_MAX = 16
const QUARANTINE_BYTES_MAX = 256 * MIB
/** What is kept at most in all, but for the newest folder. */
const QUARANTINE_TOTAL_COUNT_MAX = 64
const QUARANTINE_TOTAL_BYTES_MAX = 1_024 * MIB

/** Folder of the store with the folders that were set aside. */
export const QUARANTINE_FOLDER = 'quarantine'

/** A folder that was set aside. */
export interface QuarantinedFolder {
  /** Its name in the quarantine: that of the stream's folder, a dot, and the time in milliseconds since the epoch. */
  readonly name: string
  /** The name that it had among the streams. */
  readonly streamFolder: string
  /** 0 when the name does not tell. */
  readonly setAsideMs: number
}

/** Takes the name of a folder in the quarantine apart. */
export function parseQuarantinedName(name: string): QuarantinedFolder {
  const match = /^(.+)\.(\d{1,16})$/.exec(name)
  return { name, streamFolder: match?.[1] ?? name, setAsideMs: Number(match?.[2] ?? 0) }
}

/** The folders that belong to no stream that can be opened: kept for a person to look at, within bounds. */
export interface Quarantine {
  /**
   * Takes in a folder: one rename, durable when it resolves.
   * @param path absolute path of the folder, on the file system of the store
   * @returns the path that it has now
   * @throws Fault when it cannot be moved; it is where it was then, or the move may not survive a power cut
   */
  take(path: string, streamFolder: string): Promise<string>
  /** Removes what is too much, oldest first; the newest of a stream goes only when the rest is gone. */
  trim(): void
}

/** A folder and the bytes of its files. */
interface Measured {
  readonly entry: QuarantinedFolder
  readonly bytes: number
}

/** @param root absolute path of the store's folder */
export function createQuarantine(options: { disk: Disk; root: string; clock: Clock; logger: Logger }): Quarantine {
  const { disk, root, clock, logger } = options
  const folder = join(root, QUARANTINE_FOLDER)

  const list = (): QuarantinedFolder[] => {
    const entries = disk.listFolder(folder).filter(({ isFolder }) => isFolder)
    return entries
      .map(({ name }) => parseQuarantinedName(name))
      .sort((left, right) => left.setAsideMs - right.setAsideMs)
  }

  const freeName = (streamFolder: string): string => {
    const taken = new Set(list().map(({ name }) => name))
    for (let ms = Math.max(0, Math.floor(clock.wallMs())); ; ms++) {
      const name = `${streamFolder}.${ms}`
      if (!taken.has(name)) return name
    }
  }

  const remove = ({ name }: QuarantinedFolder, bytes: number): void => {
    disk.removeFolder(join(folder, name))
    logger.warn('A folder that had been set aside was removed: there are newer ones', {
      folder: join(folder, name),
      bytes
    })
  }

  return {
    async take(path, streamFolder) {
      disk.makeFolder(folder)
      const target = join(folder, freeName(streamFolder))
      disk.rename(path, target)
      await disk.syncFolder(folder)
      return target
    },
    trim() {
      try {
        const found: Measured[] = list().map((entry) => ({ entry, bytes: folderBytes(disk, join(folder, entry.name)) }))
        const newest = new Map(found.map(({ entry }) => [streamOf(entry), entry]))
        let count = found.length
        let total = found.reduce((sum, { bytes }) => sum + bytes, 0)
        const removeOldest = (from: readonly Measured[], countMax: number, bytesMax: number): void => {
          for (const { entry, bytes } of from) {
            if (count <= countMax && total <= bytesMax) return
            remove(entry, bytes)
            count--
            total -= bytes
          }
        }
        const isNewest = ({ entry }: Measured): boolean => newest.get(streamOf(entry)) === entry
        const older = found.filter((measured) => !isNewest(measured))
        removeOldest(older, QUARANTINE_COUNT_MAX, QUARANTINE_BYTES_MAX)
        removeOldest(found.filter(isNewest).slice(0, -1), QUARANTINE_TOTAL_COUNT_MAX, QUARANTINE_TOTAL_BYTES_MAX)
      } catch (error) {
        if (!(error instanceof Fault)) throw error
        logger.warn('The quarantine cannot be tidied', { folder, error: describeError(error) })
      }
    }
  }
}

/** The readable part of a folder's name: the same for a stream and those of its name that came before it. */
function streamOf({ streamFolder }: QuarantinedFolder): string {
  const id = streamIdOfFolder(streamFolder)
  return id === undefined ? streamFolder : streamFolder.slice(0, -id.length - 1)
}

/** Bytes of all files in a folder; those that cannot be looked at count nothing. */
function folderBytes(disk: Disk, folder: string): number {
  let bytes = 0
  for (const { name, isFolder } of disk.listFolder(folder)) {
    if (isFolder) continue
    try {
      const file = disk.openFile(join(folder, name), 'read')
      try {
        bytes += file.size()
      } finally {
        file.close()
      }
    } catch (error) {
      if (!(error instanceof Fault)) throw error
    }
  }
  return bytes
}
