import { existsSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Fault } from '../base/fault.ts'
import type { Logger } from '../base/log.ts'
import type { StreamDefinition } from '../model/stream-definition.ts'
import { decodeProgress, type ExportProgress } from '../export/index.ts'
import { decodeDefinition } from '../protocol/index.ts'
import { inspectCatalogue, type CatalogueInspection } from '../store/catalogue/index.ts'
import type { Disk } from '../store/disk.ts'
import { readMetadata } from '../store/index.ts'
import { findStoreHolder, type StoreHolder } from '../store/store-lock.ts'
import type { LogState } from '../store/stream-log.ts'
import { decodeState } from '../stream/catalogue-records.ts'
import { streamIdOfFolder } from '../stream/folder-name.ts'
import { parseQuarantinedName, QUARANTINE_FOLDER } from '../stream/quarantine.ts'
import { rememberedStreams, type Remembered } from '../stream/recovery.ts'

/** A stream as the files of a store tell of it, before its messages are looked at. */
export interface StoredStream {
  /** Undefined when nothing tells it. */
  readonly name: string | undefined
  readonly id: string
  /** Path of its folder below the store's; undefined when it has none. */
  readonly folder: string | undefined
  readonly definition: StreamDefinition | undefined
  readonly definitionFrom: 'catalogue' | 'folder' | undefined
  /** Positions of exports by identifier. */
  readonly progress: ReadonlyMap<string, ExportProgress>
  /** What the catalogue says of its numbers, if that is trusted. */
  readonly state: LogState | undefined
  /** When it was set aside, milliseconds since the epoch; undefined for a stream in its place. */
  readonly setAsideMs: number | undefined
}

/** A store that is only read. */
export interface OpenedStore {
  /** Absolute path of the store's own folder. */
  readonly folder: string
  /** The server that runs on it. */
  readonly holder: StoreHolder | undefined
  readonly catalogue: CatalogueInspection
  /** By name; then those that were set aside. */
  readonly streams: readonly StoredStream[]
  /** Folders of deleted streams that are still to be removed. */
  readonly deletedFolders: readonly string[]
}

const SILENT: Logger = {
  trace: () => undefined,
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  area: () => SILENT
}

/**
 * The folder of a store, for its root, itself, or a copy of it.
 * @throws Fault when there is none
 */
export function findStoreFolder(root: string): string {
  const inside = resolve(root, 'streams-v1')
  if (existsSync(inside)) return inside
  const looksLikeStore = existsSync(join(root, 'streams')) || existsSync(join(root, 'catalogue.snapshot'))
  if (looksLikeStore && statSync(root).isDirectory()) return resolve(root)
  throw new Fault(`there is no store in ${resolve(root)}: no folder streams-v1`)
}

/** The definition of a stream: of the catalogue, or the copy in its folder. */
function definitionOf(
  disk: Disk,
  path: string | undefined,
  id: string,
  remembered: Remembered | undefined
): Pick<StoredStream, 'definition' | 'definitionFrom'> {
  if (remembered?.definition !== undefined) {
    return { definition: remembered.definition, definitionFrom: 'catalogue' }
  }
  const metadata = path === undefined ? undefined : readMetadata(disk, path, id)
  const decoded = metadata === undefined ? undefined : decodeDefinition(metadata)
  return decoded?.ok === true
    ? { definition: decoded.value, definitionFrom: 'folder' }
    : { definition: undefined, definitionFrom: undefined }
}

function progressOf(remembered: Remembered | undefined): ReadonlyMap<string, ExportProgress> {
  const progress = new Map<string, ExportProgress>()
  for (const [identifier, value] of remembered?.exportProgress ?? []) {
    const decoded = decodeProgress(value)
    if (decoded !== undefined) progress.set(identifier, decoded)
  }
  return progress
}

/**
 * Finds out which streams a store has. Nothing is written, locked or created.
 * @param root the folder of STREAM_MANAGER_STORE_ROOT_DIR, or the store's folder in it
 * @throws Fault when the store cannot be read at all
 */
export function openStoreReader(disk: Disk, root: string): OpenedStore {
  const folder = findStoreFolder(root)
  const holder = findStoreHolder(folder)
  const catalogue = inspectCatalogue(disk, folder, holder !== undefined)
  const remembered = rememberedStreams(catalogue.entries, SILENT)
  const isTrusted = catalogue.source !== 'snapshot' && catalogue.state !== 'damaged'

  const describe = (id: string, path: string | undefined, setAsideMs: number | undefined): StoredStream => {
    const entry = setAsideMs === undefined ? remembered.get(id) : undefined
    const found = definitionOf(disk, path === undefined ? undefined : join(folder, path), id, entry)
    return {
      name: found.definition?.name,
      id,
      folder: path,
      ...found,
      progress: progressOf(entry),
      state: isTrusted ? decodeState(entry?.state) : undefined,
      setAsideMs
    }
  }

  const folders = new Map<string, string>()
  for (const { name, isFolder } of disk.listFolder(join(folder, 'streams'))) {
    const id = streamIdOfFolder(name)
    if (isFolder && id !== undefined) folders.set(id, join('streams', name))
  }
  const deleted = [...remembered].filter(([, entry]) => entry.deletedFolder !== undefined).map(([id]) => id)
  const ids = new Set([...folders.keys(), ...remembered.keys()].filter((id) => !deleted.includes(id)))
  const inPlace = [...ids]
    .map((id) => describe(id, folders.get(id), undefined))
    .filter(({ folder: path, definition }) => path !== undefined || definition !== undefined)
    .sort((left, right) => ((left.name ?? '') < (right.name ?? '') ? -1 : 1))
  const setAside = disk
    .listFolder(join(folder, QUARANTINE_FOLDER))
    .filter(({ isFolder }) => isFolder)
    .map(({ name }) => {
      const { streamFolder, setAsideMs } = parseQuarantinedName(name)
      return describe(streamIdOfFolder(streamFolder) ?? '', join(QUARANTINE_FOLDER, name), setAsideMs)
    })
  return {
    folder,
    holder,
    catalogue,
    streams: [...inPlace, ...setAside],
    deletedFolders: deleted.flatMap((id) => folders.get(id) ?? [])
  }
}
