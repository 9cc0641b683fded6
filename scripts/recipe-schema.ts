/**
 * The keys of a recipe in the case that nucleus lite wants, which classic takes too (greengrass 2.1). Keys that lite does
 * not understand are left out on purpose: `shutdown`, `recover`, `bootstrap`, `Skipif`, and `Unarchive`, which it
 * ignores in local deployments (greengrass 0.6). It is `Lifecycle.all`, as one in each manifest would be
 * too long for it.
 */
export type Schema =
  | { readonly kind: 'text' }
  | { readonly kind: 'list'; readonly of: Schema }
  | { readonly kind: 'map'; readonly required: readonly string[]; readonly keys: Readonly<Record<string, Schema>> }
  /** A map whose keys are names of the author's choice. */
  | { readonly kind: 'names'; readonly pattern: RegExp; readonly of: Schema }
  | { readonly kind: 'either'; readonly of: readonly Schema[] }

const text: Schema = { kind: 'text' }
const listOf = (of: Schema): Schema => ({ kind: 'list', of })
const names = (pattern: RegExp, of: Schema): Schema => ({ kind: 'names', pattern, of })
const map = (required: readonly string[], keys: Readonly<Record<string, Schema>>): Schema => ({
  kind: 'map',
  required,
  keys
})

/** Lite does not know `timeout`, which classic takes for `Timeout`. */
const step = map(['Script'], { Script: text, Timeout: text, timeout: text, RequiresPrivilege: text })
const PARAMETER_NAME = /^[A-Za-z_0-9]+$/
/** Lists and empty maps are left out: a default that a nucleus dropped would leave the variable without a value. */
const textOrGroup: Schema = { kind: 'either', of: [text, names(PARAMETER_NAME, text)] }

const scriptOrStep: Schema = { kind: 'either', of: [text, step] }

const lifecycle = map(['install', 'startup'], {
  Setenv: names(/^[A-Za-z_][A-Za-z0-9_]*$/, text),
  install: scriptOrStep,
  startup: step
})

const manifest = map(['Platform', 'Artifacts'], {
  Platform: map(['os', 'architecture', 'runtime'], { os: text, architecture: text, runtime: text }),
  Artifacts: listOf(map(['Uri'], { Uri: text, Permission: map([], { Read: text, Execute: text }) }))
})

export const RECIPE_SCHEMA: Schema = map(
  [
    'RecipeFormatVersion',
    'ComponentName',
    'ComponentVersion',
    'ComponentPublisher',
    'ComponentType',
    'Manifests',
    'Lifecycle'
  ],
  {
    RecipeFormatVersion: text,
    ComponentName: text,
    ComponentVersion: text,
    ComponentType: text,
    ComponentDescription: text,
    ComponentPublisher: text,
    ComponentDependencies: names(
      /^[a-zA-Z0-9-_.]{1,128}$/,
      map(['VersionRequirement', 'DependencyType'], { VersionRequirement: text, DependencyType: text })
    ),
    ComponentConfiguration: map(['DefaultConfiguration'], { DefaultConfiguration: names(PARAMETER_NAME, textOrGroup) }),
    Manifests: listOf(manifest),
    Lifecycle: map(['all'], { all: lifecycle })
  }
)

/** A value as the YAML parser gives it. */
export type RecipeValue = string | number | boolean | null | RecipeValue[] | { [key: string]: RecipeValue }

const isMap = (value: RecipeValue): value is { [key: string]: RecipeValue } =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function checkKeys(value: { [key: string]: RecipeValue }, path: string, allowed: readonly string[]): string[] {
  return Object.keys(value)
    .filter((key) => !allowed.includes(key))
    .map((key) => {
      const meant = allowed.find((candidate) => candidate.toLowerCase() === key.toLowerCase())
      const hint = meant === undefined ? 'is no key that both nuclei understand' : `must be spelled ${meant}`
      return `${path}${key} ${hint}`
    })
}

/**
 * Whether a value has the form of a schema.
 * @param path where the value is, with a final dot, or empty for the root
 * @returns a sentence for each thing that is wrong
 */
export function checkForm(value: RecipeValue, schema: Schema, path = ''): string[] {
  const here = path === '' ? 'the recipe' : path.slice(0, -1)
  switch (schema.kind) {
    case 'text':
      return typeof value === 'string' ? [] : [`${here} must be text; numbers and booleans are to be quoted`]
    case 'list':
      return Array.isArray(value) && value.length > 0
        ? value.flatMap((item, index) => checkForm(item, schema.of, `${path.slice(0, -1)}[${index}].`))
        : [`${here} must be a list that is not empty`]
    case 'either': {
      const results = schema.of.map((candidate) => checkForm(value, candidate, path))
      return results.some((problems) => problems.length === 0) ? [] : (results.at(isMap(value) ? -1 : 0) ?? [])
    }
    case 'names':
      if (!isMap(value)) return [`${here} must be a map`]
      return Object.entries(value).flatMap(([key, item]) => {
        const problems = schema.pattern.test(key) ? [] : [`${path}${key} is no name that is allowed there`]
        return [...problems, ...checkForm(item, schema.of, `${path}${key}.`)]
      })
    case 'map': {
      if (!isMap(value)) return [`${here} must be a map`]
      const missing = schema.required.filter((key) => !(key in value)).map((key) => `${path}${key} is missing`)
      const inside = Object.entries(schema.keys).flatMap(([key, of]) => {
        const item = value[key]
        return item === undefined ? [] : checkForm(item, of, `${path}${key}.`)
      })
      return [...checkKeys(value, path, Object.keys(schema.keys)), ...missing, ...inside]
    }
  }
}
