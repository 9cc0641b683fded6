import { createKeyedLock } from '../base/keyed-lock.ts'
import { describeError, Fault } from '../base/fault.ts'
import { STREAMS_MAX, WAITING_READS_MAX } from '../base/limits.ts'
import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import { fail, FAILURES, success, type Failure, type FailureKind, type Result } from '../model/failure.ts'
import type { StreamDefinition } from '../model/stream-definition.ts'
import { encodeDefinition } from '../protocol/index.ts'
import type { Catalogue } from '../store/catalogue/change.ts'
import type { StreamLog } from '../store/stream-log.ts'
import { catalogueKeys, encodeState, removalOf } from './catalogue-records.ts'
import type { Checkpointer } from './checkpointer.ts'
import { createWaitingPlaces } from './read-waiters.ts'
import { recoverStreams, type UnopenedStream } from './recovery.ts'
import type { DiskBudget } from './disk-budget.ts'
import { noSpaceGuard, type SpaceGuard } from './space-guard.ts'
import type { SpacePolicy } from './space-policy.ts'
import type { StreamFolders } from './stream-folders.ts'
import { createStream, type Stream } from './stream.ts'
import { updateObstacle } from './update-rules.ts'

/** Who is told what becomes of the streams: the exports. */
export interface StreamObserver {
  /** `exportProgress` holds the catalogue's values by export identifier; empty for a new stream. */
  opened(stream: Stream, exportProgress: ReadonlyMap<string, Buffer>): void
  updated(stream: Stream): void
  /**
   * Also called, right after `opened`, for a stream that a run before has deleted and not let go.
   * @param hold keeps the stream's data readable until the promise has resolved; should it reject, because the server
   * stops, the data stays for the next start
   */
  deleted(stream: Stream, hold: (until: Promise<void>) => void): void
}

/** What an update may do beyond what clients may ask for. */
export interface UpdatePermissions {
  readonly mayDropData: boolean
}

/** All streams by name. Changes of one name happen one after another; their answers promise durability (design 3). */
export interface Registry {
  /** Brings back the streams of the last run; call it once, before anything else. */
  recover(): Promise<void>
  get(name: string): Stream | undefined
  /** Why `get` finds nothing: there is no such stream, or there is one that cannot be opened. */
  whyAbsent(name: string): Failure
  /**
   * All names, sorted; also those of streams that cannot be opened, which can only be deleted. The same list as before
   * while nothing has changed in it.
   */
  list(): readonly string[]
  create(definition: StreamDefinition): Promise<Result<void>>
  /** `mayDropData`: a stream may become smaller than what it holds; its oldest messages go then, whatever its strategy. */
  update(definition: StreamDefinition, permissions?: UpdatePermissions): Promise<Result<void>>
  delete(name: string): Promise<Result<void>>
  /** Waits for the changes under way and refuses later ones, then writes and syncs everything. */
  stop(): Promise<void>
}

export interface RegistryOptions {
  readonly catalogue: Catalogue
  readonly checkpointer: Checkpointer
  readonly folders: StreamFolders
  readonly space: SpaceGuard
  /** By default that of the original. */
  readonly spacePolicy?: SpacePolicy | undefined
  /** Bound on all file streams together. */
  readonly budget?: DiskBudget | undefined
  readonly observer: StreamObserver
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly defer: (action: () => void) => void
}

const STREAM_ID_BYTES = 8
const SERVER_STOPS = fail('unknownFailure', 'the server is stopping')

/** Creates the registry, empty. */
export function createRegistry(options: RegistryOptions): Registry {
  const { catalogue, checkpointer, folders, observer, logger } = options
  const streams = new Map<string, Stream>()
  const locks = createKeyedLock()
  const removals = new Set<Promise<void>>()
  const waitingPlaces = createWaitingPlaces(WAITING_READS_MAX)
  /** Streams of the last run that could not be opened, by name. */
  const unopened = new Map<string, UnopenedStream>()
  /** What `list` tells; undefined when that has changed. */
  let names: readonly string[] | undefined
  let creationsUnderWay = 0
  const changesUnderWay = new Set<Promise<unknown>>()
  let isStopping = false

  const openTraffic = (id: string, definition: StreamDefinition, log: StreamLog, removed?: Buffer): Stream =>
    createStream({
      id,
      definition,
      log,
      removed,
      saveRemoved: (value) => {
        if (definition.persistence === 'file') checkpointer.put(catalogueKeys.removed(id), value)
      },
      space: definition.persistence === 'file' ? options.space : noSpaceGuard,
      spacePolicy: options.spacePolicy,
      budget: definition.persistence === 'file' ? options.budget : undefined,
      waitingPlaces,
      clock: options.clock,
      logger,
      defer: options.defer,
      changed: () => {
        if (definition.persistence === 'file') checkpointer.logChanged(id, log)
        else if (log.hasDropped) log.removeDropped(log.oldest)
      },
      checkpoint: () => checkpointer.flush()
    })

  const open = (id: string, definition: StreamDefinition, log: StreamLog, removed?: Buffer): Stream => {
    const stream = openTraffic(id, definition, log, removed)
    streams.set(definition.name, stream)
    names = undefined
    return stream
  }

  /** Only faults become answers: a bug is thrown on and ends the process. */
  const faultAnswer = (action: string, name: string, kind: FailureKind, error: unknown): Result<never> => {
    if (!(error instanceof Fault)) throw error
    logger.error(`A stream could not be ${action}`, { stream: name, error: describeError(error) })
    return fail(kind, describeError(error))
  }

  const whyAbsent = (name: string): Failure => {
    const stream = unopened.get(name)
    if (stream === undefined) return FAILURES.streamMissing
    const message = `the message stream exists but cannot be opened: ${stream.reason}; deleting it sets its data aside and frees its name`
    return { kind: 'unknownFailure', message }
  }

  /** Changes of one name take their turns, and `stop` waits for all of them. */
  const change = (name: string, action: () => Promise<Result<void>>): Promise<Result<void>> => {
    if (isStopping) return Promise.resolve(SERVER_STOPS)
    const result = locks.run(name, action)
    const settled = result.catch(() => undefined)
    changesUnderWay.add(settled)
    void settled.then(() => changesUnderWay.delete(settled))
    return result
  }

  const create = async (definition: StreamDefinition): Promise<Result<void>> => {
    if (streams.has(definition.name)) return { ok: false, failure: FAILURES.streamExists }
    if (unopened.has(definition.name)) return { ok: false, failure: whyAbsent(definition.name) }
    if (streams.size + creationsUnderWay >= STREAMS_MAX)
      return fail('invalidRequest', `there are already ${STREAMS_MAX} message streams`)
    const id = options.random.bytes(STREAM_ID_BYTES).toString('hex')
    let log: StreamLog
    creationsUnderWay += 1
    try {
      log = await createDurably(id, definition)
    } catch (error) {
      await takeBack(id, definition)
      return faultAnswer('created', definition.name, 'unknownFailure', error)
    } finally {
      creationsUnderWay -= 1
    }
    observer.opened(open(id, definition, log), new Map())
    // What is overwritten before the account of a new export is durable would go uncounted after a kill.
    if (definition.exports.length > 0) await checkpointer.flush().catch(() => undefined)
    logger.info('A stream was created', { stream: definition.name })
    return success(undefined)
  }

  const createDurably = async (id: string, definition: StreamDefinition): Promise<StreamLog> => {
    const log = await folders.create(id, definition)
    const record = { key: catalogueKeys.stream(id), value: encodeDefinition(definition) }
    // Without a durable point, a recovery takes what a power cut tore for damage and keeps what lies behind the hole.
    const state = { key: catalogueKeys.state(id), value: encodeState(log.state) }
    try {
      await catalogue.commit(definition.persistence === 'file' ? [record, state] : [record])
      return log
    } catch (error) {
      log.close()
      throw error
    }
  }

  /** After a failed create nothing of it may come back at the next start. */
  const takeBack = async (id: string, definition: StreamDefinition): Promise<void> => {
    const folder = folders.folderName(id, definition)
    await catalogue
      .commit([
        { key: catalogueKeys.stream(id), value: undefined },
        { key: catalogueKeys.state(id), value: undefined },
        { key: catalogueKeys.deleted(id), value: Buffer.from(folder) }
      ])
      .catch(() => undefined)
    await removeFolder(id, folder)
  }

  const update = async (definition: StreamDefinition, mayDropData: boolean): Promise<Result<void>> => {
    const stream = streams.get(definition.name)
    if (stream === undefined) return { ok: false, failure: whyAbsent(definition.name) }
    const obstacle = updateObstacle(stream.definition, definition, stream.storageStatus(), mayDropData)
    if (obstacle !== undefined) return { ok: false, failure: obstacle }
    const before = encodeDefinition(stream.definition)
    // An export that is gone from the definition is known by its progress alone: that must not become durable later.
    const progress = checkpointer.flush().catch(() => undefined)
    try {
      await catalogue.commit([{ key: catalogueKeys.stream(stream.id), value: encodeDefinition(definition) }])
      await progress
    } catch (error) {
      await catalogue.commit([{ key: catalogueKeys.stream(stream.id), value: before }]).catch(() => undefined)
      return faultAnswer('updated', definition.name, 'updateFailed', error)
    }
    await folders.keepDefinition(stream.id, definition)
    await stream.setDefinition(definition, mayDropData)
    observer.updated(stream)
    // After a kill, what has gone must not be there again, and what a new export has missed must be counted. What cannot
    // be saved now is saved later.
    if (mayDropData || definition.exports.length > 0) await checkpointer.flush().catch(() => undefined)
    logger.info('A stream was updated', { stream: definition.name })
    return success(undefined)
  }

  /**
   * The stream is gone once its tombstone is durable; its records go with its folder. A delete that fails has deleted
   * nothing, also after a restart: the catalogue would make up for it with its next commit.
   */
  const commitTombstone = async (id: string, folder: string): Promise<void> => {
    const key = catalogueKeys.deleted(id)
    try {
      await catalogue.commit([{ key, value: Buffer.from(folder) }])
    } catch (error) {
      await catalogue.commit([{ key, value: undefined }]).catch(() => undefined)
      throw error
    }
  }

  const remove = async (name: string): Promise<Result<void>> => {
    const stream = streams.get(name)
    if (stream === undefined) return removeUnopened(name)
    const folder = folders.folderName(stream.id, stream.definition)
    try {
      await commitTombstone(stream.id, folder)
    } catch (error) {
      return faultAnswer('deleted', name, 'unknownFailure', error)
    }
    streams.delete(name)
    names = undefined
    await letGo(stream, folder)
    logger.info('A stream was deleted', { stream: name })
    return success(undefined)
  }

  /** Ends a stream whose tombstone is durable; its data goes as soon as nobody needs it any more. */
  const letGo = async (stream: Stream, folder: string): Promise<void> => {
    const holds: Promise<void>[] = []
    observer.deleted(stream, (until) => holds.push(until))
    const isReleased = Promise.all(holds).then(
      () => true,
      () => false
    )
    await stream.drop(isReleased)
    checkpointer.forget(stream.id)
    const removal = isReleased.then((isDone) => (isDone ? removeFolder(stream.id, folder) : undefined))
    removals.add(removal)
    void removal.finally(() => removals.delete(removal))
  }

  /**
   * The data of a stream that cannot be opened may still be worth something to somebody: it is set aside, where it counts
   * against the bounds of the quarantine. A crash before that has the tombstone remove it, as any deleted stream.
   */
  const removeUnopened = async (name: string): Promise<Result<void>> => {
    const stream = unopened.get(name)
    if (stream === undefined) return { ok: false, failure: FAILURES.streamMissing }
    const { id, folder } = stream
    try {
      await commitTombstone(id, folder)
    } catch (error) {
      return faultAnswer('deleted', name, 'unknownFailure', error)
    }
    unopened.delete(name)
    names = undefined
    logger.info('A stream that could not be opened was deleted', { stream: name })
    if (!(await folders.quarantine(folder))) return success(undefined)
    await catalogue.commit(removalOf(catalogue, id)).catch((error: unknown) => {
      if (!(error instanceof Fault)) throw error
      logger.warn('The records of a deleted stream cannot be removed yet', { error: describeError(error) })
    })
    return success(undefined)
  }

  /** The folder goes after the answer; should that fail, the tombstone has it removed at the next start. */
  const removeFolder = async (id: string, folder: string): Promise<void> => {
    try {
      await folders.remove(folder)
      await catalogue.commit(removalOf(catalogue, id))
    } catch (error) {
      logger.warn('The folder of a deleted stream cannot be removed yet', { folder, error: describeError(error) })
    }
  }

  return {
    async recover() {
      const recovered = await recoverStreams(catalogue, folders, logger)
      for (const [name, stream] of recovered.unopened) unopened.set(name, stream)
      names = undefined
      for (const { id, definition, log, exportProgress, removed, knownSegments } of recovered.streams) {
        checkpointer.segmentsKnown(id, knownSegments)
        const stream = open(id, definition, log, removed)
        if (definition.persistence === 'file') checkpointer.logChanged(id, log)
        observer.opened(stream, exportProgress)
      }
      // Now that all streams are there which may be told of them.
      for (const { id, definition, log, exportProgress, removed } of recovered.deleted) {
        const stream = openTraffic(id, definition, log, removed)
        observer.opened(stream, exportProgress)
        await letGo(stream, folders.folderName(id, definition))
      }
    },
    get: (name) => streams.get(name),
    whyAbsent,
    list: () => (names ??= [...streams.keys(), ...unopened.keys()].sort()),
    create: (definition) => change(definition.name, () => create(definition)),
    update: (definition, { mayDropData } = { mayDropData: false }) =>
      change(definition.name, () => update(definition, mayDropData)),
    delete: (name) => change(name, () => remove(name)),
    async stop() {
      isStopping = true
      await Promise.all(changesUnderWay)
      await Promise.all([...streams.values()].map((stream) => stream.stop()))
      await Promise.all(removals)
      await checkpointer.stop()
      for (const stream of streams.values()) stream.log.close()
    }
  }
}
