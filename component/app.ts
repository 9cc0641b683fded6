import type { Worker } from 'node:worker_threads'
import { assert } from './base/assert.ts'
import { createByteBudget } from './base/byte-budget.ts'
import type { Clock } from './base/clock.ts'
import { CONCURRENT_SYNCS_MAX, FRAME_MEMORY_BYTES_MAX, MEMORY_STREAM_BYTES_MAX } from './base/limits.ts'
import { Fault } from './base/fault.ts'
import { createInputTurns, type InputTurns } from './base/input-turns.ts'
import type { Logger } from './base/log.ts'
import { limitRepeats } from './base/log-repeats.ts'
import type { Random } from './base/random.ts'
import { VERSION, type Config } from './config/index.ts'
import { applyDeclarations, declarationSources, readDeclarations } from './declare/index.ts'
import {
  createDeadLetters,
  createExportedBelow,
  createExportEngine,
  decodeProgress,
  encodeProgress,
  exportSourceOf,
  type ExportEngine,
  type ExportedBelow,
  type AppendStatus,
  type ExportProgress,
  type ProgressStore
} from './export/index.ts'
import { createExporterHost, politeSend, type ExporterHost } from './exporter/index.ts'
import { announce, byteCounters, connectNucleus, startTelemetry, type Nucleus } from './greengrass/index.ts'
import { FAILURES } from './model/failure.ts'
import type { Monitor, MonitorSources } from './monitor/index.ts'
import { CLIENT_DEFINITION_RULES, DEVELOPER_DEFINITION_RULES, type DefinitionRules } from './protocol/index.ts'
import { admitEveryone, createAnswerMemory, listen, type Authenticate } from './server/index.ts'
import { limitsOf, whyUnavailable } from './sinks/limits.ts'
import { inputRules, pacedChunkBytes, type S3Settings } from './sinks/s3/settings.ts'
import { openCatalogue } from './store/catalogue/index.ts'
import { readBootId } from './store/boot-id.ts'
import { createMemoryDisk, createSyncLimiter, nodeDisk } from './store/index.ts'
import { acquireStoreLock } from './store/store-lock.ts'
import { prepareStoreRoot } from './store/store-root.ts'
import {
  catalogueKeys,
  createCheckpointer,
  createDiskBudget,
  createRegistry,
  createSpaceGuard,
  createStreamFolders,
  type Checkpointer,
  type Registry,
  type Stream,
  type StreamObserver
} from './stream/index.ts'

/** What the program takes from the outside world. */
export interface Platform {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Starts the thread in which the exports' requests are made. */
  readonly createExporterWorker: () => Worker
  /** Absolute path of the folder that holds the program. */
  readonly programFolder: string
  /** Opens a catalogue in a process of its own; false when that died or failed. */
  readonly probeCatalogue: (path: string) => Promise<boolean>
}

/** The running server. */
export interface App {
  readonly port: number
  readonly streamCount: number
  /** Lets exports begin; to be called when the server has reported that it runs (behaviour 2, rule 1). */
  startExports(): void
  /**
   * Tells the nucleus, if there is one, about the port and that the server runs; what it does not take is told again later.
   * @returns false when the server was stopped meanwhile
   */
  announce(): Promise<boolean>
  /** Ends in order: clients, exports, streams, catalogue. Calling it again waits for the same end. */
  stop(): Promise<void>
}

/** Clients and exports get this long to finish what is in flight; the nucleus kills after five seconds. */
const STOP_DEADLINE_MS = 2_000

/** The nucleus gets this long to take the last metrics, while the store is being closed. */
const LAST_METRICS_MS = 1_000

/** What lines of the log are about: the same about another stream or place is no repetition. */
const STORE_LINES = { by: ['stream', 'folder', 'path', 'segment'], apart: ['from', 'offset'] } as const
const CATALOGUE_LINES = { by: ['path', 'keptAs'] } as const

/** The export engine and the worker behind it. */
type Exports = ExportEngine & Pick<ExporterHost, 'renewToken'>

interface OpenStore {
  readonly registry: Registry
  readonly engine: Exports
  /** What is wrong with the store at present. */
  readonly troubles: Pick<MonitorSources, 'spaceProblem' | 'isCatalogueFailing'>
  /** Lets exports begin, and drops what earlier runs have exported. */
  startExports(): void
  close(): Promise<void>
}

interface ObserverOptions {
  readonly engine: ExportEngine
  readonly exported: ExportedBelow
  /** The open streams by id; kept here. */
  readonly streams: Map<string, Stream>
  readonly logger: Logger
}

/** Keeps the exports in step with the streams. */
function exportObserver({ engine, exported, streams, logger }: ObserverOptions): StreamObserver {
  const readProgress = (values: ReadonlyMap<string, Buffer>): ReadonlyMap<string, ExportProgress> => {
    const progress = new Map<string, ExportProgress>()
    for (const [identifier, value] of values) {
      const decoded = decodeProgress(value)
      if (decoded === undefined)
        logger.warn('An export starts anew because its progress cannot be read', { identifier })
      else progress.set(identifier, decoded)
    }
    return progress
  }
  return {
    opened(stream, progress) {
      streams.set(stream.id, stream)
      exported.opened(stream.id, progress.keys())
      engine.open(exportSourceOf(stream), stream.definition.exports, readProgress(progress))
    },
    updated(stream) {
      engine.update(stream.id, stream.definition.exports)
      stream.reclaim()
    },
    deleted(stream, hold) {
      streams.delete(stream.id)
      hold(engine.close(stream.id))
    }
  }
}

function s3Settings(config: Config, programFolder: string, storeFolder: string): S3Settings {
  const { exporter, aws, nucleus } = config
  const { s3PartBytesMin, s3UsEast1Endpoint, s3InputRoots, bandwidthBitsPerSecond } = exporter
  const present = (paths: readonly (string | undefined)[]): string[] => paths.filter((path) => path !== undefined)
  return {
    input: inputRules({
      storeFolder,
      programFolder,
      nucleusFiles: present([nucleus?.socketPath, aws.GG_ROOT_CA_PATH]),
      secretFiles: present([aws.AWS_SHARED_CREDENTIALS_FILE, aws.AWS_CONFIG_FILE, aws.HOME && `${aws.HOME}/.aws`]),
      allowedRoots: s3InputRoots
    }),
    partBytesMin: s3PartBytesMin,
    usEast1Endpoint: s3UsEast1Endpoint,
    chunkBytes: bandwidthBitsPerSecond === undefined ? undefined : pacedChunkBytes(bandwidthBitsPerSecond)
  }
}

/** Appends status messages of S3 tasks, which the registry's streams take once there are any. */
function statusAppender(registry: () => Registry): AppendStatus {
  return (streamName, payload) =>
    new Promise((resolve) => {
      const stream = registry().get(streamName)
      if (stream === undefined) resolve(FAILURES.streamMissing.message)
      else stream.append(payload, (failure) => resolve(failure?.message))
    })
}

interface EngineOptions {
  readonly config: Config
  readonly platform: Platform
  readonly progress: ProgressStore
  readonly checkpointer: Checkpointer
  readonly storeFolder: string
  readonly appendStatus: AppendStatus
}

function createEngine(options: EngineOptions): Exports {
  const { config, platform, progress, checkpointer, storeFolder, appendStatus } = options
  const { clock, random } = platform
  const log = platform.logger.area('export')
  const { concurrencyMax, bandwidthBitsPerSecond, kinesisInterCallDelayMs, deadLetterStream } = config.exporter
  const host = createExporterHost({
    clock,
    random,
    log: limitRepeats(log, clock, { apart: ['reason'] }),
    createWorker: platform.createExporterWorker,
    settings: {
      version: VERSION,
      aws: config.aws,
      kinesisInterCallDelayMs,
      s3: s3Settings(config, platform.programFolder, storeFolder)
    }
  })
  const engine = createExportEngine({
    clock,
    random,
    log,
    progress,
    sendBatch: politeSend(host.send),
    tasks: { runStep: host.runStep, appendStatus, makeDurable: () => checkpointer.flush() },
    limitsOf: (definition) => (whyUnavailable(definition, config.aws) === undefined ? limitsOf(definition) : undefined),
    whyUnavailable: (definition) => whyUnavailable(definition, config.aws),
    concurrencyMax,
    ...(deadLetterStream === undefined
      ? {}
      : { deadLetters: createDeadLetters(clock, log, deadLetterStream, appendStatus) }),
    ...(bandwidthBitsPerSecond === undefined ? {} : { bandwidthBitsPerSecond })
  })
  return {
    ...engine,
    renewToken: host.renewToken,
    async stop(deadlineMs) {
      await engine.stop(deadlineMs)
      await host.stop()
    }
  }
}

function definitionRules({ developerMode }: Config): DefinitionRules {
  return developerMode ? DEVELOPER_DEFINITION_RULES : CLIENT_DEFINITION_RULES
}

/** Export positions go into the catalogue with the next checkpoint. */
function progressStore(checkpointer: Checkpointer): ProgressStore {
  return {
    save: (id, identifier, progress) =>
      checkpointer.put(catalogueKeys.exportProgress(id, identifier), encodeProgress(progress)),
    remove: (id, identifier) => checkpointer.put(catalogueKeys.exportProgress(id, identifier), undefined)
  }
}

async function openStore(config: Config, platform: Platform, inputTurns: InputTurns): Promise<OpenStore> {
  const { clock, random, logger } = platform
  const folder = prepareStoreRoot(config.storeRoot, nodeDisk, logger)
  const lock = await acquireStoreLock(folder)
  const catalogue = await openCatalogue({
    folder,
    clock,
    log: limitRepeats(logger, clock, CATALOGUE_LINES),
    probe: platform.probeCatalogue
  })
  const bootId = Buffer.from(readBootId() ?? '')
  const sameBoot = bootId.length > 0 && catalogue.entries().get(catalogueKeys.boot)?.equals(bootId) === true
  const storeLog = limitRepeats(logger.area('store'), clock, STORE_LINES)
  const checkpointer = createCheckpointer({ catalogue, clock, logger: storeLog })
  const streams = new Map<string, Stream>()
  const exported = createExportedBelow((streamId) => engine.statuses(streamId))
  const engine: Exports = createEngine({
    config,
    platform,
    progress: exported.watch(progressStore(checkpointer), (streamId) => streams.get(streamId)?.reclaim()),
    checkpointer,
    storeFolder: folder,
    appendStatus: statusAppender(() => registry)
  })
  const folders = createStreamFolders({
    disk: nodeDisk,
    memory: createMemoryDisk({ bytesMax: MEMORY_STREAM_BYTES_MAX }),
    root: folder,
    clock,
    logger: storeLog,
    syncs: createSyncLimiter(CONCURRENT_SYNCS_MAX),
    sameBoot
  })
  const { budgetBytes } = config.space
  const space = createSpaceGuard({
    disk: nodeDisk,
    folder,
    reserveBytes: config.storeReserveBytes,
    clock,
    logger: storeLog
  })
  const registry: Registry = createRegistry({
    catalogue,
    checkpointer,
    folders,
    space,
    observer: exportObserver({ engine, exported, streams, logger }),
    spacePolicy: { ...config.space, exportedBelow: (streamId, definition) => exported.of(streamId, definition) },
    budget: budgetBytes === undefined ? undefined : createDiskBudget(budgetBytes, storeLog),
    clock,
    random,
    logger: storeLog,
    defer: inputTurns.defer
  })
  await registry.recover()
  // A catalogue that takes nothing now is retried by itself; it must not keep stored messages from being read.
  await catalogue.commit([{ key: catalogueKeys.boot, value: bootId }]).catch((error: unknown) => {
    if (!(error instanceof Fault)) throw error
    storeLog.warn('The catalogue takes no changes yet', { error: error.message })
  })
  await applyDeclarations(
    await readDeclarations(declarationSources(config.declared.text, config.declared.file), definitionRules(config)),
    {
      registry,
      catalogue,
      exportStatuses: (streamId) => engine.statuses(streamId),
      wallMs: () => clock.wallMs(),
      logger: logger.area('streams')
    }
  )
  return {
    registry,
    engine,
    troubles: { spaceProblem: () => space.shortage(0), isCatalogueFailing: () => checkpointer.isFailing },
    startExports() {
      engine.start()
      for (const stream of streams.values()) stream.reclaim()
    },
    async close() {
      await engine.stop(STOP_DEADLINE_MS)
      await registry.stop()
      await catalogue.close()
      await lock.release()
    }
  }
}

/** The code is loaded only where somebody wants it. */
async function startMonitoring(
  { monitorPort, monitorShowsMessages }: Config,
  sources: Omit<MonitorSources, 'eventLoop' | 'process' | 'version'>,
  logger: Logger
): Promise<Monitor | undefined> {
  if (monitorPort === undefined) return undefined
  const { startMonitor } = await import('./monitor/index.ts')
  return startMonitor(monitorPort, { ...sources, version: VERSION }, logger.area('monitor'), monitorShowsMessages)
}

function reachNucleus({ nucleus }: Config, { clock, random }: Platform, log: Logger): Promise<Nucleus> | undefined {
  return nucleus && connectNucleus({ ...nucleus, clock, random, log })
}

/** Fails closed: without a verdict of the nucleus nobody is let in (behaviour 2, rule 10). */
function authenticator(config: Config, nucleus: Promise<Nucleus> | undefined): Authenticate {
  if (!config.authenticateClients) return admitEveryone
  assert(nucleus !== undefined, 'a configuration without a nucleus does not ask for authentication')
  return async (token) => token !== undefined && (await nucleus).validateToken(token)
}

/**
 * Builds every part and opens the port, in this order: no client ever meets a half-recovered store (behaviour 2, rule 1).
 * @throws Fault when the store or the port cannot be used
 */
export async function startApp(config: Config, platform: Platform): Promise<App> {
  const { clock, logger } = platform
  const log = limitRepeats(logger.area('nucleus'), clock, { by: ['what'], apart: ['reason'] })
  const nucleus = reachNucleus(config, platform, log)
  const authenticate = authenticator(config, nucleus)
  const inputTurns = createInputTurns()
  const store = await openStore(config, platform, inputTurns)
  const { registry, engine } = store
  let appendedBytes = 0
  const memoryBytes = (bytes: number): number => Math.min(bytes, config.memoryTargetBytes ?? bytes)
  const listener = await listen(config.port, {
    services: {
      registry,
      definitionRules: definitionRules(config),
      exportStatuses: (streamId) => engine.statuses(streamId),
      appended: (bytes) => (appendedBytes += bytes)
    },
    handshake: { serverVersion: VERSION, authenticate, clock },
    frameBudget: createByteBudget(memoryBytes(FRAME_MEMORY_BYTES_MAX)),
    answerMemory: createAnswerMemory(config.memoryTargetBytes),
    inputTurns,
    clock,
    logger: limitRepeats(logger.area('server'), clock, { apart: ['reason'] })
  }).catch(async (error: unknown) => {
    await store.close()
    throw error
  })

  void nucleus?.then((connected) => connected.followToken(engine.renewToken))
  const counters = () => byteCounters(appendedBytes, engine.totals)
  const telemetry = nucleus?.then((connected) => startTelemetry({ nucleus: connected, counters, clock, log }))
  const stopping = new AbortController()
  const watched = { connectionCount: () => listener.connectionCount, isStopping: () => stopping.signal.aborted }
  const monitor = await startMonitoring(config, { clock, registry, engine, ...store.troubles, ...watched }, logger)
  let stopped: Promise<void> | undefined
  const stop = async (): Promise<void> => {
    stopping.abort()
    await Promise.all([listener.stop(STOP_DEADLINE_MS), engine.stop(STOP_DEADLINE_MS)])
    await Promise.all([store.close(), monitor?.stop(), telemetry?.then((reports) => reports.stop(LAST_METRICS_MS))])
    void nucleus?.then((connected) => connected.close())
  }
  return {
    port: listener.port,
    streamCount: registry.list().length,
    startExports: () => store.startExports(),
    async announce() {
      const { signal } = stopping
      if (nucleus !== undefined)
        await announce({ nucleus: await nucleus, port: listener.port, clock, random: platform.random, log, signal })
      return !signal.aborted
    },
    stop: () => (stopped ??= stop())
  }
}
