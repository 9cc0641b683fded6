import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What a program did to its files, as test/crash/shim/recording-shim.c wrote it down, in the order of the kernel. */
export type RecordedCall =
  | { readonly kind: 'open'; readonly handle: number; readonly path: string; readonly truncates: boolean }
  /** `isSynced`: durable when the call returns. */
  | {
      readonly kind: 'write'
      readonly handle: number
      readonly offset: number
      readonly bytes: Buffer
      readonly isSynced: boolean
    }
  /** A sync covers what was written before it began, once it has ended. */
  | { readonly kind: 'syncBegin' | 'syncEnd'; readonly handle: number; readonly sync: number }
  | { readonly kind: 'truncate'; readonly handle: number; readonly length: number }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string }
  | { readonly kind: 'unlink' | 'mkdir' | 'rmdir'; readonly path: string }
  | { readonly kind: 'send'; readonly descriptor: number; readonly bytes: Buffer }

const HEADER_BYTES = 24
const O_TRUNC = 0o1000
const KINDS = ['', 'open', 'write', 'syncBegin', 'syncEnd', 'truncate', 'rename', 'unlink', 'mkdir', 'rmdir', 'send']

function callOf(kind: string, log: Buffer, at: number, data: Buffer): RecordedCall {
  const handle = log.readInt32LE(at + 4)
  const offset = Number(log.readBigInt64LE(at + 8))
  const flags = log.readUInt32LE(at + 16)
  switch (kind) {
    case 'open':
      return { kind, handle, path: data.toString(), truncates: (flags & O_TRUNC) !== 0 }
    case 'write':
      return { kind, handle, offset, bytes: data, isSynced: flags !== 0 }
    case 'syncBegin':
    case 'syncEnd':
      return { kind, handle, sync: offset }
    case 'truncate':
      return { kind, handle, length: offset }
    case 'rename': {
      const [from = '', to = ''] = data.toString().split('\n')
      return { kind, from, to }
    }
    case 'unlink':
    case 'mkdir':
    case 'rmdir':
      return { kind, path: data.toString() }
    case 'send':
      return { kind, descriptor: handle, bytes: data }
    default:
      throw new Error(`the program changed a file in a way that is not recorded: ${data.toString()}`)
  }
}

/** Reads a record; a program that was killed may leave the last call cut, which is left out. */
export function readRecordedCalls(file: string): RecordedCall[] {
  const log = readFileSync(file)
  const calls: RecordedCall[] = []
  for (let at = 0; at + HEADER_BYTES <= log.length;) {
    const end = at + HEADER_BYTES + log.readUInt32LE(at + 20)
    if (end > log.length) break
    calls.push(callOf(KINDS[log.readUInt32LE(at)] ?? '', log, at, log.subarray(at + HEADER_BYTES, end)))
    at = end
  }
  return calls
}

/** Compiles the recorder into `folder`; needs a C compiler. @returns the path of the library */
export function buildRecorder(folder: string): string {
  const library = join(folder, 'recording-shim.so')
  const source = join(import.meta.dirname, '..', 'crash', 'shim', 'recording-shim.c')
  execFileSync('cc', ['-O1', '-shared', '-fPIC', '-o', library, source, '-ldl', '-lpthread'])
  return library
}

/** Settings under which a program records what it does below `root` into `log`. */
export function recordingEnvironment(library: string, root: string, log: string): Record<string, string> {
  // Calls through io_uring would not be seen.
  return { LD_PRELOAD: library, RECORD_ROOT: root, RECORD_LOG: log, UV_USE_IO_URING: '0' }
}
