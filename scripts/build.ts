/** Builds artifacts/stream-manager.cjs and, beside it, what else this machine needs to run the server. */
import { copyFileSync, mkdirSync, readFileSync, statSync, utimesSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { HOST_ARCHITECTURE } from './architectures.ts'
import { bundle } from './bundle.ts'
import { collectNativeParts } from './native-parts.ts'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const ARTIFACTS = join(ROOT, 'artifacts')

function readVersion(): string {
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { readonly version: string }
  return manifest.version
}

function report(path: string): void {
  const content = readFileSync(path)
  const kib = (bytes: number): string => `${(bytes / 1024).toFixed(0)} KiB`
  console.log(`${path.slice(ROOT.length + 1)}: ${kib(content.length)}, ${kib(gzipSync(content).length)} compressed`)
}

const started = new Date()
const bundleFile = join(ARTIFACTS, 'stream-manager.cjs')
mkdirSync(ARTIFACTS, { recursive: true })
const note = (line: string): void => console.log(line)
const nativeParts =
  HOST_ARCHITECTURE === undefined || process.platform !== 'linux'
    ? []
    : collectNativeParts(HOST_ARCHITECTURE, { root: ROOT, output: ARTIFACTS, note })
for (const file of ['launch.sh', 'stream-manager']) copyFileSync(join(ROOT, 'scripts', file), join(ARTIFACTS, file))
try {
  await bundle(join(ROOT, 'component', 'main.ts'), bundleFile, readVersion())
} catch {
  // esbuild has printed what is wrong.
  process.exit(1)
}
// A source that changed while the build ran must look newer than the bundle.
utimesSync(bundleFile, statSync(bundleFile).atime, started)
report(bundleFile)
for (const file of nativeParts) report(join(ARTIFACTS, file))
