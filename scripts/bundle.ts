import { join } from 'node:path'
import { build, type Plugin } from 'esbuild'

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

/** What runs before the bundle, as the name by which REPLACED_MODULES call it. */
async function buildPrelude(): Promise<string> {
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

/**
 * Bundles `entry` with all its packages into one CommonJS file that needs nothing but Node.js and the lmdb addon in the
 * same folder, and makes use of the aws-crt addon if it lies
 * there too. A source map is written beside it and not referred to, so the bundle can be shipped alone.
 */
export async function bundle(entry: string, outFile: string, version: string): Promise<void> {
  await build({
    entryPoints: [entry],
    outfile: outFile,
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    // lmdb's ES modules find their folder by import.meta.url, which is empty in a CommonJS bundle.
    conditions: ['require'],
    sourcemap: 'external',
    legalComments: 'none',
    banner: { js: await buildPrelude() },
    define: { STREAM_MANAGER_VERSION: JSON.stringify(version) },
    plugins: [replaceModules],
    logLevel: 'warning',
    logOverride: { 'empty-import-meta': 'error', 'require-resolve-not-external': 'error' }
  })
}
