import assert from 'node:assert/strict'
import { dirname } from 'node:path'
import type { Random } from '../../component/base/random.ts'
import type { RecordedCall } from './recorded-calls.ts'

const PAGE_BYTES = 4096
const SECTOR_BYTES = 512

/** A page as it was at some moment since the medium last had it. */
interface PageVersion {
  readonly version: number
  readonly data: Buffer
}

/** Grows by doubling; bytes never written are zero. */
class Content {
  #bytes = Buffer.alloc(PAGE_BYTES)
  length = 0

  write(bytes: Buffer, offset: number): void {
    const end = offset + bytes.length
    if (end > this.#bytes.length) {
      const larger = Buffer.alloc(Math.max(end, 2 * this.#bytes.length))
      this.#bytes.copy(larger)
      this.#bytes = larger
    }
    bytes.copy(this.#bytes, offset)
    this.length = Math.max(this.length, end)
  }

  truncate(length: number): void {
    if (length < this.length) this.#bytes.fill(0, length, this.length)
    else this.write(Buffer.alloc(0), length)
    this.length = length
  }

  /** A copy of a page, zeros behind the end. */
  page(number: number): Buffer {
    const page = Buffer.alloc(PAGE_BYTES)
    const start = number * PAGE_BYTES
    if (start < this.length) this.#bytes.copy(page, 0, start, Math.min(this.length, start + PAGE_BYTES))
    return page
  }

  copy(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.length))
  }
}

/** A file as the program sees it and as the medium may hold it. */
class RecordedFile {
  readonly current = new Content()
  readonly #durable = new Content()
  /** All versions since the last durable one: any of them may have reached the medium. */
  readonly #versions = new Map<number, PageVersion[]>()
  #lengths: { readonly version: number; readonly length: number }[] = []
  #version = 0
  readonly #syncs = new Map<number, number>()

  get isDirty(): boolean {
    return this.#versions.size > 0 || this.#lengths.length > 0
  }

  write(bytes: Buffer, offset: number, isSynced: boolean): void {
    this.current.write(bytes, offset)
    const version = this.#touch(offset, offset + bytes.length)
    if (!isSynced) return
    const length = Math.max(this.#durable.length, offset + bytes.length)
    this.#settlePages(version, offset, offset + bytes.length)
    this.#durable.truncate(length)
    this.#lengths = this.#lengths.filter(({ length }) => length !== this.#durable.length)
  }

  truncate(length: number): void {
    const from = Math.min(length, this.current.length)
    const to = Math.max(length, this.current.length)
    this.current.truncate(length)
    this.#touch(from, to)
  }

  syncBegin(sync: number): void {
    this.#syncs.set(sync, this.#version)
  }

  syncEnd(sync: number): void {
    const version = this.#syncs.get(sync)
    assert.ok(version !== undefined, 'a sync that ends has begun')
    this.#syncs.delete(sync)
    const length = this.#lengths.findLast((one) => one.version <= version)?.length ?? this.#durable.length
    this.#settlePages(version, 0, Infinity)
    this.#durable.truncate(length)
    this.#lengths = this.#lengths.filter((one) => one.version > version)
  }

  /** What a power cut leaves: every page in one of its versions, or torn between two; a length between old and new. */
  afterPowerCut(random: Random): Buffer {
    const left = new Content()
    left.write(this.#durable.copy(), 0)
    for (const [page, versions] of this.#versions) {
      const pick = (): Buffer | undefined => versions[Math.floor(random.fraction() * (versions.length + 1))]?.data
      const whole = pick()
      const other = random.fraction() < 0.3 ? pick() : whole
      const before = this.#durable.page(page)
      for (let at = 0; at < PAGE_BYTES; at += SECTOR_BYTES) {
        const source = (random.fraction() < 0.5 ? whole : other) ?? before
        left.write(source.subarray(at, at + SECTOR_BYTES), page * PAGE_BYTES + at)
      }
    }
    const lengths = [this.#durable.length, ...this.#lengths.map(({ length }) => length)]
    left.truncate(lengths[Math.floor(random.fraction() * lengths.length)] ?? 0)
    return left.copy()
  }

  /** What is left when nothing is lost. */
  whole(): Buffer {
    return this.current.copy()
  }

  #touch(start: number, end: number): number {
    const version = (this.#version += 1)
    for (let page = Math.floor(start / PAGE_BYTES); page * PAGE_BYTES < end; page += 1) {
      const versions = this.#versions.get(page) ?? []
      versions.push({ version, data: this.current.page(page) })
      this.#versions.set(page, versions)
    }
    this.#lengths.push({ version, length: this.current.length })
    return version
  }

  #settlePages(version: number, start: number, end: number): void {
    for (const [page, versions] of this.#versions) {
      if ((page + 1) * PAGE_BYTES <= start || page * PAGE_BYTES >= end) continue
      const newest = versions.findLast((one) => one.version <= version)
      if (newest === undefined) continue
      this.#durable.write(newest.data, page * PAGE_BYTES)
      const later = versions.filter((one) => one.version > version)
      if (later.length > 0) this.#versions.set(page, later)
      else this.#versions.delete(page)
    }
  }
}

type Node = RecordedFile | 'folder'
type Tree = Map<string, Node>

/** A change of a folder that a power cut may undo until the folder is synced. */
interface FolderChange {
  readonly folder: string
  apply(tree: Tree): void
}

/** Files and folders by path; undefined is a folder. */
export type DiskState = ReadonlyMap<string, Buffer | undefined>

/**
 * Replays recorded calls and tells what a power cut at that point may leave: any of the unsynced pages in any of their
 * versions, torn between sectors, and any of the unsynced changes of folders.
 */
export class RecordedDisk {
  readonly #tree: Tree = new Map()
  readonly #durableTree: Tree = new Map()
  #changes: FolderChange[] = []
  readonly #handles = new Map<number, { readonly path: string; readonly node: Node }>()
  readonly #folderSyncs = new Map<number, readonly FolderChange[]>()

  /** @param root the folder that holds everything; it exists, and `start` is in it, durable */
  constructor(root: string, start: DiskState = new Map()) {
    this.#tree.set(root, 'folder')
    for (const [path, bytes] of start) {
      const node = bytes === undefined ? 'folder' : new RecordedFile()
      if (node !== 'folder' && bytes !== undefined) {
        node.write(bytes, 0, true)
      }
      this.#tree.set(path, node)
    }
    for (const [path, node] of this.#tree) this.#durableTree.set(path, node)
  }

  apply(call: RecordedCall): void {
    switch (call.kind) {
      case 'open':
        this.#open(call.handle, call.path, call.truncates)
        break
      case 'write':
        this.#fileOf(call.handle).write(call.bytes, call.offset, call.isSynced)
        break
      case 'truncate':
        this.#fileOf(call.handle).truncate(call.length)
        break
      case 'syncBegin':
        this.#syncBegin(call.handle, call.sync)
        break
      case 'syncEnd':
        this.#syncEnd(call.handle, call.sync)
        break
      case 'rename':
        this.#rename(call.from, call.to)
        break
      case 'unlink':
      case 'rmdir':
        this.#change(call.path, (tree) => void tree.delete(call.path))
        break
      case 'mkdir':
        this.#change(call.path, (tree) => void tree.set(call.path, 'folder'))
        break
      case 'send':
        return
    }
  }

  /** True when a power cut could lose anything. */
  get isDirty(): boolean {
    return this.#changes.length > 0 || [...this.#tree.values()].some((node) => node !== 'folder' && node.isDirty)
  }

  afterPowerCut(random: Random): DiskState {
    const tree = new Map(this.#durableTree)
    // A journal loses the last changes; a file system without one may lose any.
    const isOrdered = random.fraction() < 0.5
    const kept = Math.floor(random.fraction() * (this.#changes.length + 1))
    for (const [index, change] of this.#changes.entries()) {
      if (isOrdered ? index < kept : random.fraction() < 0.5) change.apply(tree)
    }
    return stateOf(tree, (file) => file.afterPowerCut(random))
  }

  /** What is there when nothing is lost. */
  get whole(): DiskState {
    return stateOf(this.#tree, (file) => file.whole())
  }

  #fileOf(handle: number): RecordedFile {
    const node = this.#handles.get(handle)?.node
    assert.ok(node !== undefined && node !== 'folder', `handle ${handle} is a file`)
    return node
  }

  #change(path: string, apply: (tree: Tree) => void): void {
    apply(this.#tree)
    this.#changes.push({ folder: dirname(path), apply })
  }

  #open(handle: number, path: string, truncates: boolean): void {
    let node = this.#tree.get(path)
    if (node === undefined) {
      const file = new RecordedFile()
      node = file
      this.#change(path, (tree) => void tree.set(path, file))
    }
    if (truncates && node !== 'folder' && node.current.length > 0) node.truncate(0)
    this.#handles.set(handle, { path, node })
  }

  #rename(from: string, to: string): void {
    const node = this.#tree.get(from)
    assert.ok(node !== undefined, `${from} is there`)
    this.#change(to, (tree) => {
      if (tree.get(from) === node) tree.delete(from)
      tree.set(to, node)
      for (const [path, inside] of [...tree]) {
        if (!path.startsWith(`${from}/`)) continue
        tree.delete(path)
        tree.set(to + path.slice(from.length), inside)
      }
    })
  }

  #syncBegin(handle: number, sync: number): void {
    const opened = this.#handles.get(handle)
    assert.ok(opened !== undefined)
    if (opened.node === 'folder')
      this.#folderSyncs.set(
        sync,
        this.#changes.filter(({ folder }) => folder === opened.path)
      )
    else opened.node.syncBegin(sync)
  }

  #syncEnd(handle: number, sync: number): void {
    const node = this.#handles.get(handle)?.node
    const changes = this.#folderSyncs.get(sync)
    if (node !== undefined && node !== 'folder') node.syncEnd(sync)
    if (changes === undefined) return
    for (const change of changes) change.apply(this.#durableTree)
    this.#changes = this.#changes.filter((change) => !changes.includes(change))
  }
}

/** What can be reached from the root. */
function stateOf(tree: Tree, read: (file: RecordedFile) => Buffer): DiskState {
  const state = new Map<string, Buffer | undefined>()
  const [root] = tree.keys()
  const isReachable = (path: string): boolean => {
    for (let folder = dirname(path); folder !== dirname(root!); folder = dirname(folder))
      if (tree.get(folder) !== 'folder') return false
    return true
  }
  for (const path of [...tree.keys()].sort()) {
    const node = tree.get(path)
    if (path === root || node === undefined || !isReachable(path)) continue
    state.set(path, node === 'folder' ? undefined : read(node))
  }
  return state
}
