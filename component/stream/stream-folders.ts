import { dirname, join } from 'node:path'
import type { Clock } from '../base/clock.ts'
import { describeError, Fault } from '../base/fault.ts'
import type { Logger } from '../base/log.ts'
import { nextTurn } from '../base/turn.ts'
import type { StreamDefinition } from '../model/stream-definition.ts'
import { encodeDefinition } from '../protocol/index.ts'
import type { Disk } from '../store/disk.ts'
import {
  createLog,
  isUnfinishedLog,
  openLog,
  ReadWindows,
  newerFormatIn,
  readMetadata,
  type RecoveryReport,
  type StreamLog,
  type SyncLimiter,
  writeDefinitionFile
} from '../store/index.ts'
import type { LogState, SegmentSummary } from '../store/stream-log.ts'
import { streamFolderName, streamIdOfFolder } from './folder-name.ts'
import { createQuarantine } from './quarantine.ts'
import { appendPolicy } from './retention.ts'

/** What the catalogue remembers of a stream's log. */
export interface RememberedLog {
  readonly state: LogState | undefined
  readonly summaries: ReadonlyMap<number, SegmentSummary>
}

/** The folders of the streams: one per file stream, in memory for the others. */
export interface StreamFolders {
  /** A new, empty log, durable with its folder and the folders above. `next` is the first number it gives. */
  create(id: string, definition: StreamDefinition, next?: number): Promise<StreamLog>
  /** The log of a file stream as the last run left it. @throws Fault when the folder cannot be used at all */
  open(id: string, folder: string, definition: StreamDefinition, remembered: RememberedLog): Promise<StreamLog>
  /** Folders on the disk that may belong to a stream, by stream id. */
  list(): ReadonlyMap<string, string>
  /**
   * Keeps a changed definition beside the segments, for the day when the catalogue is lost. Never rejects with a Fault:
   * the catalogue has it, and the next open makes up for a copy that could not be written.
   */
  keepDefinition(id: string, definition: StreamDefinition): Promise<void>
  /** The definition copy in a folder. */
  readMetadata(id: string, folder: string): Buffer | undefined
  /** Why a folder is to be left to a newer program, a sentence without a final dot; undefined where it is not. */
  newerFormatIn(folder: string): string | undefined
  /** Removes a stream's folder for good. */
  remove(folder: string): Promise<void>
  /**
   * Moves a folder that belongs to no stream out of the way, where a person can look at it. What a create left that was
   * cut short is removed: nothing was ever stored there.
   * @returns false when it is still where it was
   */
  quarantine(folder: string): Promise<boolean>
  folderName(id: string, definition: StreamDefinition): string
}

export interface StreamFoldersOptions {
  readonly disk: Disk
  readonly memory: Disk
  /** Folder that holds one folder per stream. */
  readonly root: string
  readonly clock: Clock
  readonly logger: Logger
  readonly syncs: SyncLimiter
  /** The machine has not been started anew since the store was last open. */
  readonly sameBoot: boolean
}

/** The folders below `root`, which is made when it is missing. */
export function createStreamFolders(options: StreamFoldersOptions): StreamFolders {
  const { disk, root, logger } = options
  const streams = join(root, 'streams')
  const windows = new ReadWindows()
  const quarantine = createQuarantine({ disk, root, clock: options.clock, logger })
  disk.makeFolder(streams)
  quarantine.trim()

  const logOptions = (id: string, folder: string, definition: StreamDefinition) => ({
    disk: definition.persistence === 'file' ? disk : options.memory,
    folder: join(streams, folder),
    streamId: id,
    metadata: encodeDefinition(definition),
    rollBytes: appendPolicy(definition).rollBytes,
    clock: options.clock,
    logger,
    syncs: options.syncs,
    windows,
    isVolatile: definition.persistence === 'memory'
  })

  const report = (name: string, { cutBytes, lost, missingSegments }: RecoveryReport): void => {
    if (cutBytes > 0) logger.warn('A torn end of a stream was cut', { stream: name, bytes: cutBytes })
    for (const { from, to } of lost) logger.error('Messages are lost to damage', { stream: name, from, to: to - 1 })
    if (missingSegments.length > 0) {
      logger.warn('Segments of a stream are missing', {
        stream: name,
        count: missingSegments.length,
        first: missingSegments[0]
      })
    }
  }

  const keepDefinition = async (id: string, folder: string, definition: StreamDefinition): Promise<void> => {
    const target = { disk, folder: join(streams, folder), streamId: id, clock: options.clock }
    try {
      await options.syncs(() => writeDefinitionFile(target, encodeDefinition(definition)))
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      logger.warn('The copy of a definition cannot be kept beside its segments', {
        stream: definition.name,
        error: describeError(error)
      })
    }
  }

  let isRootDurable = false

  /** What the first start has made: without these entries a power cut takes everything below them. */
  const makeRootDurable = async (): Promise<void> => {
    if (isRootDurable) return
    await disk.syncFolder(root)
    await disk.syncFolder(dirname(root))
    isRootDurable = true
  }

  return {
    folderName: (id, definition) => streamFolderName(definition.name, id),
    async create(id, definition, next = 0) {
      const folder = streamFolderName(definition.name, id)
      await makeRootDurable()
      const log = await createLog({ ...logOptions(id, folder, definition), next })
      try {
        if (definition.persistence === 'file') await disk.syncFolder(streams)
        return log
      } catch (error) {
        log.close()
        throw error
      }
    },
    async open(id, folder, definition, remembered) {
      const { state, summaries } = remembered
      const log = logOptions(id, folder, definition)
      const opened = await openLog({
        ...log,
        ...(state === undefined ? {} : { state }),
        summaries,
        sameBoot: options.sameBoot
      })
      report(definition.name, opened.report)
      if (opened.metadata?.equals(log.metadata) !== true) await keepDefinition(id, folder, definition)
      return opened.log
    },
    list() {
      const found = new Map<string, string>()
      for (const { name, isFolder } of disk.listFolder(streams)) {
        const id = streamIdOfFolder(name)
        if (isFolder && id !== undefined) found.set(id, name)
      }
      return found
    },
    async keepDefinition(id, definition) {
      if (definition.persistence === 'file') await keepDefinition(id, streamFolderName(definition.name, id), definition)
    },
    readMetadata: (id, folder) => readMetadata(disk, join(streams, folder), id),
    newerFormatIn: (folder) => newerFormatIn(disk, join(streams, folder)),
    async remove(folder) {
      const path = join(streams, folder)
      options.memory.removeFolder(path)
      // One file a turn: freeing many gigabytes at once would hold everything else up.
      for (const { name, isFolder } of disk.listFolder(path)) {
        if (isFolder) continue
        disk.removeFile(join(path, name))
        await nextTurn()
      }
      disk.removeFolder(path)
      await disk.syncFolder(streams)
    },
    async quarantine(folder) {
      const path = join(streams, folder)
      try {
        if (isUnfinishedLog(disk, path)) {
          disk.removeFolder(path)
          logger.info('What an unfinished create had left was removed', { folder })
          return true
        }
        const keptAs = await quarantine.take(path, folder)
        await disk.syncFolder(streams)
        logger.error('A folder that belongs to no readable stream was set aside', { folder: keptAs })
        quarantine.trim()
        return true
      } catch (error) {
        logger.error('A folder that belongs to no readable stream cannot be set aside', {
          folder,
          error: describeError(error)
        })
        return false
      }
    }
  }
}
