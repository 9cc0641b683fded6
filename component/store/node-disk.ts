import * as fs from 'node:fs'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import type { Disk, DiskFile, FreeSpace } from './disk.ts'
import { diskFault, isMissingError, systemError, systemErrorCode } from './system-error.ts'

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR } = fs.constants

/** Linux takes at most this many buffers in one writev (IOV_MAX). */
const BUFFERS_PER_WRITE_MAX = 1024
/** Linux moves less than 2 GiB per call, and Node refuses more in one read: larger ones are done in steps. */
const BYTES_PER_READ_MAX = 2 ** 30

const writevAsync = promisify(fs.writev)
const readAsync = promisify(fs.read)
const fdatasyncAsync = promisify(fs.fdatasync)
const fsyncAsync = promisify(fs.fsync)

function attempt<Value>(action: string, path: string, run: () => Value): Value {
  try {
    return run()
  } catch (error) {
    throw diskFault(action, path, error)
  }
}

async function attemptAsync<Value>(action: string, path: string, run: () => Promise<Value>): Promise<Value> {
  try {
    return await run()
  } catch (error) {
    throw diskFault(action, path, error)
  }
}

/** The buffers behind the first `written` bytes: a short write is completed with them. */
function remaining(buffers: readonly Uint8Array[], written: number): readonly Uint8Array[] {
  let rest = written
  for (const [index, buffer] of buffers.entries()) {
    if (rest < buffer.length) return [buffer.subarray(rest), ...buffers.slice(index + 1)]
    rest -= buffer.length
  }
  return []
}

function requireProgress(count: number): void {
  if (count === 0) throw systemError('EIO', 'the system took no bytes')
}

/** Steps of a write as buffer lists and positions; the step is told how many bytes the system took. */
function* writeSteps(
  buffers: readonly Uint8Array[],
  position: number
): Generator<{ readonly part: readonly Uint8Array[]; readonly at: number }, void, number> {
  let at = position
  for (let start = 0; start < buffers.length; start += BUFFERS_PER_WRITE_MAX) {
    let part: readonly Uint8Array[] = buffers.slice(start, start + BUFFERS_PER_WRITE_MAX)
    while ((part = remaining(part, 0)).length > 0) {
      const written = yield { part, at }
      requireProgress(written)
      at += written
      part = remaining(part, written)
    }
  }
}

function writeAll(descriptor: number, buffers: readonly Uint8Array[], position: number): void {
  const only = buffers.length === 1 ? buffers[0] : undefined
  const taken = only === undefined ? 0 : fs.writeSync(descriptor, only, 0, only.length, position)
  if (taken === only?.length) return
  const steps = writeSteps(remaining(buffers, taken), position + taken)
  for (let step = steps.next(); step.done !== true;) {
    step = steps.next(fs.writevSync(descriptor, step.value.part, step.value.at))
  }
}

async function writeAllAsync(descriptor: number, buffers: readonly Uint8Array[], position: number): Promise<void> {
  const steps = writeSteps(buffers, position)
  for (let step = steps.next(); step.done !== true;) {
    step = steps.next((await writevAsync(descriptor, step.value.part, step.value.at)).bytesWritten)
  }
}

function readAll(descriptor: number, position: number, length: number): Buffer {
  const buffer = Buffer.allocUnsafe(length)
  let filled = 0
  while (filled < length) {
    const count = fs.readSync(
      descriptor,
      buffer,
      filled,
      Math.min(length - filled, BYTES_PER_READ_MAX),
      position + filled
    )
    if (count === 0) break
    filled += count
  }
  return buffer.subarray(0, filled)
}

async function readAllAsync(descriptor: number, position: number, length: number, into?: Buffer): Promise<Buffer> {
  const buffer = into ?? Buffer.allocUnsafe(length)
  let filled = 0
  while (filled < length) {
    const bytes = Math.min(length - filled, BYTES_PER_READ_MAX)
    const { bytesRead } = await readAsync(descriptor, buffer, filled, bytes, position + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return buffer.subarray(0, filled)
}

function openNodeFile(path: string, descriptor: number): DiskFile {
  let isOpen = true
  return {
    size: () => attempt('look at', path, () => fs.fstatSync(descriptor).size),
    write(buffers, position) {
      attempt('write', path, () => writeAll(descriptor, buffers, position))
    },
    writeAsync: (buffers, position) => attemptAsync('write', path, () => writeAllAsync(descriptor, buffers, position)),
    read: (position, length) => attempt('read', path, () => readAll(descriptor, position, length)),
    readAsync: (position, length, into) =>
      attemptAsync('read', path, () => readAllAsync(descriptor, position, length, into)),
    sync: () => attemptAsync('sync', path, () => fdatasyncAsync(descriptor)),
    truncate(length) {
      attempt('truncate', path, () => fs.ftruncateSync(descriptor, length))
    },
    isUnlinked: () => attempt('look at', path, () => fs.fstatSync(descriptor).nlink === 0),
    close() {
      if (!isOpen) return
      isOpen = false
      attempt('close', path, () => fs.closeSync(descriptor))
    }
  }
}

function createFile(path: string): DiskFile {
  return attempt('create', path, () => {
    const descriptor = fs.openSync(path, O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW, 0o600)
    // The umask may have taken away bits that the owner needs.
    fs.fchmodSync(descriptor, 0o600)
    return openNodeFile(path, descriptor)
  })
}

function openFile(path: string, access: 'read' | 'readWrite'): DiskFile {
  return attempt('open', path, () => {
    // Without O_NONBLOCK opening a FIFO would wait for its other end.
    const descriptor = fs.openSync(path, (access === 'read' ? O_RDONLY : O_RDWR) | O_NOFOLLOW | O_NONBLOCK)
    if (fs.fstatSync(descriptor).isFile()) return openNodeFile(path, descriptor)
    fs.closeSync(descriptor)
    throw systemError('EINVAL', 'not a regular file')
  })
}

/** One folder; the umask must not take its owner's rights away. */
function makeOneFolder(path: string): void {
  try {
    fs.mkdirSync(path, 0o700)
    fs.chmodSync(path, 0o700)
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST') throw error
    if (!fs.statSync(path).isDirectory()) throw systemError('ENOTDIR', 'a file is in the way')
  }
}

function makeFolderTree(path: string): void {
  try {
    makeOneFolder(path)
  } catch (error) {
    if (!isMissingError(error) || dirname(path) === path) throw error
    makeFolderTree(dirname(path))
    makeOneFolder(path)
  }
}

function ignoreMissing(run: () => void): void {
  try {
    run()
  } catch (error) {
    if (!isMissingError(error)) throw error
  }
}

async function syncFolder(path: string): Promise<void> {
  const descriptor = fs.openSync(path, O_RDONLY | O_DIRECTORY)
  try {
    await fsyncAsync(descriptor)
  } finally {
    fs.closeSync(descriptor)
  }
}

/** File systems without an inode table report no inodes at all: they do not run out of them. */
function freeSpace(path: string): FreeSpace {
  const { bavail, blocks, bsize, files, ffree } = fs.statfsSync(path)
  return {
    bytes: bavail * bsize,
    inodes: files === 0 ? Number.MAX_SAFE_INTEGER : ffree,
    size: { bytes: blocks * bsize, inodes: files }
  }
}

function listFolder(path: string): { readonly name: string; readonly isFolder: boolean }[] {
  let entries: fs.Dirent[] = []
  ignoreMissing(() => {
    entries = fs.readdirSync(path, { withFileTypes: true })
  })
  const named = entries.map((entry) => ({ name: entry.name, isFolder: entry.isDirectory() }))
  return named.sort((left, right) => (left.name < right.name ? -1 : left.name > right.name ? 1 : 0))
}

/** The disk of the machine. Files get mode 0600 and folders 0700, whatever the umask. */
export const nodeDisk: Disk = {
  createFile,
  openFile,
  makeFolder: (path) => attempt('make the folder', path, () => makeFolderTree(path)),
  listFolder: (path) => attempt('list', path, () => listFolder(path)),
  rename: (from, to) => attempt('rename', from, () => fs.renameSync(from, to)),
  removeFile: (path) => attempt('remove', path, () => ignoreMissing(() => fs.unlinkSync(path))),
  removeFolder: (path) => attempt('remove', path, () => fs.rmSync(path, { recursive: true, force: true })),
  syncFolder: (path) => attemptAsync('sync the folder', path, () => syncFolder(path)),
  freeSpace: (path) => attempt('look at the file system of', path, () => freeSpace(path))
}
