import * as fs from 'node:fs/promises'
import { constants, fstatSync, readSync } from 'node:fs'
import { describeError, Fault } from '../../base/fault.ts'
import { ZERO_CHUNK_BYTES } from './limits.ts'

const { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } = constants

/** What a path is. */
export interface FileState {
  readonly isFile: boolean
  readonly bytes: number
  /** Device and inode: two paths, or one path at two times, with equal identities are the same file or folder. */
  readonly identity: string
}

/** The database file through our own descriptor, which stays open so that a full descriptor table cannot matter. */
export interface DataFile {
  size(): number
  /** Reads up to `length` bytes from the start. */
  readStart(length: number): Buffer
  /** True once the file is in no folder any more: LMDB would go on writing into it (reliability F20). */
  isUnlinked(): boolean
  /** Appends zeros and syncs. @throws Fault on a full disk; the part that was written stays */
  extend(bytes: number): Promise<void>
  sync(): Promise<void>
  close(): Promise<void>
}

/** All file work of the catalogue but LMDB's own. Every error is a Fault whose cause is the system error. */
export interface CatalogueFiles {
  /** The state of a path itself, links not followed; undefined when there is nothing. */
  stat(path: string): Promise<FileState | undefined>
  /** Creates a folder and its parents, mode 0700; an existing one is fine. */
  makeFolder(path: string): Promise<void>
  list(folder: string): Promise<readonly string[]>
  /** The content, or undefined when there is no such file. @throws Fault also when it is longer than `bytesMax` */
  read(path: string, bytesMax: number): Promise<Buffer | undefined>
  /** Writes a new file of mode 0600, replacing an old one, and syncs it. */
  write(path: string, chunks: Iterable<Uint8Array>): Promise<void>
  rename(from: string, to: string): Promise<void>
  /** Removes a file, or a folder with its content; nothing there is fine. */
  remove(path: string): Promise<void>
  /** Makes creations, renames and removals in the folder survive a power cut. */
  syncFolder(folder: string): Promise<void>
  openData(path: string): Promise<DataFile>
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}

function faultOf(action: string, path: string, error: unknown): Fault {
  return new Fault(`cannot ${action} ${path}: ${describeError(error)}`, error)
}

async function attempt<Value>(action: string, path: string, run: () => Promise<Value>): Promise<Value> {
  try {
    return await run()
  } catch (error) {
    throw faultOf(action, path, error)
  }
}

async function unlessAbsent<Value>(run: () => Promise<Value>): Promise<Value | undefined> {
  try {
    return await run()
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw error
  }
}

async function withHandle<Value>(
  path: string,
  flags: number,
  use: (handle: fs.FileHandle) => Promise<Value>
): Promise<Value> {
  const handle = await fs.open(path, flags | O_NOFOLLOW, 0o600)
  try {
    return await use(handle)
  } finally {
    await handle.close()
  }
}

/** Writes all bytes at the handle's position; one call may take fewer. */
async function writeAll(handle: fs.FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, null)
    if (bytesWritten === 0) throw new Fault('a write took no byte')
    done += bytesWritten
  }
}

async function writeFile(path: string, chunks: Iterable<Uint8Array>): Promise<void> {
  await fs.rm(path, { force: true })
  await withHandle(path, O_WRONLY | O_CREAT | O_EXCL, async (handle) => {
    await handle.chmod(0o600)
    for (const chunk of chunks) await writeAll(handle, chunk)
    await handle.sync()
  })
}

async function readFile(path: string, bytesMax: number): Promise<Buffer> {
  return await withHandle(path, O_RDONLY | O_NONBLOCK, async (handle) => {
    const { size } = await handle.stat()
    if (size > bytesMax) throw new Fault(`it has ${size} bytes, more than the ${bytesMax} that are expected at most`)
    return await handle.readFile()
  })
}

async function extend(handle: fs.FileHandle, bytes: number): Promise<void> {
  const zeros = Buffer.alloc(Math.min(bytes, ZERO_CHUNK_BYTES))
  for (let left = bytes; left > 0; left -= zeros.length) await writeAll(handle, zeros.subarray(0, left))
  await handle.sync()
}

async function openData(path: string): Promise<DataFile> {
  const handle = await fs.open(path, O_RDWR | O_APPEND | O_NOFOLLOW)
  const attemptNow = <Value>(action: string, call: () => Value): Value => {
    try {
      return call()
    } catch (error) {
      throw faultOf(action, path, error)
    }
  }
  return {
    size: () => attemptNow('look at', () => fstatSync(handle.fd).size),
    readStart(length) {
      const bytes = Buffer.alloc(length)
      return bytes.subarray(
        0,
        attemptNow('read', () => readSync(handle.fd, bytes, 0, length, 0))
      )
    },
    isUnlinked: () => attemptNow('look at', () => fstatSync(handle.fd).nlink === 0),
    extend: (bytes) => attempt('extend', path, () => extend(handle, bytes)),
    sync: () => attempt('sync', path, () => handle.sync()),
    close: () => handle.close()
  }
}

/** The files of the machine. */
export const nodeCatalogueFiles: CatalogueFiles = {
  stat: (path) =>
    attempt('look at', path, () =>
      unlessAbsent(async () => {
        const stats = await fs.lstat(path, { bigint: true })
        return { isFile: stats.isFile(), bytes: Number(stats.size), identity: `${stats.dev}-${stats.ino}` }
      })
    ),
  makeFolder: (path) =>
    attempt('create the folder', path, async () => {
      await fs.mkdir(path, { recursive: true, mode: 0o700 })
    }),
  list: (folder) => attempt('list', folder, async () => (await fs.readdir(folder)).sort()),
  read: (path, bytesMax) => attempt('read', path, () => unlessAbsent(() => readFile(path, bytesMax))),
  write: (path, chunks) => attempt('write', path, () => writeFile(path, chunks)),
  rename: (from, to) => attempt('rename', from, () => fs.rename(from, to)),
  remove: (path) => attempt('remove', path, () => fs.rm(path, { recursive: true, force: true })),
  syncFolder: (folder) =>
    attempt('sync the folder', folder, () => withHandle(folder, O_RDONLY, (handle) => handle.sync())),
  openData: (path) => attempt('open', path, () => openData(path))
}
