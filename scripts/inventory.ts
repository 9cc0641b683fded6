import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A package of the npm registry of which something is shipped. */
export interface ShippedPackage {
  readonly name: string
  readonly version: string
  /** An SPDX identifier or expression. */
  readonly license: string
  /** `sha512-` and the hash of the package's tarball in base64. */
  readonly integrity: string
  /** Its folder below the root; absent on machines for which it was not made. */
  readonly folder: string
}

interface LockEntry {
  readonly version?: string
  readonly license?: string
  readonly integrity?: string
}

/** Packages whose files are shipped beside the bundle, as they are (scripts/native-parts.ts). */
const NATIVE_PACKAGES = /^node_modules\/(@lmdb\/lmdb-linux-(?:x64|arm64|arm)|aws-crt)$/

/** @returns the folder of the package that holds a module, from `node_modules` on; undefined for modules of our own */
export function packageFolderOf(path: string): string | undefined {
  const [, inside] = /(?:^|\/)(node_modules\/.*)$/.exec(path) ?? []
  return inside && /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(inside)?.[0]
}

/** The name of a package whose folder this is: what stands behind the last `node_modules/`. */
const nameOf = (folder: string): string => folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length)

function shipped(folder: string, entry: LockEntry | undefined): ShippedPackage {
  const { version, license, integrity } = entry ?? {}
  if (version === undefined || license === undefined || integrity === undefined)
    throw new Error(`package-lock.json does not tell version, license and integrity of ${folder}`)
  if (!integrity.startsWith('sha512-')) throw new Error(`package-lock.json has no sha512 of ${folder}`)
  return { name: nameOf(folder), version, license, integrity, folder }
}

/**
 * All packages of which the bundle or a native part has code, sorted by name and version.
 * @param modules paths of the modules in the bundle
 * @throws Error when package-lock.json lacks one, or another version is installed than it says
 */
export function takeInventory(root: string, modules: Iterable<string>): readonly ShippedPackage[] {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, LockEntry>>
  }
  const bundled = [...modules].map(packageFolderOf).filter((folder) => folder !== undefined)
  const native = Object.keys(packages).filter((folder) => NATIVE_PACKAGES.test(folder))
  const all = [...new Set([...bundled, ...native])].map((folder) => shipped(folder, packages[folder]))
  for (const { folder, version } of all) {
    const manifest = join(root, folder, 'package.json')
    if (!existsSync(manifest)) continue
    const installed = (JSON.parse(readFileSync(manifest, 'utf8')) as { readonly version: string }).version
    if (installed !== version)
      throw new Error(`${folder} is ${installed}, but package-lock.json says ${version}: run npm ci`)
  }
  const keyOf = ({ name, version, folder }: ShippedPackage): string => `${name} ${version} ${folder}`
  return all.sort((left, right) => (keyOf(left) < keyOf(right) ? -1 : 1))
}

/** Texts with which a package tells its terms. */
const TERMS = /^(licen[cs]e|notice|copying|copyright)(?:$|[.-])/i

/** Folders of libraries in C that a package's native part contains. */
const LIBRARIES: Readonly<Record<string, readonly string[]>> = {
  lmdb: ['dependencies/lmdb/libraries/liblmdb', 'dependencies/lz4/lib']
}

function termsIn(folder: string): string[] {
  if (!existsSync(folder)) return []
  const files = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile() && TERMS.test(entry.name))
  return files.map(({ name }) => readFileSync(join(folder, name), 'utf8').replaceAll('\r\n', '\n').trim()).sort()
}

/** The terms that come with a package, file by file; none where it brings no such file. */
export function readTerms(root: string, { name, folder }: ShippedPackage): readonly string[] {
  const libraries = LIBRARIES[name] ?? []
  return ['', ...libraries].flatMap((inside) => termsIn(join(root, folder, inside)))
}
