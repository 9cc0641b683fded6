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
