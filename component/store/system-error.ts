import { describeError, Fault } from '../base/fault.ts'

/** Causes inside causes that are looked through; a bound against a cycle. */
const CAUSES_MAX = 8

/** The code of the system error at the bottom of anything thrown ("ENOSPC"), looking through the causes of Faults. */
export function systemErrorCode(error: unknown): string | undefined {
  let current: unknown = error
  for (let depth = 0; depth < CAUSES_MAX && current instanceof Error; depth++) {
    if ('code' in current && typeof current.code === 'string') return current.code
    current = current.cause
  }
  return undefined
}

/** The Fault for a failed system call: the sentence names what was tried, the path and the system error. */
export function diskFault(action: string, path: string, error: unknown): Fault {
  return new Fault(`cannot ${action} ${path}: ${describeError(error)}`, error)
}

/** An error as the system reports it, for disks that are not the system's. */
export function systemError(code: string, text: string): Error & { readonly code: string } {
  return Object.assign(new Error(`${code}: ${text}`), { code })
}

/** True when the write failed for want of space alone: the same file takes more bytes once there is space again. */
export function isSpaceError(error: unknown): boolean {
  const code = systemErrorCode(error)
  return code === 'ENOSPC' || code === 'EDQUOT' || code === 'ENOMEM'
}

/** True when the file is not there (any more). */
export function isMissingError(error: unknown): boolean {
  return systemErrorCode(error) === 'ENOENT'
}

/** True when the process or the system had no descriptor or memory left: nothing is wrong with the file. */
export function isShortageError(error: unknown): boolean {
  return ['EMFILE', 'ENFILE', 'ENOMEM'].includes(systemErrorCode(error) ?? '')
}

/** One family: nothing can be written, and only a person or time can help (reliability 3.5). */
const WRITE_PROBLEMS: ReadonlyMap<string, string> = new Map([
  ['ENOSPC', 'no space is left on the device'],
  ['EDQUOT', 'the disk quota of the user who runs the server is used up'],
  ['EFBIG', 'the file would be larger than the file system or the limits of the process allow'],
  ['EROFS', 'the file system is read-only: mounted so, or made so by the kernel after an error'],
  ['EIO', 'the device fails to read or write']
])

/** What keeps the disk from being written to, in words; undefined for any other error. */
export function writeProblem(error: unknown): string | undefined {
  return WRITE_PROBLEMS.get(systemErrorCode(error) ?? '')
}
