import type { Clock } from '../../component/base/clock.ts'
import type { Random } from '../../component/base/random.ts'
import {
  createExportEngine,
  decodeProgress,
  encodeProgress,
  exportSourceOf,
  type ExportEngine,
  type ExportProgress
} from '../../component/export/index.ts'
import type { DeadLetters } from '../../component/export/dead-letters.ts'
import type { BatchLimits, SendBatch } from '../../component/export/sink.ts'
import { createMemoryDisk, createSyncLimiter } from '../../component/store/index.ts'
import {
  catalogueKeys,
  createCheckpointer,
  createRegistry,
  createSpaceGuard,
  createStreamFolders,
  type Checkpointer,
  type Registry
} from '../../component/stream/index.ts'
import type { FakeCatalogue } from './fake-catalogue.ts'
import type { FaultyDisk } from './faulty-disk.ts'
import { createRecordingLog } from './recording-log.ts'
import { STORE } from './stream-scene.ts'

export interface WholeStoreOptions {
  readonly disk: FaultyDisk
  readonly catalogue: FakeCatalogue
  readonly clock: Clock
  readonly random: Random
  /** The machine was not restarted since the last life of the store. */
  readonly sameBoot: boolean
  readonly sendBatch: SendBatch
  /** Of every export; small ones by default. */
  readonly limits?: BatchLimits
  readonly deadLetters?: DeadLetters
}

const SMALL: BatchLimits = { countMax: 20, bytesMax: 2_000, sizeOf: (payloadBytes) => payloadBytes }

/** Streams and exports over one store, together as in a server. */
export interface WholeStore {
  readonly registry: Registry
  readonly engine: ExportEngine
  readonly checkpointer: Checkpointer
}

/** Recovers all streams, and lets exports begin. */
export async function openWholeStore(options: WholeStoreOptions): Promise<WholeStore> {
  const { disk, catalogue, clock, random, sameBoot, sendBatch, limits = SMALL, deadLetters } = options
  const logger = createRecordingLog()
  const checkpointer = createCheckpointer({ catalogue, clock, logger })
  const engine = createExportEngine({
    clock,
    random,
    log: logger,
    progress: {
      save: (id, name, progress) => checkpointer.put(catalogueKeys.exportProgress(id, name), encodeProgress(progress)),
      remove: (id, name) => checkpointer.put(catalogueKeys.exportProgress(id, name), undefined)
    },
    limitsOf: () => limits,
    sendBatch,
    ...(deadLetters === undefined ? {} : { deadLetters }),
    concurrencyMax: 2
  })
  const readProgress = (values: ReadonlyMap<string, Buffer>): Map<string, ExportProgress> =>
    new Map([...values].flatMap(([name, value]) => [[name, decodeProgress(value)!] as const]))
  const registry = createRegistry({
    catalogue,
    checkpointer,
    folders: createStreamFolders({
      disk,
      memory: createMemoryDisk({ bytesMax: 1_000_000 }),
      root: STORE,
      clock,
      logger,
      syncs: createSyncLimiter(6),
      sameBoot
    }),
    space: createSpaceGuard({ disk, folder: STORE, clock, logger }),
    observer: {
      opened: (stream, values) => engine.open(exportSourceOf(stream), stream.definition.exports, readProgress(values)),
      updated: (stream) => engine.update(stream.id, stream.definition.exports),
      deleted: (stream, hold) => hold(engine.close(stream.id))
    },
    clock,
    random,
    logger,
    defer: setImmediate
  })
  await registry.recover()
  engine.start()
  return { registry, engine, checkpointer }
}
