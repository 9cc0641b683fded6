import { chmodSync, lstatSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { describeError, Fault } from '../base/fault.ts'
import { readBootId } from './boot-id.ts'

/**
 * One server per store (reliability 3.4): two would both write to it, and nothing else prevents that.
 *
 * On Linux the lock is an abstract Unix socket whose name comes from the folder's device and inode. The kernel frees it
 * when the process ends, however it ends, and holds it while the process is stopped. Beside it a lock file says who the
 * owner is: for the message, and as the lock where there are no abstract sockets or the two processes do not share a
 * network namespace. A file whose process is gone counts for nothing.
 */
const LOCK_FILE = 'store.lock'
const LOCK_FILE_BYTES_MAX = 1_000

/** Who holds a store. */
export interface StoreHolder {
  readonly pid: number
  readonly bootId: string | undefined
  /** When the process started, in the kernel's clock ticks since the boot; tells it from a later one with its pid. */
  readonly startTicks: string | undefined
}

/** Another process uses the store. */
export class StoreInUse extends Fault {
  /** Undefined when the owner did not say. */
  readonly holder: StoreHolder | undefined

  constructor(folder: string, holder: StoreHolder | undefined) {
    const owner = holder === undefined ? 'another process' : `the process ${holder.pid}`
    super(`the store ${folder} is in use by ${owner}; only one server can use it at a time`)
    this.holder = holder
  }
}

export interface StoreLock {
  release(): Promise<void>
}

/** The start time of a running process, field 22 of its stat line; undefined when it does not run or cannot be seen. */
function startTicksOf(pid: number): string | undefined {
  try {
    const line = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The second field, the program's name, is in parentheses and may contain anything.
    return line.slice(line.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // A process of another user exists, too.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

function isAlive(holder: StoreHolder): boolean {
  if (holder.pid === process.pid) return false
  if (holder.bootId !== readBootId()) return false
  if (!isRunning(holder.pid)) return false
  return holder.startTicks === undefined || holder.startTicks === startTicksOf(holder.pid)
}

function parseHolder(text: string): StoreHolder | undefined {
  const [pid = '', bootId = '', startTicks = '', end] = text.split('\n')
  if (!/^[1-9]\d{0,9}$/.test(pid) || end !== '') return undefined
  return { pid: Number(pid), bootId: bootId || undefined, startTicks: startTicks || undefined }
}

function readHolder(path: string): StoreHolder | undefined {
  try {
    const state = lstatSync(path)
    if (!state.isFile() || state.size > LOCK_FILE_BYTES_MAX) return undefined
    return parseHolder(readFileSync(path, 'latin1'))
  } catch {
    return undefined
  }
}

/** Name of the socket that is bound while a server runs on the folder. */
function socketName(folder: string): string {
  const { dev, ino } = statSync(folder, { bigint: true })
  return `edge-stream-manager/${dev}-${ino}`
}

/**
 * Who runs on the store in `folder`, found out without touching anything. The lock file alone would speak for a copy of
 * a store as well; where there are abstract sockets, and the kernel lists them, they decide.
 * @returns undefined when nobody does, or it cannot be seen from here
 */
export function findStoreHolder(folder: string): StoreHolder | undefined {
  const holder = readHolder(join(folder, LOCK_FILE))
  if (holder === undefined || !isAlive(holder)) return undefined
  try {
    // The kernel shows the zeros that begin and fill an abstract name as at signs.
    const names = readFileSync('/proc/net/unix', 'latin1').split(/[@\n]+/)
    return names.includes(socketName(folder)) ? holder : undefined
  } catch {
    return holder
  }
}

/** The text of the lock file: pid, boot id and start time, a line each. */
function ownLines(): string {
  return `${process.pid}\n${readBootId() ?? ''}\n${startTicksOf(process.pid) ?? ''}\n`
}

/** Replaces the lock file at once, so that nobody reads half of it. It need not survive a power cut. */
function writeLockFile(path: string): void {
  const temporary = `${path}.${process.pid}`
  try {
    rmSync(temporary, { force: true })
    writeFileSync(temporary, ownLines(), { mode: 0o600, flag: 'wx' })
    chmodSync(temporary, 0o600)
    renameSync(temporary, path)
  } finally {
    rmSync(temporary, { force: true })
  }
}

/** Removes lock files that processes were writing when they were killed. They do no harm, but they would gather. */
function removeUnfinishedLockFiles(folder: string): void {
  for (const name of readdirSync(folder)) {
    const pid = /^store\.lock\.([1-9]\d{0,9})$/.exec(name)?.[1]
    if (pid !== undefined && !isRunning(Number(pid))) rmSync(join(folder, name), { force: true })
  }
}

/** Binds the socket; undefined when another process has it. */
function bind(name: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
    server.once('error', (error) => {
      if ('code' in error && error.code === 'EADDRINUSE') resolve(undefined)
      else reject(error)
    })
    server.listen(name, () => resolve(server.unref()))
  })
}

function closeServer(server: Server | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (server === undefined) resolve()
    else server.close(() => resolve())
  })
}

/**
 * Takes the lock of the store in `folder`, which exists.
 * @throws StoreInUse when another server has it
 * @throws Fault when the folder cannot be looked at
 */
export async function acquireStoreLock(folder: string, platform: string = process.platform): Promise<StoreLock> {
  const path = join(folder, LOCK_FILE)
  let server: Server | undefined
  try {
    const socket = socketName(folder)
    if (platform === 'linux') {
      server = await bind(`\0${socket}`)
      if (server === undefined) throw new StoreInUse(folder, readHolder(path))
    }
    const holder = readHolder(path)
    if (holder !== undefined && isAlive(holder)) throw new StoreInUse(folder, holder)
    // The file is for others to read; on a full disk the socket alone has to do.
    if (server === undefined) writeLockFile(path)
    else
      await Promise.resolve()
        .then(() => removeUnfinishedLockFiles(folder))
        .then(() => writeLockFile(path))
        .catch(() => undefined)
  } catch (error) {
    await closeServer(server)
    throw error instanceof Fault ? error : new Fault(`cannot lock the store ${folder}: ${describeError(error)}`, error)
  }
  return {
    async release() {
      if (readHolder(path)?.pid === process.pid) rmSync(path, { force: true })
      await closeServer(server)
    }
  }
}
