import { assert } from '../../base/assert.ts'
import type { Clock } from '../../base/clock.ts'
import { describeError, Fault } from '../../base/fault.ts'
import type { Logger } from '../../base/log.ts'
import { nodeCatalogueFiles, type CatalogueFiles } from './catalogue-files.ts'
import { CatalogueFull, type Catalogue, type CatalogueChange } from './change.ts'
import type { CatalogueEngine } from './environment.ts'
import { buildGeneration, removeOlderGenerations, type CatalogueContext, type Generation } from './generation.ts'
import { createGroupCommit } from './group-commit.ts'
import { KEY_BYTES_MAX, VALUE_BYTES_MAX } from './limits.ts'
import { createLmdbEngine } from './lmdb-environment.ts'
import { quarantine, recover, type Probe, type Recovery } from './recover.ts'
import { isReservedKey } from './record-codec.ts'
import { createSnapshotWriter } from './snapshot.ts'

/** Keys of stream definitions: a new one needs room, and each change of one is followed by a snapshot. */
const DEFINITION_PREFIX = 'stream/'
const KEY = /^[\x20-\x7e]+$/

export interface CatalogueOptions {
  /** Holds the catalogue's files and, if the caller likes, others; created when absent. */
  readonly folder: string
  readonly clock: Clock
  readonly log: Logger
  /** Examines a database in a child process; see `probeInChild`. */
  readonly probe: Probe
  /** Default: LMDB. */
  readonly engine?: CatalogueEngine
  /** Default: the files of the machine. */
  readonly files?: CatalogueFiles
}

function assertKeys(changes: readonly CatalogueChange[]): void {
  for (const { key } of changes) {
    assert(KEY.test(key) && key.length <= KEY_BYTES_MAX && !isReservedKey(key), `not a catalogue key: ${key}`)
  }
}

/** The database that recovery found, or a new one with what it found. */
async function settle(context: CatalogueContext, recovery: Recovery): Promise<Generation> {
  const { generation, highestNumber, suspect, table } = recovery
  const settled = generation ?? (await buildGeneration(context, highestNumber + 1, table))
  if (suspect !== undefined) await quarantine(context, suspect, 'some of its records are damaged')
  await removeOlderGenerations(context, settled.number)
  return settled
}

/**
 * Like `settle`. A store that has data starts also without a catalogue that works: its messages can be read and
 * exported, and what that frees on a full disk may be what the catalogue needs.
 */
async function settleIfPossible(context: CatalogueContext, recovery: Recovery): Promise<Generation | Fault> {
  try {
    return await settle(context, recovery)
  } catch (error) {
    if (error instanceof Fault && !recovery.isFirstStart) return error
    throw error
  }
}

/**
 * Opens the catalogue of a store, whatever state its files are in; call it before any socket is opened. The caller
 * holds the lock on the store.
 * @throws Fault when the folder cannot be read or written, the native library does not load (PR12), or the data has a
 * newer format, which is then left untouched (ST25)
 */
export async function openCatalogue(options: CatalogueOptions): Promise<Catalogue> {
  const { folder, clock, probe } = options
  const files = options.files ?? nodeCatalogueFiles
  const log = options.log.area('catalogue')
  await files.makeFolder(folder)
  const engine = options.engine ?? (await createLmdbEngine())
  const folderIdentity = (await files.stat(folder))?.identity ?? ''
  const context: CatalogueContext = {
    folder,
    clock,
    log,
    files,
    engine,
    folderIdentity,
    condition: { abandoned: 0, isGivenUp: false }
  }
  const recovery = await recover(context, probe)
  const { table, isComplete } = recovery
  const generation = await settleIfPossible(context, recovery)
  const snapshots = createSnapshotWriter({ folder, clock, log, files, entries: table.entries })
  const commits = createGroupCommit({
    context,
    table,
    generation,
    lastNumber: generation instanceof Fault ? recovery.highestNumber + 1 : generation.number,
    onDurable: (keys) => snapshots.changed(keys.some((key) => key.startsWith(DEFINITION_PREFIX)))
  })

  const isNewStream = ({ key, value }: CatalogueChange): boolean =>
    value !== undefined && key.startsWith(DEFINITION_PREFIX) && !table.entries.has(key)

  const apply = (changes: readonly CatalogueChange[]): Promise<void> => {
    for (const { key, value } of changes) {
      commits.touch(key)
      table.set(key, value === undefined ? undefined : Buffer.from(value))
    }
    return commits.flush(changes.map(({ key }) => key))
  }

  /** Takes a new stream only when the disk has room again. */
  const applyIfRoom = async (changes: readonly CatalogueChange[]): Promise<void> => {
    const copies = changes.map(({ key, value }) => ({ key, value: value && Buffer.from(value) }))
    // Even a commit of nothing tries to make the file larger.
    await commits.flush([])
    if (!commits.hasRoomForStreams) {
      throw new CatalogueFull('the disk is full: there is no room in the catalogue for another stream')
    }
    return apply(copies)
  }

  let closing: Promise<void> | undefined
  const close = async (): Promise<void> => {
    await commits.close().catch((error: unknown) => {
      log.warn('The catalogue was not closed in order', { error: describeError(error) })
    })
    await snapshots.close()
  }

  return {
    complete: isComplete,
    get fault() {
      return commits.fault
    },
    entries: () => table.entries,
    commit(changes) {
      assertKeys(changes)
      if (closing !== undefined) return Promise.reject(new Fault('the catalogue is closed'))
      if (changes.some(({ value }) => value !== undefined && value.length > VALUE_BYTES_MAX)) {
        return Promise.reject(new CatalogueFull(`a record of the catalogue may have at most ${VALUE_BYTES_MAX} bytes`))
      }
      const hasRoom = commits.hasRoomForStreams || !changes.some(isNewStream)
      return hasRoom ? apply(changes) : applyIfRoom(changes)
    },
    close: () => (closing ??= close())
  }
}
