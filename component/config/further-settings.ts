import { type Environment, parameterText, quoted } from './parameter.ts'

/** Longest text of the object; the system gives a variable no more. */
const TEXT_CHARS_MAX = 131_072

/**
 * The environment with the settings that a deployment hands over in one object: a nucleus puts the JSON text of an object
 * where its recipe names one (greengrass 2.2). Variables of their own win.
 * @param text JSON of an object from names to texts, numbers or truth values
 * @param names the settings that may be in it
 * @param warnings receives sentences without a final dot
 */
export function withFurtherSettings(
  environment: Environment,
  text: string,
  names: ReadonlySet<string>,
  warnings: string[]
): Environment {
  if (text === '') return environment
  const entries = entriesOf(text)
  if (entries === undefined) {
    warnings.push(`STREAM_MANAGER_SETTINGS is ${quoted(text)} but must be a JSON object; ignoring it`)
    return environment
  }
  const all = new Map(Object.entries(environment))
  for (const [name, value] of entries) {
    if (!names.has(name)) warnings.push(`STREAM_MANAGER_SETTINGS has ${quoted(name)}, which is no setting; ignoring it`)
    else if (value === null) continue
    else if (!isScalar(value))
      warnings.push(`${name} in STREAM_MANAGER_SETTINGS must be a text, a number or a truth value; ignoring it`)
    else if (parameterText(environment, name) === undefined) all.set(name, String(value))
  }
  return Object.fromEntries(all)
}

function entriesOf(text: string): readonly [string, unknown][] | undefined {
  if (text.length > TEXT_CHARS_MAX) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : undefined
  } catch {
    return undefined
  }
}

const isScalar = (value: unknown): value is string | number | boolean =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
