import { describeError, Fault } from '../base/fault.ts'
import { definitionMap } from '../declare/definition-map.ts'
import { DEFINITION_SHAPE, type ObjectShape, type Shape } from '../declare/definition-shape.ts'
import { isObject, parseDocument, type Loose } from '../declare/document.ts'
import type { StreamDefinition } from '../model/stream-definition.ts'
import type { CborMap } from '../protocol/cbor-decoder.ts'
import { definitionToWire } from '../protocol/definition-codec.ts'
import { readDefinition } from '../protocol/definition-fields.ts'
import { definitionProblems } from '../protocol/definition-policy.ts'
import { Fields } from '../protocol/fields.ts'
import { LENIENT_RULES } from './client/client.ts'

/* A definition as a YAML or JSON document, in the words of declared streams. What is misspelt is refused, not left out. */

function refuse(what: string, problems: readonly string[]): void {
  if (problems.length > 0) throw new Fault(`${what} cannot be used: ${problems.join(' ')}`)
}

/** A definition with what is missing filled in and all of it checked. @throws Fault that names every problem */
export function definitionOf(map: CborMap): StreamDefinition {
  const fields = new Fields(map, '')
  const definition = readDefinition(fields, LENIENT_RULES)
  refuse('the definition', fields.problems.length > 0 ? fields.problems : definitionProblems(definition))
  return definition
}

/** A part of a document as a map of the protocol. @throws Fault that names every problem */
export function readPart(what: string, value: Readonly<Record<string, Loose>>, shape: ObjectShape): CborMap {
  const problems: string[] = []
  const map = definitionMap(value, shape, '', problems)
  refuse(what, problems)
  return map
}

/** Reads a document. @throws Fault */
export async function parseDefinition(text: string): Promise<CborMap> {
  const document = await parseDocument(text).catch((error: unknown) => {
    if (!(error instanceof Fault)) throw error
    throw new Fault(`the document cannot be used: ${describeError(error)}`, error)
  })
  if (!isObject(document)) throw new Fault('the document cannot be used: it must be an object.')
  return readPart('the document', document, DEFINITION_SHAPE)
}

/** What the protocol has, as a document has it: enums by their names, without empty lists. */
function documentOf(value: Loose, shape: Shape | undefined): Loose {
  if (typeof shape !== 'object') return value
  if ('numbers' in shape) return Object.entries(shape.numbers).find(([, number]) => number === value)?.[0] ?? value
  if ('list' in shape) return Array.isArray(value) ? value.map((item) => objectOf(item, shape.list)) : value
  return objectOf(value, shape.object)
}

function objectOf(value: Loose, shape: ObjectShape): Readonly<Record<string, Loose>> {
  const entries = isObject(value) ? Object.entries(value) : []
  return Object.fromEntries(
    entries
      .filter(([, item]) => !Array.isArray(item) || item.length > 0)
      .map(([key, item]) => [key, documentOf(item, shape[key])])
  )
}

/** The definition as the content of a document. */
export function definitionToDocument(definition: StreamDefinition): Readonly<Record<string, Loose>> {
  const { exportDefinition, ...document } = objectOf(definitionToWire(definition), DEFINITION_SHAPE)
  return definition.exports.length === 0 ? document : { ...document, exportDefinition }
}

/** A document that `parseDefinition` reads back. */
export async function definitionToYaml(definition: StreamDefinition): Promise<string> {
  const { stringify } = await import('yaml')
  return stringify(definitionToDocument(definition))
}
