/** Builds artifacts/stream-manager.cjs and, beside it, the addons of this machine's architecture. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs'
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

/** lmdb's addons carry debug symbols, four fifths of their size. */
function copyAddon(from: string, to: string): void {
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
const modules = join(ROOT, 'node_modules')
const addons = [
  [join(modules, '@lmdb', `lmdb-${platform}`, 'node.napi.glibc.node'), join(ARTIFACTS, `lmdb-${platform}.node`)],
  // There is none for 32-bit ARM, and the server does without.
  [
    join(modules, 'aws-crt', 'dist', 'bin', `${platform}-glibc`, 'aws-crt-nodejs.node'),
    join(ARTIFACTS, `aws-crt-${platform}.node`)
  ]
] as const
const present = addons.filter(([from], index) => index === 0 || existsSync(from))
mkdirSync(ARTIFACTS, { recursive: true })
for (const [from, to] of present) copyAddon(from, to)
try {
  await bundle(join(ROOT, 'component', 'main.ts'), bundleFile, readVersion())
} catch {
  // esbuild has printed what is wrong.
  process.exit(1)
}
// A source that changed while the build ran must look newer than the bundle.
utimesSync(bundleFile, statSync(bundleFile).atime, started)
report(bundleFile)
for (const [, addonFile] of present) report(addonFile)
