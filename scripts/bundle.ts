import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { brotliCompressSync, constants } from 'node:zlib'
import { build, type BuildOptions, type Metafile, type Plugin } from 'esbuild'
import { embedPage } from './page-assets.ts'

/**
 * Modules that the bundle replaces (greengrass 7.3):
 * - lmdb asks node-gyp-build-optional-packages for its addon: it lies beside the bundle, one file per architecture.
 * - the extract addons of cbor-x and msgpackr would be answered with lmdb's addon by the same loader; both packages work
 *   without them.
 * - aws-crt looks for its addon in places that a bundle does not have, and runs `ldd` to choose one: it lies beside the
 *   bundle too. Where it is missing, importing the SDK fails, and the server goes on without it.
 */
const REPLACED_MODULES: Readonly<Record<string, string>> = {
  'node-gyp-build-optional-packages': `module.exports = () => streamManagerPrelude.loadNativePart('lmdb')`,
  'cbor-extract': 'module.exports = undefined',
  'msgpackr-extract': 'module.exports = undefined',
  'aws-crt/dist/native/binding': `
    exports.__esModule = true
    exports.default = streamManagerPrelude.loadNativePart('aws-crt')`
}

const replaceModules: Plugin = {
  name: 'replace-modules',
  setup(hooks) {
    const names = new RegExp(`^(${Object.keys(REPLACED_MODULES).join('|')})$`)
    hooks.onResolve({ filter: names }, ({ path }) => ({ path, namespace: 'replaced' }))
    hooks.onResolve({ filter: /^\.\/binding$/ }, ({ importer }) =>
      importer.includes('/aws-crt/') ? { path: 'aws-crt/dist/native/binding', namespace: 'replaced' } : undefined
    )
    hooks.onLoad({ filter: /.*/, namespace: 'replaced' }, ({ path }) => ({
      contents: REPLACED_MODULES[path] ?? '',
      loader: 'js'
    }))
  }
}

/**
 * Code that most servers never run, and four fifths of all. Node.js keeps the source of what it loads, and V8 what it
 * learned about each of its functions: a part lies in the bundle compressed, and is unpacked when it is imported
 * (prelude.ts).
 */
interface Part {
  readonly name: string
  /** Other parts that it imports, whose modules it does not hold itself. */
  readonly uses?: readonly string[]
  /** How the rest imports its modules, with the name of each in `exports`; resolved from the folder of the entry. */
  readonly modules: Readonly<Record<string, string>>
  /** The native part without which it need not be unpacked. */
  readonly needs?: string
}

const PARTS: readonly Part[] = [
  { name: 'exporter', modules: { './exporter/worker.ts': 'worker', './exporter/probe.ts': 'probe' } },
  // For declarations written by hand.
  { name: 'yaml', modules: { yaml: 'parser' } },
  { name: 'cli', uses: ['yaml'], modules: { './cli/index.ts': 'commands' } },
  { name: 'monitor', modules: { './monitor/index.ts': 'monitor' } },
  {
    name: 'iot-sdk',
    needs: 'aws-crt',
    modules: {
      'aws-iot-device-sdk-v2/dist/greengrasscoreipc.js': 'ipc',
      'aws-iot-device-sdk-v2/dist/eventstream_rpc.js': 'rpc'
    }
  }
]

/** Imports the packed parts as if they were modules. @param packed base64 by name of the part */
function unpackParts(packed: ReadonlyMap<string, string>): Plugin {
  const members = new Map(
    PARTS.flatMap(({ name, modules }) => Object.keys(modules).map((path) => [path, name] as const))
  )
  return {
    name: 'unpack-parts',
    setup(hooks) {
      hooks.onResolve({ filter: /.*/ }, ({ path, namespace }) => {
        if (namespace === 'member') return { path, namespace: 'part' }
        return members.has(path) ? { path, namespace: 'member' } : undefined
      })
      hooks.onLoad({ filter: /.*/, namespace: 'member' }, ({ path }) => {
        const part = PARTS.find(({ name }) => name === members.get(path))
        return {
          contents: `module.exports = require('${part?.name ?? ''}').${part?.modules[path] ?? ''}`,
          loader: 'js'
        }
      })
      hooks.onLoad({ filter: /.*/, namespace: 'part' }, ({ path }) => {
        const needs = PARTS.find(({ name }) => name === path)?.needs
        const check = needs === undefined ? '' : `streamManagerPrelude.loadNativePart('${needs}');`
        const load = `module.exports = streamManagerPrelude.loadPart('${path}', '${packed.get(path) ?? ''}')`
        return { contents: check + load, loader: 'js' }
      })
    }
  }
}

/** Has the bundle hand out the parts that others use, before anything else in it runs. */
function shareParts(entry: string): Plugin {
  const shared = new Set(PARTS.flatMap(({ uses = [] }) => uses))
  const lines = [...shared].map((name) => `streamManagerPrelude.sharePart('${name}', () => require('${name}'))`)
  return {
    name: 'share-parts',
    setup(hooks) {
      hooks.onLoad({ filter: /\/main\.ts$/ }, ({ path }) =>
        // On the first line, so that those of the source keep their numbers.
        path === entry ? { contents: `import 'shared-parts'; ${readFileSync(entry, 'utf8')}`, loader: 'ts' } : undefined
      )
      hooks.onResolve({ filter: /^shared-parts$/ }, ({ path }) => ({ path, namespace: 'share' }))
      hooks.onResolve({ filter: /.*/, namespace: 'share' }, ({ path }) => ({ path, namespace: 'part' }))
      hooks.onLoad({ filter: /.*/, namespace: 'share' }, () => ({ contents: lines.join('\n'), loader: 'js' }))
    }
  }
}

/** Imports the modules of other parts from where the bundle hands them out. */
function useParts(names: readonly string[]): Plugin {
  const modules = new Map(
    PARTS.filter(({ name }) => names.includes(name)).flatMap(({ name, modules: members }) =>
      Object.entries(members).map(([path, member]) => [path, `streamManagerPrelude.sharedPart('${name}').${member}`])
    )
  )
  return {
    name: 'use-parts',
    setup(hooks) {
      hooks.onResolve({ filter: /.*/ }, ({ path }) => (modules.has(path) ? { path, namespace: 'used' } : undefined))
      hooks.onLoad({ filter: /.*/, namespace: 'used' }, ({ path }) => ({
        contents: `module.exports = ${modules.get(path) ?? ''}`,
        loader: 'js'
      }))
    }
  }
}

/** What runs before the bundle, as the name by which REPLACED_MODULES call it. */
export async function buildPrelude(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, 'prelude.ts')],
    write: false,
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node12',
    format: 'iife',
    globalName: 'streamManagerPrelude',
    logLevel: 'warning'
  })
  return (outputFiles[0]?.text ?? '').trimEnd()
}

function optionsFor(version: string): BuildOptions & { readonly metafile: true } {
  return {
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    // lmdb's ES modules find their folder by import.meta.url, which is empty in a CommonJS bundle.
    conditions: ['require'],
    // A part is no file that an import could start from.
    supported: { 'dynamic-import': false },
    sourcemap: 'external',
    metafile: true,
    legalComments: 'none',
    define: { STREAM_MANAGER_VERSION: JSON.stringify(version) },
    logLevel: 'warning',
    logOverride: { 'empty-import-meta': 'error', 'require-resolve-not-external': 'error' }
  }
}

/** Paths of the modules of which something is left in the output. */
function modulesIn({ outputs }: Metafile): string[] {
  const inputs = Object.values(outputs).flatMap((output) => Object.entries(output.inputs))
  return inputs.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([path]) => path)
}

/** A part, compressed, in base64, and the modules in it. Its source map is written beside the bundle. */
async function pack(
  { name, uses = [], modules }: Part,
  folder: string,
  outFile: string,
  version: string
): Promise<{ readonly packed: string; readonly modules: readonly string[] }> {
  const contents = Object.entries(modules).map(([path, member]) => `export * as ${member} from '${path}'`)
  const { outputFiles, metafile } = await build({
    ...optionsFor(version),
    stdin: { contents: contents.join('\n'), resolveDir: folder },
    outfile: `${outFile}.${name}.cjs`,
    write: false,
    // esbuild writes the directive for an entry in TypeScript only.
    banner: { js: '"use strict";' },
    plugins: [embedPage, useParts(uses), replaceModules]
  })
  const textOf = (ending: string): string => outputFiles.find(({ path }) => path.endsWith(ending))?.text ?? ''
  writeFileSync(`${outFile}.${name}.map`, textOf('.map'))
  const source = Buffer.from(textOf('.cjs'))
  const params = { [constants.BROTLI_PARAM_SIZE_HINT]: source.length, [constants.BROTLI_PARAM_LGWIN]: 22 }
  return { packed: brotliCompressSync(source, { params }).toString('base64'), modules: modulesIn(metafile) }
}

/**
 * Bundles `entry` with all its packages into one CommonJS file that needs nothing but Node.js and the lmdb addon in the
 * same folder, and makes use of the aws-crt addon if it lies there too. Source maps are written beside it and not referred
 * to, so the bundle can be shipped alone.
 * @returns the paths of all modules in it
 */
export async function bundle(entry: string, outFile: string, version: string): Promise<readonly string[]> {
  const packed = new Map<string, string>()
  const modules: string[] = []
  for (const part of PARTS) {
    const made = await pack(part, dirname(entry), outFile, version)
    packed.set(part.name, made.packed)
    modules.push(...made.modules)
  }
  const { metafile } = await build({
    ...optionsFor(version),
    entryPoints: [entry],
    outfile: outFile,
    banner: { js: await buildPrelude() },
    plugins: [shareParts(entry), unpackParts(packed), replaceModules]
  })
  return [...modules, ...modulesIn(metafile)]
}
