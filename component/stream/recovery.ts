import { describeError, Fault } from '../base/fault.ts'
import type { Logger } from '../base/log.ts'
import type { StreamDefinition } from '../model/stream-definition.ts'
import { decodeDefinition, encodeDefinition } from '../protocol/index.ts'
import type { Catalogue, CatalogueChange } from '../store/catalogue/change.ts'
import type { SegmentSummary, StreamLog } from '../store/stream-log.ts'
import {
  catalogueKeys,
  decodeState,
  decodeSummary,
  encodeState,
  parseCatalogueKey,
  removalOf
} from './catalogue-records.ts'
import type { RememberedLog, StreamFolders } from './stream-folders.ts'

/** A stream as the last run left it. */
export interface RecoveredStream {
  readonly id: string
  readonly definition: StreamDefinition
  readonly log: StreamLog
  /** Catalogue values of its exports, by identifier. */
  readonly exportProgress: ReadonlyMap<string, Buffer>
  /** Catalogue value of what retention has removed. */
  readonly removed: Buffer | undefined
  /** Segments that the catalogue describes. */
  readonly knownSegments: readonly number[]
}

/** What a start has brought back. */
export interface RecoveredStreams {
  readonly streams: readonly RecoveredStream[]
  /** Deleted ones whose unfinished tasks may not have been told to be cancelled (behaviour 10.5). */
  readonly deleted: readonly RecoveredStream[]
  /** Streams that are there and cannot be opened, by name. Nobody may take their names while they are. */
  readonly unopened: ReadonlyMap<string, UnopenedStream>
}

/** A stream that is left as it is: its folder could not be read or written, or a newer program wrote it. */
export interface UnopenedStream {
  readonly id: string
  /** Name of its folder. */
  readonly folder: string
  /** A sentence without a final dot. */
  readonly reason: string
}

/** All that the catalogue says of one stream. */
export interface Remembered {
  definition?: StreamDefinition
  deletedFolder?: string
  state?: Buffer
  removed?: Buffer
  readonly summaries: Map<number, SegmentSummary>
  readonly exportProgress: Map<string, Buffer>
}

/** Sorts the records of a catalogue by stream id. */
export function rememberedStreams(entries: ReadonlyMap<string, Buffer>, logger: Logger): Map<string, Remembered> {
  const streams = new Map<string, Remembered>()
  for (const [key, value] of entries) {
    const { kind, streamId, detail } = parseCatalogueKey(key)
    if (streamId === '') continue
    const stream: Remembered = streams.get(streamId) ?? { summaries: new Map(), exportProgress: new Map() }
    streams.set(streamId, stream)
    if (kind === 'stream') {
      const definition = decodeDefinition(value)
      if (definition.ok) stream.definition = definition.value
      else logger.warn('A definition in the catalogue cannot be read', { key, error: definition.failure.message })
    } else if (kind === 'deleted') stream.deletedFolder = value.toString()
    else if (kind === 'state') stream.state = value
    else if (kind === 'removed') stream.removed = value
    else if (kind === 'export') stream.exportProgress.set(detail, value)
    else if (kind === 'segment') {
      const summary = decodeSummary(value)
      if (summary !== undefined) stream.summaries.set(summary.base, summary)
    }
  }
  return streams
}

/** Records of streams that are neither defined nor deleted: written while their stream was being deleted. */
function orphans(
  catalogue: Catalogue,
  recovered: ReadonlySet<string>,
  remembered: ReadonlyMap<string, Remembered>
): CatalogueChange[] {
  const isOrphan = (key: string): boolean => {
    const { streamId } = parseCatalogueKey(key)
    const entry = remembered.get(streamId)
    return (
      entry !== undefined &&
      !recovered.has(streamId) &&
      entry.definition === undefined &&
      entry.deletedFolder === undefined
    )
  }
  return [...catalogue.entries().keys()].filter(isOrphan).map((key) => ({ key, value: undefined }))
}

/**
 * Brings every stream back: those in the catalogue, and those whose folder the catalogue does not know, because it was
 * lost (reliability 3.1.8, 3.3). Trouble with one stream never stops the others.
 */
export async function recoverStreams(
  catalogue: Catalogue,
  folders: StreamFolders,
  logger: Logger
): Promise<RecoveredStreams> {
  const remembered = rememberedStreams(catalogue.entries(), logger)
  const onDisk = folders.list()
  const recovered: RecoveredStream[] = []
  const unopened = new Map<string, UnopenedStream>()
  const names = new Set<string>()
  const changes: CatalogueChange[] = []

  const removeDeleted = async (id: string, folder: string): Promise<void> => {
    try {
      await folders.remove(folder)
      changes.push(...removalOf(catalogue, id))
    } catch (error) {
      logger.warn('The folder of a deleted stream cannot be removed yet', { folder, error: describeError(error) })
    }
  }

  const findDefinition = (id: string, folder: string | undefined): StreamDefinition | undefined => {
    const known = remembered.get(id)?.definition
    if (known !== undefined) return known
    const metadata = folder === undefined ? undefined : folders.readMetadata(id, folder)
    const copy = metadata === undefined ? undefined : decodeDefinition(metadata)
    if (copy?.ok !== true) return undefined
    logger.warn('A stream was rebuilt from its segments', { stream: copy.value.name })
    changes.push({ key: catalogueKeys.stream(id), value: encodeDefinition(copy.value) })
    return copy.value
  }

  const openLog = async (id: string, definition: StreamDefinition, folder: string | undefined): Promise<StreamLog> => {
    const entry = remembered.get(id)
    const state = decodeState(entry?.state)
    if (definition.persistence === 'memory') return folders.create(id, definition)
    if (folder !== undefined) {
      const known: RememberedLog = { state, summaries: entry?.summaries ?? new Map<number, SegmentSummary>() }
      return folders.open(id, folder, definition, known)
    }
    logger.error('The folder of a stream is gone, it goes on empty', { stream: definition.name })
    return folders.create(id, definition, state?.next ?? 0)
  }

  const setAside = async (folder: string): Promise<void> => {
    const reason = folders.newerFormatIn(folder)
    if (reason === undefined) await folders.quarantine(folder)
    else logger.error('The folder of a stream was written by a newer version and is left as it is', { folder, reason })
  }

  const recover = async (id: string): Promise<void> => {
    const entry = remembered.get(id)
    const folder = onDisk.get(id)
    const definition = findDefinition(id, folder)
    if (definition === undefined || names.has(definition.name)) {
      if (folder !== undefined) await setAside(folder)
      return
    }
    names.add(definition.name)
    try {
      const log = await openLog(id, definition, folder)
      const isMemory = definition.persistence === 'memory'
      // The next power cut needs a durable point of this log, not of one that is gone.
      if (!isMemory && (entry?.state === undefined || folder === undefined))
        changes.push({ key: catalogueKeys.state(id), value: encodeState(log.state) })
      recovered.push({
        id,
        definition,
        log,
        exportProgress: isMemory ? new Map<string, Buffer>() : (entry?.exportProgress ?? new Map<string, Buffer>()),
        removed: isMemory ? undefined : entry?.removed,
        knownSegments: [...(entry?.summaries.keys() ?? [])]
      })
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      unopened.set(definition.name, {
        id,
        folder: folder ?? folders.folderName(id, definition),
        reason: describeError(error)
      })
      logger.error('A stream cannot be opened and is left as it is', {
        stream: definition.name,
        error: describeError(error)
      })
    }
  }

  const deleted: RecoveredStream[] = []
  for (const [id, entry] of remembered) {
    if (entry.deletedFolder === undefined) continue
    const stream = await openDeleted(id, entry, folders)
    if (stream === undefined) await removeDeleted(id, entry.deletedFolder)
    else deleted.push(stream)
  }
  const inCatalogue = [...remembered].filter(
    ([, entry]) => entry.definition !== undefined && entry.deletedFolder === undefined
  )
  for (const [id] of inCatalogue) await recover(id)
  for (const id of onDisk.keys()) {
    const entry = remembered.get(id)
    if (entry?.definition === undefined && entry?.deletedFolder === undefined) await recover(id)
  }
  const present = [...recovered, ...unopened.values()].map(({ id }) => id)
  changes.push(...orphans(catalogue, new Set(present), remembered))
  if (changes.length > 0) await commitLater(catalogue, changes, logger)
  return { streams: recovered, deleted, unopened }
}

/** Opens a deleted stream that may have unfinished tasks; undefined when there is nothing to tell of, or to read. */
async function openDeleted(
  id: string,
  { definition, deletedFolder, state, removed, summaries, exportProgress }: Remembered,
  folders: StreamFolders
): Promise<RecoveredStream | undefined> {
  if (definition?.persistence !== 'file') return undefined
  // One without progress has ended: all its tasks are told. What has ended and left tasks has a slash in its identifier.
  const exports = definition.exports.filter(({ identifier }) => exportProgress.has(identifier))
  const hasTasks =
    exports.some(({ kind }) => kind === 's3') || [...exportProgress.keys()].some((key) => key.includes('/'))
  if (!hasTasks || deletedFolder === undefined || folders.list().get(id) !== deletedFolder) return undefined
  try {
    const log = await folders.open(id, deletedFolder, definition, { state: decodeState(state), summaries })
    const knownSegments = [...summaries.keys()]
    return { id, definition: { ...definition, exports }, log, exportProgress, removed, knownSegments }
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    return undefined
  }
}

/** What recovery found out can be found out again: a catalogue that takes no changes does not stop the start. */
async function commitLater(catalogue: Catalogue, changes: readonly CatalogueChange[], logger: Logger): Promise<void> {
  try {
    await catalogue.commit(changes)
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    logger.error('The catalogue does not take what was recovered', { error: describeError(error) })
  }
}
