import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync
} from 'node:fs'
import { dirname, join } from 'node:path'
import type { Architecture } from './architectures.ts'
import { fetchPackage, pinnedByLock, readFromPackage, type PinnedPackage } from './npm-package.ts'

/** Where the project lies, and what belongs to it. */
export interface Places {
  readonly root: string
  /** Receives the native parts. */
  readonly output: string
  /** Told what the user should know. */
  readonly note: (line: string) => void
}

const cacheOf = (root: string): string => join(root, '.local', 'packages')

/** Stops a build that would ship a file for another machine. */
function assertElf(file: string, { name, elfMachine }: Architecture): void {
  const head = readFileSync(file).subarray(0, 20)
  const isElf = head.length === 20 && head.readUInt32BE(0) === 0x7f454c46
  if (!isElf || head.readUInt16LE(18) !== elfMachine) throw new Error(`${file} is no program file for ${name}`)
}

/** Puts a file into place at once: a server may be running that has its predecessor mapped. */
function place(file: string, mode: number, architecture: Architecture, fill: (part: string) => void): void {
  mkdirSync(dirname(file), { recursive: true })
  const part = `${file}.${process.pid}.part`
  try {
    fill(part)
    assertElf(part, architecture)
    chmodSync(part, mode)
    renameSync(part, file)
  } finally {
    rmSync(part, { force: true })
  }
}

/** lmdb's addons carry debug symbols, four fifths of their size. */
function strip(file: string, architecture: Architecture, note: Places['note']): void {
  for (const program of architecture.stripPrograms) {
    try {
      execFileSync(program, ['--strip-unneeded', file], { stdio: 'ignore' })
      return
    } catch {
      // Not installed, or made for other architectures: then it leaves the file as it was.
    }
  }
  note(`the lmdb addon for ${architecture.name} keeps its debug symbols: there is no ${architecture.stripPrograms[0]}`)
}

/** From node_modules where npm has checked it, else from the registry against the same lock. */
function lmdbAddon(root: string, { nodeArch }: Architecture): Buffer {
  const name = `@lmdb/lmdb-linux-${nodeArch}`
  const file = 'node.napi.glibc.node'
  const pinned = pinnedByLock(join(root, 'package-lock.json'), name)
  const { version } = pinnedByLock(join(root, 'package-lock.json'), 'lmdb')
  if (pinned.version !== version)
    throw new Error(`${name} is ${pinned.version} in package-lock.json, and lmdb ${version}`)
  const installed = join(root, 'node_modules', name, file)
  return existsSync(installed) ? readFileSync(installed) : readFromPackage(fetchPackage(pinned, cacheOf(root)), file)
}

/**
 * Writes the native parts of one architecture.
 * @returns their file names, the indispensable one first
 * @throws Error when a part cannot be had or is not for this architecture
 */
export function collectNativeParts(architecture: Architecture, { root, output, note }: Places): string[] {
  const { nodeArch } = architecture
  const lmdb = `lmdb-linux-${nodeArch}.node`
  place(join(output, lmdb), 0o644, architecture, (part) => {
    writeFileSync(part, lmdbAddon(root, architecture))
    strip(part, architecture, note)
  })
  const files = [lmdb]
  if (architecture.hasAwsCrt) {
    const crt = `aws-crt-linux-${nodeArch}.node`
    const folder = join(root, 'node_modules', 'aws-crt', 'dist', 'bin', `linux-${nodeArch}-glibc`)
    place(join(output, crt), 0o644, architecture, (part) => copyFileSync(join(folder, 'aws-crt-nodejs.node'), part))
    files.push(crt)
  }
  return files
}

/** Major version to architecture to package, in node-runtimes.json. */
type RuntimeLock = Readonly<Record<string, Readonly<Record<string, PinnedPackage | undefined>> | undefined>>

/**
 * Writes the Node.js of a major version for one architecture, the official build as it is.
 * @returns its file name; undefined when the registry has none that is new enough
 * @throws Error for a major version that is not pinned
 */
export function collectNode(major: string, architecture: Architecture, { root, output }: Places): string | undefined {
  const lock = JSON.parse(readFileSync(join(root, 'scripts', 'node-runtimes.json'), 'utf8')) as RuntimeLock
  const packages = lock[major]
  if (packages === undefined) throw new Error(`--with-node takes one of ${Object.keys(lock).join(', ')}, not ${major}`)
  const pinned = packages[architecture.name]
  if (pinned === undefined) return undefined
  const file = `node-linux-${architecture.nodeArch}`
  place(join(output, file), 0o755, architecture, (part) => {
    writeFileSync(part, readFromPackage(fetchPackage(pinned, cacheOf(root)), 'bin/node'))
  })
  return file
}
