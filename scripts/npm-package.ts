import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/** One version of a package of the npm registry, bound to its content. */
export interface PinnedPackage {
  readonly name: string
  readonly version: string
  /** `sha512-` and the hash of the tarball in base64, as in package-lock.json. */
  readonly integrity: string
}

/** The largest file taken from a package is a Node.js of about 125 MB. */
const FILE_BYTES_MAX = 512 * 1024 * 1024

function integrityOf(file: string): string {
  return `sha512-${createHash('sha512').update(readFileSync(file)).digest('base64')}`
}

/**
 * The tarball of a package, from the cache or else from the registry; npm's own configuration says where that is.
 * @param cache folder that keeps tarballs; created when absent
 * @returns path of a file whose content is the one that was pinned
 * @throws Error when the registry does not have it, or has something else
 */
export function fetchPackage(pinned: PinnedPackage, cache: string): string {
  const { name, version, integrity } = pinned
  const tarball = join(cache, `${name.replace('/', '-').replace('@', '')}-${version}.tgz`)
  if (existsSync(tarball) && integrityOf(tarball) === integrity) return tarball
  mkdirSync(cache, { recursive: true })
  const folder = mkdtempSync(join(cache, 'fetch-'))
  try {
    const args = ['pack', `${name}@${version}`, '--ignore-scripts', '--silent', '--pack-destination', folder]
    execFileSync('npm', args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
    const [file] = readdirSync(folder)
    if (file === undefined) throw new Error('npm pack left no file')
    const found = integrityOf(join(folder, file))
    if (found !== integrity) throw new Error(`its content is ${found} instead of ${integrity}`)
    renameSync(join(folder, file), tarball)
    return tarball
  } catch (error) {
    throw new Error(`cannot get ${name}@${version} from the npm registry: ${String(error)}`, { cause: error })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The content of one file of a tarball; `path` is that inside the package. */
export function readFromPackage(tarball: string, path: string): Buffer {
  return execFileSync('tar', ['-xzOf', tarball, `package/${path}`], { maxBuffer: FILE_BYTES_MAX })
}

/** What package-lock.json says of a package, also of one for another architecture than this machine's. */
export function pinnedByLock(lockFile: string, name: string): PinnedPackage {
  const lock = JSON.parse(readFileSync(lockFile, 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly version?: string; readonly integrity?: string } | undefined>>
  }
  const entry = lock.packages[`node_modules/${name}`]
  if (entry?.version === undefined || entry.integrity?.startsWith('sha512-') !== true)
    throw new Error(`package-lock.json has no ${name} with a sha512: run npm install`)
  return { name, version: entry.version, integrity: entry.integrity }
}
