import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { compileFunction } from 'node:vm'
import { brotliDecompressSync } from 'node:zlib'
import { explainLoadError } from './native-part-problem.ts'

/*
 * Stands before the bundle's first line: what cannot run here is told in one sentence, before anything is loaded that could
 * fail in a stranger way. Compiled for much older versions of Node.js than the rest.
 */

/** The install step of the component calls the bundle with it (launch.sh). */
const CHECK_ARGUMENT = '--check'

function refuse(reason: string): never {
  process.stderr.write(`aws.greengrass.StreamManager cannot run on this device: ${reason}\n`)
  process.exit(1)
}

const firstLineOf = (error: unknown): string =>
  String(error instanceof Error ? error.message : error).split('\n')[0] ?? ''

/**
 * Loads `<name>-<platform>-<arch>.node` from the bundle's folder; what packages ask their own loaders for (greengrass 7.3).
 * @throws Error whose message says what to do
 */
export function loadNativePart(name: string): unknown {
  const system = `${process.platform} ${process.arch}`
  const file = `${name}-${process.platform}-${process.arch}.node`
  const path = join(__dirname, file)
  if (!existsSync(path))
    throw new Error(
      `${file} is missing in ${__dirname}: deploy the package for ${system}, or use a Node.js of the architecture ` +
        'that was deployed'
    )
  try {
    return createRequire(__filename)(path) as unknown
  } catch (error) {
    throw new Error(explainLoadError(file, firstLineOf(error)), { cause: error })
  }
}

const shared = new Map<string, () => object>()

/** Lets other parts use one (bundle.ts). @param load must give the same object each time */
export function sharePart(name: string, load: () => object): void {
  shared.set(name, load)
}

/** What a shared part exports; it is unpacked now unless it was before. */
export function sharedPart(name: string): object {
  const load = shared.get(name)
  if (load === undefined) throw new Error(`the part ${name} is not shared`)
  return load()
}

type LoadModule = (exports: object, require: NodeJS.Require, module: { exports: object }, prelude: object) => void

/**
 * Unpacks and runs a part of the bundle (bundle.ts).
 * @param name stands in stack traces, behind the name of the bundle
 * @param packed CommonJS source, compressed by Brotli, in base64
 * @returns what it exports
 */
export function loadPart(name: string, packed: string): object {
  const source = brotliDecompressSync(Buffer.from(packed, 'base64')).toString()
  const parameters = ['exports', 'require', 'module', 'streamManagerPrelude']
  const run = compileFunction(source, parameters, { filename: `${__filename}#${name}` }) as LoadModule
  const module = { exports: {} }
  run(module.exports, createRequire(__filename), module, { loadNativePart, sharedPart })
  return module.exports
}

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 15))
  refuse(`it needs Node.js 20.15 or later, and this is ${process.version}`)
if (process.argv[2] === CHECK_ARGUMENT) {
  try {
    // The one without which the server cannot be.
    loadNativePart('lmdb')
  } catch (error) {
    refuse(firstLineOf(error))
  }
  process.exit(0)
}
