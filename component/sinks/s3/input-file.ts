import { constants } from 'node:fs'
import { open, readlink, statfs, type FileHandle } from 'node:fs/promises'
import type { InputPolicy } from './input-policy.ts'

/**
 * What tells a file from another one, and from itself before a change. Not its device: after a restart of the machine the
 * same disk may have another number.
 */
export interface FileIdentity {
  readonly inode: string
  /** Size in bytes. */
  readonly bytes: number
  /** Time of the last change, nanoseconds since the epoch. */
  readonly modifiedNs: string
}

/** An open regular file that may be uploaded. The taker closes it. */
export interface InputFile {
  readonly handle: FileHandle
  /** As it was when the file was opened. */
  readonly identity: FileIdentity
}

/** A problem is told to whoever appended the task: which of three classes it is, and nothing more (reliability 6.2 X6). */
export type OpenedInput =
  | { readonly kind: 'opened'; readonly file: InputFile }
  | { readonly kind: 'refused'; readonly name: string; readonly problem: string }
  /** Our own trouble, e.g. too many open files. */
  | { readonly kind: 'failed'; readonly error: unknown }

const NOT_FOUND: OpenedInput = {
  kind: 'refused',
  name: 'InputFileNotFound',
  problem: 'the input file does not exist'
}
const NOT_READABLE: OpenedInput = {
  kind: 'refused',
  name: 'InputFileNotReadable',
  problem: 'the input is not a file that can be read'
}
const NOT_ALLOWED: OpenedInput = {
  kind: 'refused',
  name: 'InputFileNotAllowed',
  problem: 'the input file may not be uploaded'
}

const MISSING_CODES = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP'])
const UNREADABLE_CODES = new Set(['EACCES', 'EPERM', 'ENXIO', 'ENODEV', 'EISDIR', 'EOVERFLOW'])
/** Opening a pipe or a device must not wait for its other end (X2). */
const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK

/** Opens the first of the paths that exists, and checks what was opened, not what its name promised (X2, X3). */
export async function openInput(paths: readonly string[], policy: InputPolicy): Promise<OpenedInput> {
  for (const path of paths) {
    const opened = await openPath(path, policy)
    if (opened !== NOT_FOUND) return opened
  }
  return NOT_FOUND
}

async function openPath(path: string, policy: InputPolicy): Promise<OpenedInput> {
  let handle: FileHandle
  try {
    handle = await open(path, FLAGS)
  } catch (error) {
    return refusalOf(error)
  }
  let checked: OpenedInput
  try {
    checked = await check(handle, policy)
  } catch (error) {
    checked = { kind: 'failed', error }
  }
  if (checked.kind !== 'opened') await handle.close()
  return checked
}

async function check(handle: FileHandle, policy: InputPolicy): Promise<OpenedInput> {
  const stats = await handle.stat({ bigint: true })
  if (!stats.isFile()) return NOT_READABLE
  // The link of a descriptor leads to what is open, whatever has become of its name.
  const descriptor = `/proc/self/fd/${handle.fd}`
  const [resolved, fileSystem] = await Promise.all([readlink(descriptor), statfs(descriptor, { bigint: true })])
  if (!policy.allows(resolved, fileSystem.type)) return NOT_ALLOWED
  return { kind: 'opened', file: { handle, identity: identityOf(stats) } }
}

function identityOf(stats: { readonly ino: bigint; readonly size: bigint; readonly mtimeNs: bigint }): FileIdentity {
  return {
    inode: stats.ino.toString(),
    bytes: Number(stats.size),
    modifiedNs: stats.mtimeNs.toString()
  }
}

/** The identity of an open file now. */
export async function currentIdentity(handle: FileHandle): Promise<FileIdentity> {
  return identityOf(await handle.stat({ bigint: true }))
}

/** What has happened to a file since `before`. */
export type FileChange = 'none' | 'grown' | 'shrunk' | 'replaced'

/** A file that was written to and has kept its size counts as another one. */
export function changeOf(before: FileIdentity, now: FileIdentity): FileChange {
  if (now.inode !== before.inode) return 'replaced'
  if (now.bytes !== before.bytes) return now.bytes > before.bytes ? 'grown' : 'shrunk'
  return now.modifiedNs === before.modifiedNs ? 'none' : 'replaced'
}

function refusalOf(error: unknown): OpenedInput {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (MISSING_CODES.has(code)) return NOT_FOUND
  return UNREADABLE_CODES.has(code) ? NOT_READABLE : { kind: 'failed', error }
}
