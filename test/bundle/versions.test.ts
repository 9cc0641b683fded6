import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'

const ROOT = join(import.meta.dirname, '..', '..')
const recipe = readFileSync(join(ROOT, 'recipe.yaml'), 'utf8')
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }
const gdk = JSON.parse(readFileSync(join(ROOT, 'gdk-config.json'), 'utf8')) as {
  component: Record<string, { version: string; build: { build_system: string } } | undefined>
}

/** All matches of the only group of `pattern` in the recipe. */
function found(pattern: RegExp): string[] {
  return [...recipe.matchAll(pattern)].map((match) => match[1]!)
}

describe('the version', () => {
  it('is the same everywhere', () => {
    assert.deepEqual(found(/^ComponentVersion: '(.*)'$/gm), [manifest.version])
    assert.equal(gdk.component['aws.greengrass.StreamManager']?.version, manifest.version)
  })

  it('is in the bundle', () => {
    const bundle = readFileSync(join(ROOT, 'artifacts', 'stream-manager.cjs'), 'utf8')
    assert.ok(bundle.includes(JSON.stringify(manifest.version)))
    assert.ok(!bundle.includes('0.0.0-unbundled'))
  })

  it('satisfies the components that depend on the name (behaviour 1.1)', () => {
    const [major, minor, patch] = manifest.version.split('.').map(Number)
    assert.equal(major, 2)
    assert.ok(minor! > 0 || patch! > 10)
  })
})

describe('the recipe', () => {
  it('is within the size that the GDK accepts', () => {
    assert.ok(Buffer.byteLength(recipe) <= 16_000)
  })

  it('names only artifacts that the build leaves', () => {
    const built = new Set(readdirSync(join(ROOT, 'artifacts')))
    const named = found(/^ *- Uri: s3:\/\/.*\/(.*)$/gm)
    assert.ok(named.includes('stream-manager.cjs'))
    for (const file of named.filter((name) => !name.endsWith('.node'))) assert.ok(built.has(file), file)
    const addons = named.filter((name) => name.endsWith(`-${process.arch}.node`))
    assert.ok(addons.includes(`lmdb-linux-${process.arch}.node`))
    for (const file of addons) assert.ok(built.has(file), file)
  })

  it('hands every parameter to the process under its own name', () => {
    const defaults = found(/^ {4}([A-Z_0-9]+|startupTimeoutSeconds): '.*'$/gm)
    const handed = found(/^ {8}([A-Z_0-9]+): '\{configuration:\/\1\}'$/gm)
    assert.ok(defaults.includes('STREAM_MANAGER_SERVER_PORT'))
    assert.deepEqual([...handed, 'startupTimeoutSeconds'], defaults)
  })

  it('has no brace that nucleus lite would take for a variable (greengrass 0.5)', () => {
    assert.doesNotMatch(recipe, /\{(?!configuration:\/[A-Za-z_0-9]+\}|artifacts:path\})/)
  })

  it('has the keys that nucleus lite wants in their case (greengrass 2.1)', () => {
    for (const key of ['runtime: ', 'Setenv:', 'install: ', 'startup:', 'Timeout: ', 'Script: ', '- Uri: ']) {
      assert.ok(recipe.includes(key), key)
    }
  })
})
