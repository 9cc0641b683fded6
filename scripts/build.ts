/** Builds artifacts/stream-manager.cjs and, beside it, what else this machine needs to run the server. */
import { copyFileSync, mkdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { HOST_ARCHITECTURE } from './architectures.ts'
import { bundle } from './bundle.ts'
import { takeInventory } from './inventory.ts'
import { collectNativeParts } from './native-parts.ts'
import { NOTICES_FILE, SBOM_FILE, writeNotices, writeSbom, type Product } from './sbom.ts'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const ARTIFACTS = join(ROOT, 'artifacts')

function readProduct(): Product {
  return JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Product
}

/** Tells what the bundle is made of. */
function document(product: Product, modules: readonly string[]): void {
  const packages = takeInventory(ROOT, modules)
  writeFileSync(join(ARTIFACTS, SBOM_FILE), writeSbom(product, packages))
  writeFileSync(join(ARTIFACTS, NOTICES_FILE), writeNotices(ROOT, product, packages))
  console.log(`artifacts/${SBOM_FILE}: ${packages.length} packages`)
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
const product = readProduct()
const modules = await bundle(join(ROOT, 'component', 'main.ts'), bundleFile, product.version).catch(() => {
  // esbuild has printed what is wrong.
  process.exit(1)
})
document(product, modules)
// A source that changed while the build ran must look newer than the bundle.
utimesSync(bundleFile, statSync(bundleFile).atime, started)
report(bundleFile)
for (const file of nativeParts) report(join(ARTIFACTS, file))
