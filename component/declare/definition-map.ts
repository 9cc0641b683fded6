import { hintFor } from '../base/nearest.ts'
import { BYTES_FORM, DURATION_FORM, readBytes, readDuration } from '../base/read-quantity.ts'
import type { CborMap, CborValue } from '../protocol/cbor-decoder.ts'
import type { Choice, ObjectShape, ScalarShape, Shape } from './definition-shape.ts'
import { isObject, type Loose } from './document.ts'

const bare = (word: string): string => word.replaceAll(/[_-]/g, '').toLowerCase()

/** One of the values that a map of the protocol can hold; what has the wrong form is left for the reader to refuse. */
function scalarOf(value: Loose): CborValue {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint') return value
  if (typeof value === 'boolean') return value
  return Array.isArray(value) ? [] : new Map()
}

/** The cloud and the nuclei may turn numbers and truth values into texts (greengrass 2.1); people write units. */
function fromText(text: string, shape: ScalarShape, path: string, problems: string[]): CborValue {
  if (shape === 'flag') return /^(true|false)$/i.test(text) ? text.toLowerCase() === 'true' : text
  if (shape === 'text') return text
  if (/^\d{1,19}$/.test(text)) return BigInt(text)
  if (shape === 'integer') return text
  const quantity = shape === 'bytes' ? readBytes(text) : readDuration(text)
  if (quantity === undefined) problems.push(`${path}: must be ${shape === 'bytes' ? BYTES_FORM : DURATION_FORM}.`)
  return quantity
}

function choiceOf(value: Loose, { numbers }: Choice, path: string, problems: string[]): CborValue {
  // Integers of YAML are exact, and of another type.
  if (typeof value === 'number' || typeof value === 'bigint') return Number(value)
  const names = Object.keys(numbers)
  const word = typeof value === 'string' || typeof value === 'boolean' ? String(value) : ''
  const found = names.find((name) => bare(name) === bare(word))
  if (found === undefined) problems.push(`${path}: must be one of ${names.join(', ')}${hintFor(word, names)}.`)
  return numbers[found ?? names[0] ?? '']
}

function valueOf(value: Loose, shape: Shape, path: string, problems: string[]): CborValue {
  if (typeof shape === 'string')
    return typeof value === 'string' ? fromText(value, shape, path, problems) : scalarOf(value)
  if ('numbers' in shape) return choiceOf(value, shape, path, problems)
  if ('object' in shape) return isObject(value) ? definitionMap(value, shape.object, path, problems) : scalarOf(value)
  if (!Array.isArray(value)) return scalarOf(value)
  return value.map((item: Loose, index) =>
    isObject(item) ? definitionMap(item, shape.list, `${path}[${index}]`, problems) : scalarOf(item)
  )
}

/**
 * A part of a document as the map that a client would send: enums by their names, numbers and truth values also as texts,
 * sizes and durations also with units. Unlike in requests, a key that is not known is a problem: nobody sees that it has no
 * effect.
 * @param path where the part stands, '' for the document itself
 * @param problems receives sentences with their dot
 */
export function definitionMap(
  value: Readonly<Record<string, Loose>>,
  shape: ObjectShape,
  path: string,
  problems: string[]
): CborMap {
  const map = new Map<string, CborValue>()
  for (const [key, item] of Object.entries(value)) {
    const at = path === '' ? key : `${path}.${key}`
    const known = Object.hasOwn(shape, key) ? shape[key] : undefined
    if (known === undefined) problems.push(`${at} is not known${hintFor(key, Object.keys(shape))}.`)
    else if (item !== null && item !== undefined) map.set(key, valueOf(item, known, at, problems))
  }
  return map
}
