import type { Clock, Timer } from '../../base/clock.ts'
import { describeError, Fault } from '../../base/fault.ts'
import { MIB } from '../../base/limits.ts'
import type { Logger } from '../../base/log.ts'
import type { CatalogueFiles } from './catalogue-files.ts'
import { SNAPSHOT_BYTES_PER_SECOND, SNAPSHOT_INTERVAL_MS } from './limits.ts'
import { catalogueNames } from './names.ts'
import { decodeSnapshot, encodeSnapshot } from './snapshot-codec.ts'

const SNAPSHOT_BYTES_MAX = 512 * MIB

/** Keeps a snapshot beside the database, for the day when the database is damaged (reliability 3.2.9). */
export interface SnapshotWriter {
  /**
   * The catalogue has changed. With `isUrgent` (a definition) the snapshot follows at once, unless the last one was
   * large and recent; otherwise within SNAPSHOT_INTERVAL_MS.
   */
  changed(isUrgent: boolean): void
  /** Writes what has changed since the last snapshot; failures are logged. Nothing is written afterwards. */
  close(): Promise<void>
}

export interface SnapshotOptions {
  readonly folder: string
  readonly clock: Clock
  readonly log: Logger
  readonly files: CatalogueFiles
  readonly entries: ReadonlyMap<string, Buffer>
}

/** Replaces the snapshot; the one before is kept. Returns its length. */
async function writeSnapshot(options: SnapshotOptions): Promise<number> {
  const { folder, files } = options
  const names = catalogueNames(folder)
  let bytes = 0
  const counted = function* (): Generator<Buffer> {
    for (const chunk of encodeSnapshot([...options.entries])) {
      bytes += chunk.length
      yield chunk
    }
  }
  await files.write(names.newSnapshot, counted())
  if ((await files.stat(names.snapshot)) !== undefined) await files.rename(names.snapshot, names.oldSnapshot)
  await files.rename(names.newSnapshot, names.snapshot)
  await files.syncFolder(folder)
  return bytes
}

export function createSnapshotWriter(options: SnapshotOptions): SnapshotWriter {
  const { clock, log } = options
  let hasChanges = false
  let isUrgent = false
  let isClosed = false
  let hasFailed = false
  let lastStartMs = clock.monotonicMs()
  let lastBytes = 0
  let timer: Timer | undefined
  let writing: Promise<void> | undefined

  const write = async (): Promise<void> => {
    hasChanges = false
    isUrgent = false
    lastStartMs = clock.monotonicMs()
    try {
      lastBytes = await writeSnapshot(options)
      if (hasFailed) log.info('The snapshot of the catalogue is written again')
      hasFailed = false
    } catch (error) {
      hasChanges = true
      if (!hasFailed) log.warn('The snapshot of the catalogue cannot be written', { error: describeError(error) })
      hasFailed = true
    }
  }

  const disarm = (): void => {
    timer?.cancel()
    timer = undefined
  }

  const start = (): void => {
    timer = undefined
    writing = write().then(() => {
      writing = undefined
      arm()
    })
  }

  const arm = (): void => {
    if (!hasChanges || isClosed || writing !== undefined) return
    disarm()
    const urgentGapMs = Math.min(SNAPSHOT_INTERVAL_MS, (lastBytes / SNAPSHOT_BYTES_PER_SECOND) * 1000)
    const gapMs = isUrgent && !hasFailed ? urgentGapMs : SNAPSHOT_INTERVAL_MS
    timer = clock.after(Math.max(0, lastStartMs + gapMs - clock.monotonicMs()), start)
  }

  return {
    changed(withUrgency) {
      const isSooner = withUrgency && !isUrgent
      hasChanges = true
      isUrgent ||= withUrgency
      if (timer === undefined || isSooner) arm()
    },
    async close() {
      isClosed = true
      disarm()
      await writing
      if (hasChanges) await write()
    }
  }
}

/**
 * The entries of the newest readable snapshot, or undefined when there is none.
 * @throws Fault when it was written by a newer version of this program (ST25)
 */
export async function readSnapshot(
  options: Pick<SnapshotOptions, 'folder' | 'log' | 'files'>
): Promise<ReadonlyMap<string, Buffer> | undefined> {
  const { folder, files, log } = options
  const names = catalogueNames(folder)
  for (const path of [names.snapshot, names.oldSnapshot]) {
    const bytes = await files.read(path, SNAPSHOT_BYTES_MAX).catch((error: unknown) => {
      log.warn('A snapshot of the catalogue cannot be read', { error: describeError(error) })
      return undefined
    })
    if (bytes === undefined) continue
    const decoded = decodeSnapshot(bytes)
    if (decoded.kind === 'entries') return decoded.entries
    if (decoded.kind === 'newerFormat') {
      throw new Fault(
        `the catalogue's snapshot ${path} has format ${decoded.version}, which is newer than this version of the program understands`
      )
    }
    log.warn('A snapshot of the catalogue is damaged', { path, reason: decoded.reason })
  }
  return undefined
}
