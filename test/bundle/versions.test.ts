import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { parse } from 'yaml'
import { type Parameter, PARAMETERS } from '../../component/config/parameters.ts'
import type { Recipe } from '../../scripts/recipe-check.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')
const recipe = parse(read('recipe.yaml')) as Recipe
const manifest = JSON.parse(read('package.json')) as { version: string }
const lock = JSON.parse(read('package-lock.json')) as {
  version: string
  packages: Record<string, { version?: string } | undefined>
}
const gdk = JSON.parse(read('gdk-config.json')) as { component: Record<string, { version: string } | undefined> }

/** Parameters that the recipe itself uses. */
const RECIPE_PARAMETERS = ['startupTimeoutSeconds', 'nodePath']
/** Parameters that are objects. */
const GROUPS: readonly string[] = [PARAMETERS.settings.name]

describe('the version', () => {
  it('is the same everywhere', () => {
    const versions = {
      recipe: recipe.ComponentVersion,
      gdk: gdk.component['aws.greengrass.StreamManager']?.version,
      lock: lock.version,
      lockRoot: lock.packages['']?.version
    }
    for (const [place, version] of Object.entries(versions)) assert.equal(version, manifest.version, place)
  })

  it('is in the bundle', () => {
    const bundle = read('artifacts/stream-manager.cjs')
    assert.ok(bundle.includes(JSON.stringify(manifest.version)))
    assert.ok(!bundle.includes('0.0.0-unbundled'))
  })

  it('satisfies the components that depend on the name (behaviour 1.1)', () => {
    const [major, minor, patch] = manifest.version.split('.').map(Number)
    assert.equal(major, 2)
    assert.ok(minor! > 0 || patch! > 10)
  })
})

describe('the bundle', () => {
  it('is strict code: the prelude before it begins with the directive', () => {
    assert.match(read('artifacts/stream-manager.cjs').slice(0, 100), /^"use strict";var streamManagerPrelude=/)
  })
})

describe('the recipe', () => {
  const defaults = recipe.ComponentConfiguration!.DefaultConfiguration

  it('hands every parameter to the process under its own name, or uses it', () => {
    const { Setenv: variables, install, startup } = recipe.Lifecycle.all
    const handed = Object.entries(variables!).filter(([key, value]) => value === `{configuration:/${key}}`)
    assert.deepEqual([...handed.map(([key]) => key), ...RECIPE_PARAMETERS], Object.keys(defaults))
    const script = JSON.stringify([install, startup])
    for (const parameter of RECIPE_PARAMETERS) assert.ok(script.includes(`{configuration:/${parameter}}`), parameter)
  })

  it('has the defaults of the program (behaviour 1.3)', () => {
    const all: readonly Parameter<unknown>[] = Object.values(PARAMETERS)
    const defaultsOf = (isGrouped: true | undefined): object =>
      Object.fromEntries(
        all
          .filter((each) => each.recipeDefault !== undefined && each.isGrouped === isGrouped)
          .map(({ name, recipeDefault }) => [name, recipeDefault])
      )
    const told = Object.entries(defaults).filter(([name]) => ![...RECIPE_PARAMETERS, ...GROUPS].includes(name))
    assert.deepEqual(Object.fromEntries(told), defaultsOf(undefined))
    assert.deepEqual(defaults[PARAMETERS.settings.name], defaultsOf(true))
  })

  it('has one manifest for each architecture', () => {
    const architectures = recipe.Manifests.map(({ Platform }) => Platform.architecture)
    assert.deepEqual(architectures, ['amd64', 'aarch64', 'arm'])
  })
})
