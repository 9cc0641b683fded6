import { describeError, Fault } from '../base/fault.ts'
import { MIB } from '../base/limits.ts'

/** Longest text of declarations: thousands of streams. */
export const DECLARATIONS_BYTES_MAX = 4 * MIB

/** What JSON or YAML gives, before it is looked at. */
export type Loose = unknown

export const isObject = (value: Loose): value is Readonly<Record<string, Loose>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * Reads JSON, or YAML, of which JSON is a part.
 * @throws Fault when the text is too long, or neither
 */
export async function parseDocument(text: string): Promise<Loose> {
  if (Buffer.byteLength(text) > DECLARATIONS_BYTES_MAX)
    throw new Fault(`it has more than ${DECLARATIONS_BYTES_MAX} bytes`)
  try {
    return JSON.parse(text)
  } catch {
    // A deployment hands over JSON: the parser for YAML is loaded for files written by hand only.
    return parseYaml(text)
  }
}

async function parseYaml(text: string): Promise<Loose> {
  const { parse } = await import('yaml')
  try {
    // Aliases would let a short document become a huge one.
    return parse(text, { maxAliasCount: 0, intAsBigInt: true, logLevel: 'error' }) as Loose
  } catch (error) {
    // The parser shows the place on further lines.
    throw new Fault(`it is neither JSON nor YAML: ${describeError(error).split('\n')[0] ?? ''}`, error)
  }
}
