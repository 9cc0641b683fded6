import type { StreamDefinition } from '../model/stream-definition.ts'
import { definitionToWire } from '../protocol/definition-codec.ts'
import { SITEWISE_KEY } from '../protocol/definition-fields.ts'
import { isObject, type Loose } from './document.ts'

/** Longest list of fields that is told. */
const DIFFERENCES_MAX = 8

/** A value by which two of the same kind can be compared; 63-bit numbers are bigint or number. */
const textOf = (value: Loose): string =>
  JSON.stringify(value, (_, item: Loose) => (typeof item === 'bigint' ? item.toString() : item))

/** Fields with their texts; exports by kind and identifier. */
function leavesOf(definition: StreamDefinition): ReadonlyMap<string, string> {
  const { exportDefinition, ...fields } = definitionToWire(definition)
  const leaves = new Map(Object.entries(fields).map(([key, value]) => [key, textOf(value)]))
  for (const [kind, list] of Object.entries(isObject(exportDefinition) ? exportDefinition : {})) {
    for (const item of Array.isArray(list) ? (list as Loose[]) : []) {
      if (!isObject(item)) continue
      const path = `${kind === SITEWISE_KEY ? 'iotSitewise' : kind}[${String(item['identifier'])}]`
      for (const [key, value] of Object.entries(item)) leaves.set(`${path}.${key}`, textOf(value))
    }
  }
  return leaves
}

/**
 * Where two definitions of a stream differ, for the log: names of fields, and exports as `kind[identifier].field`, or
 * `kind[identifier]` for one that only one of them has. Empty when only the order of the exports differs.
 */
export function differences(left: StreamDefinition, right: StreamDefinition): string {
  const [before, after] = [leavesOf(left), leavesOf(right)]
  const changed = [...new Set([...before.keys(), ...after.keys()])].filter((key) => before.get(key) !== after.get(key))
  const isOnOneSide = (path: string): boolean => before.has(`${path}.identifier`) !== after.has(`${path}.identifier`)
  const paths = changed.map((key) => {
    const path = key.slice(0, key.lastIndexOf('].') + 1)
    return path !== '' && isOnOneSide(path) ? path : key
  })
  const told = [...new Set(paths)]
  const rest = told.length - DIFFERENCES_MAX
  return [...told.slice(0, DIFFERENCES_MAX), ...(rest > 0 ? [`${rest} more`] : [])].join(', ')
}
