import { dirname } from 'node:path'
import type { Random } from '../../component/base/random.ts'
import { nextTurn } from '../../component/base/turn.ts'
import type { Disk, DiskFile } from '../../component/store/disk.ts'
import { diskFault, systemError } from '../../component/store/system-error.ts'
import { FaultyContent } from './faulty-content.ts'

export type DiskOperation =
  'create' | 'open' | 'list' | 'rename' | 'remove' | 'syncFolder' | 'write' | 'read' | 'sync' | 'truncate'

/** What a fault rule is asked. */
export interface DiskCall {
  readonly operation: DiskOperation
  readonly path: string
  /** First byte and length, for reads and writes. */
  readonly position: number
  readonly bytes: number
}

/** The error code to fail with, and how many bytes a failing write still takes. */
export interface InjectedFault {
  readonly code: string
  readonly bytesTaken?: number
}

/** Decides about every call; undefined lets it pass. */
export type FaultRule = (call: DiskCall) => InjectedFault | undefined

interface Inode {
  readonly content: FaultyContent
  links: number
}

/** A change of a folder that a power cut may undo until the folder is synced. A rename happens wholly or not at all. */
interface FolderChange {
  readonly folder: string
  apply(entries: Map<string, Inode>): void
}

export interface FaultyDiskOptions {
  readonly random: Random
  /** Bytes of all files together; writes beyond it fail with ENOSPC. */
  readonly bytesMax?: number
  /** How long a sync takes; one turn of the event loop by default. */
  readonly delay?: () => Promise<void>
}

/** What outlives the program. */
interface World {
  readonly options: FaultyDiskOptions
  /** By path: as the program sees it, and as a power cut leaves it. */
  readonly entries: Map<string, Inode>
  readonly durableEntries: Map<string, Inode>
  changes: FolderChange[]
  readonly folders: Set<string>
}

/**
 * A disk in memory that forgets what was not synced. `kill` and `cutPower` end the program that uses it: all files it
 * had open, and the disk object itself, then fail; the program goes on with the disk that is returned.
 */
export interface FaultyDisk extends Disk {
  /** Asked before every call. */
  rule: FaultRule
  /** The process dies; the operating system lives on. */
  kill(): FaultyDisk
  /** The machine dies: a choice of what was not synced is lost. */
  cutPower(): FaultyDisk
  /** The content of a file. @throws when there is none */
  contentOf(path: string): Buffer
  /** Changes the content of a file on the medium, or makes such a file. */
  damage(path: string, bytes: Buffer): void
  /** Paths of all files, sorted. */
  readonly paths: readonly string[]
  /** Files opened and not closed. */
  readonly openFiles: number
}

/** Fails the calls that match, all of them or the first `times`. */
export function failing(
  match: { readonly operation: DiskOperation; readonly path?: string | RegExp },
  fault: InjectedFault,
  times = Infinity
): FaultRule {
  let left = times
  return ({ operation, path }) => {
    const isPath = match.path === undefined || path.search(match.path) !== -1
    if (operation !== match.operation || !isPath || left === 0) return undefined
    left--
    return fault
  }
}

export function createFaultyDisk(options: FaultyDiskOptions): FaultyDisk {
  return attach({ options, entries: new Map(), durableEntries: new Map(), changes: [], folders: new Set(['/']) })
}

function cutPower(world: World): void {
  const { random } = world.options
  // A journal loses the last changes; a file system without one may lose any.
  const isOrdered = random.fraction() < 0.5
  const kept = Math.floor(random.fraction() * (world.changes.length + 1))
  for (const [index, change] of world.changes.entries()) {
    const survives = isOrdered ? index < kept : random.fraction() < 0.5
    if (survives) change.apply(world.durableEntries)
  }
  world.changes = []
  world.entries.clear()
  for (const [path, inode] of world.durableEntries) world.entries.set(path, inode)
  const inodes = new Set(world.entries.values())
  for (const inode of inodes) {
    inode.content.crash(random)
    inode.links = 1
  }
}

/** The disk as one run of the program sees it. */
function attach(world: World): FaultyDisk {
  const { random, bytesMax = Infinity, delay = nextTurn } = world.options
  let isDead = false
  let openFiles = 0

  const check = (operation: DiskOperation, path: string, position = 0, bytes = 0): void => {
    if (isDead) throw diskFault(operation, path, systemError('EIO', 'the program has ended'))
    const fault = disk.rule({ operation, path, position, bytes })
    if (fault !== undefined) throw diskFault(operation, path, Object.assign(systemError(fault.code, 'injected'), fault))
  }
  const fail = (operation: DiskOperation, path: string, code: string): never => {
    throw diskFault(operation, path, systemError(code, 'as a real disk would'))
  }
  const change = (path: string, apply: (entries: Map<string, Inode>) => void): void => {
    apply(world.entries)
    world.changes.push({ folder: dirname(path), apply })
  }
  const unlink = (path: string): void => {
    const inode = world.entries.get(path)
    if (inode === undefined) return
    inode.links--
    change(path, (entries) => {
      if (entries.get(path) === inode) entries.delete(path)
    })
  }
  const usedBytes = (): number => [...world.entries.values()].reduce((sum, { content }) => sum + content.length, 0)

  const write = (path: string, { content }: Inode, buffers: readonly Uint8Array[], position: number): void => {
    const bytes = Buffer.concat(buffers)
    try {
      check('write', path, position, bytes.length)
    } catch (error) {
      const cause = error instanceof Error ? error.cause : undefined
      const taken = cause instanceof Error && 'bytesTaken' in cause ? Number(cause.bytesTaken) : 0
      if (taken > 0) content.write(bytes.subarray(0, taken), position)
      throw error
    }
    const growth = Math.max(0, position + bytes.length - content.length)
    const free = bytesMax - usedBytes()
    if (growth > free) {
      content.write(bytes.subarray(0, Math.max(0, bytes.length - growth + free)), position)
      fail('write', path, 'ENOSPC')
    }
    content.write(bytes, position)
    if (random.fraction() < 0.1) content.writeBack(random)
  }

  const renameFolder = (from: string, to: string): void => {
    const moved = (path: string): string =>
      path === from || path.startsWith(`${from}/`) ? to + path.slice(from.length) : path
    const isUsed = [...world.folders, ...world.entries.keys()].some((path) => path.startsWith(`${to}/`))
    if (isUsed) fail('rename', to, 'ENOTEMPTY')
    if (!world.folders.has(dirname(to))) fail('rename', to, 'ENOENT')
    const folders = [...world.folders].map(moved)
    world.folders.clear()
    for (const folder of folders) world.folders.add(folder)
    change(to, (entries) => {
      for (const [path, inode] of [...entries]) {
        if (moved(path) === path) continue
        entries.delete(path)
        entries.set(moved(path), inode)
      }
    })
  }

  const open = (path: string, inode: Inode): DiskFile => {
    const { content } = inode
    let isOpen = true
    openFiles++
    const use = (operation: DiskOperation, position = 0, bytes = 0): void => {
      if (!isOpen) throw new Error(`${operation} on the closed file ${path}`)
      check(operation, path, position, bytes)
    }
    const read = (position: number, length: number): Buffer => {
      use('read', position, length)
      return Buffer.from(content.bytes.subarray(position, position + length))
    }
    return {
      size: () => content.length,
      write(buffers, position) {
        if (!isOpen) throw new Error(`write to the closed file ${path}`)
        write(path, inode, buffers, position)
      },
      async writeAsync(buffers, position) {
        await delay()
        if (!isOpen) throw new Error(`write to the closed file ${path}`)
        write(path, inode, buffers, position)
      },
      read,
      async readAsync(position, length, into) {
        await Promise.resolve()
        const bytes = read(position, length)
        return into === undefined ? bytes : into.subarray(0, bytes.copy(into))
      },
      async sync() {
        if (!isOpen) throw new Error(`sync of the closed file ${path}`)
        const sync = content.beginSync()
        await delay()
        try {
          use('sync')
        } catch (error) {
          if (!isDead) content.failSync(sync)
          throw error
        }
        content.endSync(sync)
      },
      truncate(length) {
        use('truncate', length)
        content.truncate(length)
      },
      isUnlinked: () => inode.links === 0,
      close() {
        if (isOpen) openFiles--
        isOpen = false
      }
    }
  }

  const disk: FaultyDisk = {
    rule: () => undefined,
    createFile(path) {
      check('create', path)
      if (world.entries.has(path) || world.folders.has(path)) fail('create', path, 'EEXIST')
      if (!world.folders.has(dirname(path))) fail('create', path, 'ENOENT')
      const inode = { content: new FaultyContent(), links: 1 }
      change(path, (entries) => entries.set(path, inode))
      return open(path, inode)
    },
    openFile(path) {
      check('open', path)
      return open(path, world.entries.get(path) ?? fail('open', path, 'ENOENT'))
    },
    makeFolder(path) {
      for (let folder = path; !world.folders.has(folder); folder = dirname(folder)) world.folders.add(folder)
    },
    listFolder(path) {
      check('list', path)
      const inside = (entry: string): boolean => entry !== path && dirname(entry) === path
      const name = (entry: string): string => entry.slice(entry.lastIndexOf('/') + 1)
      const files = [...world.entries.keys()].filter(inside).map((entry) => ({ name: name(entry), isFolder: false }))
      const folders = [...world.folders].filter(inside).map((entry) => ({ name: name(entry), isFolder: true }))
      return [...files, ...folders].sort((left, right) => (left.name < right.name ? -1 : 1))
    },
    rename(from, to) {
      check('rename', from)
      if (world.folders.has(from)) {
        renameFolder(from, to)
        return
      }
      const inode = world.entries.get(from) ?? fail('rename', from, 'ENOENT')
      const replaced = world.entries.get(to)
      if (replaced !== undefined) replaced.links--
      change(to, (entries) => {
        if (entries.get(from) === inode) entries.delete(from)
        entries.set(to, inode)
      })
    },
    removeFile(path) {
      check('remove', path)
      unlink(path)
    },
    removeFolder(path) {
      check('remove', path)
      for (const entry of [...world.entries.keys()]) if (entry.startsWith(`${path}/`)) unlink(entry)
      for (const folder of [...world.folders]) {
        if (folder === path || folder.startsWith(`${path}/`)) world.folders.delete(folder)
      }
    },
    async syncFolder(path) {
      const begun = world.changes.filter(({ folder }) => folder === path)
      await delay()
      check('syncFolder', path)
      for (const { apply } of begun) apply(world.durableEntries)
      world.changes = world.changes.filter((entry) => !begun.includes(entry))
    },
    // Too small for its share to matter: the least reserve is kept.
    freeSpace: () => ({
      bytes: Math.max(0, bytesMax - usedBytes()),
      inodes: 1_000_000,
      size: { bytes: 0, inodes: 0 }
    }),
    kill() {
      isDead = true
      return attach(world)
    },
    cutPower() {
      isDead = true
      cutPower(world)
      return attach(world)
    },
    contentOf: (path) => Buffer.from((world.entries.get(path) ?? fail('open', path, 'ENOENT')).content.bytes),
    damage(path, bytes) {
      const inode = world.entries.get(path) ?? { content: new FaultyContent(), links: 1 }
      inode.content.replace(bytes)
      world.entries.set(path, inode)
      world.durableEntries.set(path, inode)
    },
    get paths() {
      return [...world.entries.keys()].sort()
    },
    get openFiles() {
      return openFiles
    }
  }
  return disk
}
