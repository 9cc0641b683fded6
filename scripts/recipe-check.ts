import { spawnSync } from 'node:child_process'
import { parseDocument, visit, type Document } from 'yaml'
import { ARCHITECTURES } from './architectures.ts'
import { checkForm, RECIPE_SCHEMA, type RecipeValue } from './recipe-schema.ts'
import { checkSize } from './recipe-size.ts'

/** A recipe that has the form of RECIPE_SCHEMA. */
export interface Recipe {
  readonly RecipeFormatVersion: string
  readonly ComponentName: string
  readonly ComponentVersion: string
  readonly ComponentPublisher: string
  readonly ComponentDependencies?: Readonly<
    Record<string, { readonly VersionRequirement: string; readonly DependencyType: string }>
  >
  readonly ComponentConfiguration?: { readonly DefaultConfiguration: Readonly<Record<string, DefaultValue>> }
  readonly Manifests: readonly Manifest[]
  readonly Lifecycle: { readonly all: Lifecycle }
}

/** Of a parameter, or of a group of them. */
export type DefaultValue = string | Readonly<Record<string, string>>

interface Step {
  readonly Script: string
  readonly Timeout?: string
  readonly timeout?: string
}

interface Lifecycle {
  readonly Setenv?: Readonly<Record<string, string>>
  readonly install: string | Step
  readonly startup: Step
}

interface Manifest {
  readonly Platform: { readonly os: string; readonly architecture: string; readonly runtime: string }
  readonly Artifacts: readonly { readonly Uri: string; readonly Permission?: Readonly<Record<string, string>> }[]
}

/** What the recipe must agree with. */
export interface Expected {
  readonly name: string
  readonly version: string
  readonly author: string
  /** Names of the files that are shipped. */
  readonly files: ReadonlySet<string>
}

/** Each number of a version (greengrass 1). */
const NUMBER_MAX = 999_999
const COMPARATOR = /^(?:>=|<=|>|<|=|\^|~)?(\d+)\.(\d+)\.(\d+)$/

/** The file name at the end of an artifact's URI. */
export const fileOf = (uri: string): string => uri.slice(uri.lastIndexOf('/') + 1)

const scriptOf = (step: string | Step): string => (typeof step === 'string' ? step : step.Script)

function checkVersions(recipe: Recipe, expected: Expected): string[] {
  const problems: string[] = []
  const compare = (key: 'ComponentName' | 'ComponentVersion' | 'ComponentPublisher', value: string): void => {
    if (recipe[key] !== value) problems.push(`${key} is ${recipe[key]}, but gdk-config.json says ${value}`)
  }
  compare('ComponentName', expected.name)
  compare('ComponentVersion', expected.version)
  compare('ComponentPublisher', expected.author)
  if (recipe.RecipeFormatVersion !== '2020-01-25') problems.push('RecipeFormatVersion must be 2020-01-25')
  const numbers = /^(\d+)\.(\d+)\.(\d+)$/.exec(recipe.ComponentVersion)?.slice(1).map(Number)
  if (numbers === undefined || numbers.some((number) => number > NUMBER_MAX))
    problems.push(`ComponentVersion ${recipe.ComponentVersion} is not of the form 1.2.3`)
  return problems
}

/** An AND of comparators, alternatives parted by `||`, both blank-separated: what both nuclei read. */
function isRange(range: string): boolean {
  return range.split('||').every((part) => {
    const comparators = part.trim().split(/ +/)
    return comparators.every((comparator) => COMPARATOR.test(comparator))
  })
}

function checkDependencies({ ComponentDependencies: dependencies = {} }: Recipe): string[] {
  return Object.entries(dependencies).flatMap(([name, { VersionRequirement: range, DependencyType: type }]) => [
    ...(isRange(range) ? [] : [`ComponentDependencies.${name}: "${range}" is no version range`]),
    ...(['HARD', 'SOFT'].includes(type)
      ? []
      : [`ComponentDependencies.${name}.DependencyType must be HARD or SOFT, in capitals`])
  ])
}

/** Variables that both nuclei replace (greengrass 2.2). */
function isVariable(variable: string, parameters: readonly string[]): boolean {
  const parameter = /^\{configuration:\/([A-Za-z_0-9]+)\}$/.exec(variable)?.[1]
  if (parameter !== undefined) return parameters.includes(parameter)
  return ['{artifacts:path}', '{work:path}', '{kernel:rootPath}', '{iot:thingName}'].includes(variable)
}

/** Every brace must belong to a variable: nucleus lite knows no other use of them (greengrass 0.5). */
function checkVariables(text: string, path: string, parameters: readonly string[]): string[] {
  const unknown = [...text.matchAll(/\{[^{}]*\}/g)].map(([match]) => match).filter((v) => !isVariable(v, parameters))
  const rest = text.replace(/\{[^{}]*\}/g, '')
  return [
    ...unknown.map((variable) => `${path} has ${variable}, which is no recipe variable, or names no parameter`),
    ...(/[{}]/.test(rest) ? [`${path} has a brace that does not belong to a recipe variable`] : [])
  ]
}

function checkScript(script: string, path: string, parameters: readonly string[]): string[] {
  const { status, stderr } = spawnSync('sh', ['-n'], { input: script.replace(/\{[^{}]*\}/g, 'x'), encoding: 'utf8' })
  const syntax = status === 0 ? [] : [`${path} is no shell script: ${stderr.trim()}`]
  // Lite escapes values for double quotes; classic puts them in as they are.
  const bare = script.replace(/"[^"]*"/g, '')
  const unquoted = /\{[^{}]*\}/.test(bare) ? [`${path} has a recipe variable outside of double quotes`] : []
  return [...checkVariables(script, path, parameters), ...unquoted, ...syntax]
}

function checkLifecycle(lifecycle: Lifecycle, path: string, parameters: readonly string[]): string[] {
  const { Setenv: variables = {}, install, startup } = lifecycle
  const steps = [install, startup].filter((step) => typeof step !== 'string')
  return [
    ...Object.entries(variables).flatMap(([key, value]) => checkVariables(value, `${path}.Setenv.${key}`, parameters)),
    ...checkScript(scriptOf(install), `${path}.install`, parameters),
    ...checkScript(startup.Script, `${path}.startup.Script`, parameters),
    ...steps.flatMap(({ Timeout = '1', timeout = '1' }) => [
      // Nucleus lite 2.3 and later refuses a recipe with a variable there.
      ...(/^\d+$/.test(Timeout) ? [] : [`${path}: the Timeout "${Timeout}" is not a number, as nucleus lite wants it`]),
      ...(/^(\d+|\{configuration:\/[A-Za-z_0-9]+\})$/.test(timeout)
        ? checkVariables(timeout, `${path} timeout`, parameters)
        : [`${path}: the timeout "${timeout}" is neither a number nor one parameter`])
    ])
  ]
}

function checkArtifacts(
  { Artifacts: artifacts, Platform: platform }: Manifest,
  path: string,
  expected: Expected
): string[] {
  const own = ARCHITECTURES.find(({ recipeName }) => recipeName === platform.architecture)?.nodeArch
  const files = artifacts.map(({ Uri }) => fileOf(Uri))
  const archOf = (file: string): string | undefined => /-linux-([a-z0-9]+)(?:\.node)?$/.exec(file)?.[1]
  return [
    ...artifacts
      .filter(({ Uri }) => !/^s3:\/\/[^/]+\/.*[^/]$/.test(Uri))
      .map(({ Uri }) => `${path}: the Uri ${Uri} is not of the form s3://bucket/key`),
    ...files.filter((file, index) => files.indexOf(file) !== index).map((file) => `${path} has ${file} twice`),
    ...files.filter((file) => !expected.files.has(file)).map((file) => `${path} names ${file}, which was not built`),
    ...files
      .filter((file) => ![undefined, own].includes(archOf(file) as typeof own))
      .map((file) => `${path} is for ${platform.architecture}, but names ${file}`),
    ...['launch.sh', 'stream-manager', 'stream-manager.cjs', `lmdb-linux-${own ?? ''}.node`]
      .filter((file) => !files.includes(file))
      .map((file) => `${path} lacks ${file}`)
  ]
}

function checkPlatform({ Platform: { os, architecture, runtime } }: Manifest, path: string): string[] {
  return [
    ...(os === 'linux' ? [] : [`${path}.os must be linux`]),
    ...(ARCHITECTURES.some(({ recipeName }) => recipeName === architecture)
      ? []
      : [`${path}.architecture is ${architecture}, for which there are no packages`]),
    ...(runtime === '*' ? [] : [`${path}.runtime must be "*", or one of the nuclei skips the manifest`])
  ]
}

function checkManifests({ Manifests: manifests }: Recipe, expected: Expected): string[] {
  const architectures = manifests.map(({ Platform }) => Platform.architecture)
  const named = new Set(manifests.flatMap(({ Artifacts }) => Artifacts.map(({ Uri }) => fileOf(Uri))))
  return [
    ...manifests.flatMap((manifest, index) => [
      ...checkPlatform(manifest, `Manifests[${index}].Platform`),
      ...checkArtifacts(manifest, `Manifests[${index}].Artifacts`, expected)
    ]),
    ...(new Set(architectures).size < architectures.length ? ['two manifests are for the same architecture'] : []),
    ...[...expected.files].filter((file) => !named.has(file)).map((file) => `no manifest names the artifact ${file}`)
  ]
}

/** Lite's parser knows neither anchors nor tags. */
function checkYaml(document: Document): string[] {
  const problems = document.errors.map(({ message }) => `it is no YAML: ${message}`)
  visit(document, {
    Alias: () => void problems.push('it has a YAML alias, which nucleus lite does not resolve'),
    Node: (_, node) => {
      if (node.tag?.startsWith('!') === true) problems.push(`it has the YAML tag ${node.tag}`)
    }
  })
  return problems
}

/**
 * Checks what neither the GDK's custom build nor a nucleus tells in time (greengrass 0.12).
 * @param text the recipe as YAML
 * @returns a sentence for each thing that is wrong; none when the recipe is fit for both nuclei
 */
export function checkRecipe(text: string, expected: Expected): string[] {
  const document = parseDocument(text, { uniqueKeys: true })
  const yaml = checkYaml(document)
  if (yaml.length > 0) return yaml
  const value = document.toJS() as RecipeValue
  const form = checkForm(value, RECIPE_SCHEMA)
  if (form.length > 0) return form
  const recipe = value as unknown as Recipe
  const parameters = Object.keys(recipe.ComponentConfiguration?.DefaultConfiguration ?? {})
  return [
    ...checkVersions(recipe, expected),
    ...checkDependencies(recipe),
    ...checkManifests(recipe, expected),
    ...checkLifecycle(recipe.Lifecycle.all, 'Lifecycle.all', parameters),
    ...checkSize(text, recipe)
  ]
}
