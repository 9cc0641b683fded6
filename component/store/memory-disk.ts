import { dirname } from 'node:path'
import { createBufferPool } from '../base/buffer-pool.ts'
import { createByteBudget, type ByteBudget } from '../base/byte-budget.ts'
import { MIB } from '../base/limits.ts'
import type { Disk, DiskFile } from './disk.ts'
import { createMemoryContent, type MemoryContent } from './memory-file.ts'
import { diskFault, systemError } from './system-error.ts'

/** Memory of dropped messages that is kept for new ones: a segment of the usual size. */
const FREE_BYTES_MAX = 16 * MIB

/** A file and those who use it: its memory is given back when the last handle of a removed file is closed. */
interface MemoryInode {
  readonly content: MemoryContent
  handles: number
  isLinked: boolean
}

function freeWhenUnused(inode: MemoryInode): void {
  if (inode.handles === 0 && !inode.isLinked) inode.content.free()
}

function fault(action: string, path: string, code: string, text: string): Error {
  return diskFault(action, path, systemError(code, text))
}

function openHandle(path: string, inode: MemoryInode): DiskFile {
  const { content } = inode
  let isOpen = true
  inode.handles++
  const write = (buffers: readonly Uint8Array[], position: number): void => {
    try {
      content.write(buffers, position)
    } catch (error) {
      throw diskFault('write', path, error)
    }
  }
  return {
    size: () => content.length,
    write,
    writeAsync: (buffers, position) =>
      new Promise((resolve) => {
        write(buffers, position)
        resolve()
      }),
    read: (position, length) => content.read(position, length),
    readAsync: (position, length) => Promise.resolve(content.read(position, length)),
    sync: () => Promise.resolve(),
    truncate: (length) => content.truncate(length),
    isUnlinked: () => !inode.isLinked,
    close() {
      if (!isOpen) return
      isOpen = false
      inode.handles--
      freeWhenUnused(inode)
    }
  }
}

/**
 * A disk in memory, for memory streams: all files share `bytesMax` bytes, and a write beyond that throws a Fault whose
 * cause has the code ENOMEM. Memory is given back when a file is removed, truncated or replaced.
 */
export function createMemoryDisk(options: { readonly bytesMax: number }): Disk {
  const budget: ByteBudget = createByteBudget(options.bytesMax)
  const pool = createBufferPool(FREE_BYTES_MAX)
  const folders = new Map<string, Map<string, MemoryInode>>()

  const split = (path: string): { folder: string; name: string } => ({
    folder: dirname(path),
    name: path.slice(path.lastIndexOf('/') + 1)
  })
  const find = (path: string): MemoryInode | undefined => {
    const { folder, name } = split(path)
    return folders.get(folder)?.get(name)
  }
  const unlink = (path: string): void => {
    const { folder, name } = split(path)
    const inode = folders.get(folder)?.get(name)
    if (inode === undefined) return
    folders.get(folder)?.delete(name)
    inode.isLinked = false
    freeWhenUnused(inode)
  }
  const link = (path: string, inode: MemoryInode, action: string): void => {
    const { folder, name } = split(path)
    const files = folders.get(folder)
    if (files === undefined) throw fault(action, path, 'ENOENT', 'no such folder')
    files.set(name, inode)
  }
  const isInside = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`)

  return {
    isVolatile: true,
    createFile(path) {
      if (find(path) !== undefined || folders.has(path)) throw fault('create', path, 'EEXIST', 'file already exists')
      const inode = { content: createMemoryContent(budget, pool), handles: 0, isLinked: true }
      link(path, inode, 'create')
      return openHandle(path, inode)
    },
    openFile(path) {
      const inode = find(path)
      if (inode === undefined) throw fault('open', path, 'ENOENT', 'no such file')
      return openHandle(path, inode)
    },
    makeFolder(path) {
      for (let folder = path; !folders.has(folder); folder = dirname(folder)) folders.set(folder, new Map())
    },
    listFolder(path) {
      const files = [...(folders.get(path)?.keys() ?? [])].map((name) => ({ name, isFolder: false }))
      const inner = [...folders.keys()].filter((folder) => folder !== path && dirname(folder) === path)
      const all = [...files, ...inner.map((folder) => ({ name: split(folder).name, isFolder: true }))]
      return all.sort((left, right) => (left.name < right.name ? -1 : 1))
    },
    rename(from, to) {
      const inode = find(from)
      if (inode === undefined) throw fault('rename', from, 'ENOENT', 'no such file')
      if (from === to) return
      unlink(to)
      link(to, inode, 'rename')
      folders.get(split(from).folder)?.delete(split(from).name)
    },
    removeFile: unlink,
    removeFolder(path) {
      for (const [folder, files] of folders) {
        if (!isInside(folder, path)) continue
        for (const name of [...files.keys()]) unlink(`${folder}/${name}`)
        folders.delete(folder)
      }
    },
    syncFolder: () => Promise.resolve(),
    freeSpace: () => ({
      bytes: Math.max(0, options.bytesMax - budget.used),
      inodes: Number.MAX_SAFE_INTEGER,
      size: { bytes: options.bytesMax, inodes: 0 }
    })
  }
}
