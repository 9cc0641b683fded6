/** Builds artifacts/stream-manager.cjs and, beside it, the lmdb addon of this machine's architecture. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { bundle } from './bundle.ts'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const ARTIFACTS = join(ROOT, 'artifacts')

function readVersion(): string {
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { readonly version: string }
  return manifest.version
}

/** The shipped addons carry debug symbols, four fifths of their size. */
function copyAddon(platform: string, to: string): void {
  const from = join(ROOT, 'node_modules', '@lmdb', `lmdb-${platform}`, 'node.napi.glibc.node')
  rmSync(to, { force: true })
  try {
    execFileSync('strip', ['--strip-unneeded', '-o', to, from], { stdio: 'ignore' })
  } catch {
    copyFileSync(from, to)
  }
}

function report(path: string): void {
  const content = readFileSync(path)
  const kib = (bytes: number): string => `${(bytes / 1024).toFixed(0)} KiB`
  console.log(`${path.slice(ROOT.length + 1)}: ${kib(content.length)}, ${kib(gzipSync(content).length)} compressed`)
}

const started = new Date()
const platform = `${process.platform}-${process.arch}`
const bundleFile = join(ARTIFACTS, 'stream-manager.cjs')
const addonFile = join(ARTIFACTS, `lmdb-${platform}.node`)
mkdirSync(ARTIFACTS, { recursive: true })
copyAddon(platform, addonFile)
try {
  await bundle(join(ROOT, 'component', 'main.ts'), bundleFile, readVersion())
} catch {
  // esbuild has printed what is wrong.
  process.exit(1)
}
// A source that changed while the build ran must look newer than the bundle.
utimesSync(bundleFile, statSync(bundleFile).atime, started)
report(bundleFile)
report(addonFile)
