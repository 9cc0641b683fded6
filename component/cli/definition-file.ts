import { parse, stringify } from 'yaml'
import { describeError, Fault } from '../base/fault.ts'
import { MIB } from '../base/limits.ts'
import type { ExportKind } from '../model/export-definition.ts'
import type { StreamDefinition } from '../model/stream-definition.ts'
import type { CborMap, CborValue } from '../protocol/cbor-decoder.ts'
import { definitionToWire } from '../protocol/definition-codec.ts'
import { readDefinition } from '../protocol/definition-fields.ts'
import {
  EXPORT_FORMAT_NAMES,
  PERSISTENCE_NAMES,
  STATUS_LEVEL_NAMES,
  STRATEGY_NAMES
} from '../protocol/definition-names.ts'
import { definitionProblems } from '../protocol/definition-policy.ts'
import { Fields } from '../protocol/fields.ts'
import { LENIENT_RULES } from './client/client.ts'
import { hintFor } from './nearest.ts'
import { parseBytes, parseDuration } from './text.ts'

/*
 * A definition as a YAML or JSON document: the keys of the protocol (protocol 5.7, 5.8), enums by the names that the
 * client libraries give them, sizes and durations also with units. What is misspelt is refused, not left out.
 */

/** Largest document that is read. */
const DOCUMENT_BYTES_MAX = MIB

type FieldKind = 'plain' | 'bytes' | 'duration' | Readonly<Record<string, number>>
type Shape = Readonly<Record<string, FieldKind>>

const STREAM_SHAPE: Shape = {
  name: 'plain',
  maxSize: 'bytes',
  streamSegmentSize: 'bytes',
  timeToLiveMillis: 'duration',
  strategyOnFull: STRATEGY_NAMES,
  persistence: PERSISTENCE_NAMES,
  flushOnWrite: 'plain'
}
const COMMON_SHAPE: Shape = { identifier: 'plain', priority: 'plain', disabled: 'plain' }
const BATCHED_SHAPE: Shape = {
  ...COMMON_SHAPE,
  batchSize: 'plain',
  batchIntervalMillis: 'duration',
  startSequenceNumber: 'plain'
}
const STATUS_SHAPE: Shape = {
  statusLevel: STATUS_LEVEL_NAMES,
  statusStreamName: 'plain'
}

/** Key of each kind's list in the protocol, and what its exports hold. */
export const EXPORT_SHAPES: Readonly<Record<ExportKind, { readonly key: string; readonly shape: Shape }>> = {
  http: { key: 'http', shape: { ...BATCHED_SHAPE, uri: 'plain', exportFormat: EXPORT_FORMAT_NAMES } },
  iotAnalytics: { key: 'iotAnalytics', shape: { ...BATCHED_SHAPE, iotChannel: 'plain', iotMsgIdPrefix: 'plain' } },
  kinesis: { key: 'kinesis', shape: { ...BATCHED_SHAPE, kinesisStreamName: 'plain' } },
  sitewise: { key: 'IotSitewise', shape: BATCHED_SHAPE },
  s3: { key: 's3TaskExecutor', shape: { ...COMMON_SHAPE, sizeThresholdForMultipartUploadBytes: 'bytes' } }
}

/** What a document or a flag gives for a field. */
export type Loose = unknown

function isObject(value: Loose): value is Readonly<Record<string, Loose>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const quotedList = (words: readonly string[]): string => words.join(', ')

function fieldValue(path: string, kind: FieldKind, value: Loose): CborValue {
  if (typeof kind === 'object') {
    const found = Object.entries(kind).find(
      ([name]) => name.toLowerCase() === String(value).toLowerCase().replaceAll('-', '_')
    )
    if (found !== undefined) return found[1]
    if (typeof value === 'number' || typeof value === 'bigint') return Number(value)
    throw new Fault(
      `${path} must be one of ${quotedList(Object.keys(kind))}${hintFor(String(value), Object.keys(kind))}`
    )
  }
  if (typeof value === 'string' && kind === 'bytes') return parseBytes(path, value)
  if (typeof value === 'string' && kind === 'duration') return parseDuration(path, value)
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint')
    return value
  throw new Fault(`${path} must be a single value`)
}

/** Fields of an object that follow a shape; `nested` takes the other keys that are allowed. */
function fieldsOf(
  path: string,
  value: Loose,
  shape: Shape,
  nested: Readonly<Record<string, (path: string, value: Loose) => CborValue>> = {}
): CborMap {
  if (!isObject(value)) throw new Fault(`${path} must be a mapping of keys to values`)
  const map = new Map<string, CborValue>()
  const known = [...Object.keys(shape), ...Object.keys(nested)]
  for (const [key, item] of Object.entries(value)) {
    const at = path === '' ? key : `${path}.${key}`
    const kind = shape[key]
    const read = nested[key]
    if (kind === undefined && read === undefined)
      throw new Fault(`${at} is unknown${hintFor(key, known)}; known are ${quotedList(known)}`)
    if (item === null || item === undefined) continue
    map.set(key, read === undefined ? fieldValue(at, kind ?? 'plain', item) : read(at, item))
  }
  return map
}

/** An export of a document or of flags, as a map of the protocol. @throws Fault, UsageProblem */
export function exportMap(path: string, kind: ExportKind, value: Loose): CborMap {
  const nested = kind === 's3' ? { statusConfig: (at: string, item: Loose) => fieldsOf(at, item, STATUS_SHAPE) } : {}
  return fieldsOf(path, value, EXPORT_SHAPES[kind].shape, nested)
}

function exportsMap(path: string, value: Loose): CborMap {
  const lists = Object.entries(EXPORT_SHAPES).map(([kind, { key }]) => [
    key,
    (at: string, list: Loose): CborValue => {
      if (!Array.isArray(list)) throw new Fault(`${at} must be a list`)
      return list.map((item: Loose, index) => exportMap(`${at}[${index}]`, kind as ExportKind, item))
    }
  ])
  return fieldsOf(
    path,
    value,
    {},
    Object.fromEntries(lists) as Record<string, (path: string, value: Loose) => CborValue>
  )
}

/** A definition with what is missing filled in and all of it checked. @throws Fault that names every problem */
export function definitionOf(map: CborMap): StreamDefinition {
  const fields = new Fields(map, '')
  const definition = readDefinition(fields, LENIENT_RULES)
  const problems = fields.problems.length > 0 ? fields.problems : definitionProblems(definition)
  if (problems.length > 0) throw new Fault(`the definition cannot be used: ${problems.join(' ')}`)
  return definition
}

/** Reads a document. @throws Fault, UsageProblem */
export function parseDefinition(text: string): CborMap {
  if (text.length > DOCUMENT_BYTES_MAX) throw new Fault(`the document is longer than ${DOCUMENT_BYTES_MAX} characters`)
  let document: Loose
  try {
    // Aliases would let a short document become a huge one.
    document = parse(text, { maxAliasCount: 0, intAsBigInt: true })
  } catch (error) {
    throw new Fault(`the document is no YAML: ${describeError(error)}`, error)
  }
  return fieldsOf('', document, STREAM_SHAPE, { exportDefinition: exportsMap })
}

function nameOf(kind: FieldKind | undefined, value: Loose): Loose {
  if (typeof kind !== 'object') return value
  return Object.entries(kind).find(([, number]) => number === value)?.[0] ?? value
}

function named(value: Loose, shape: Shape): Record<string, Loose> {
  return isObject(value)
    ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, nameOf(shape[key], item)]))
    : {}
}

/** The definition as the content of a document: enums by their names, without empty lists of exports. */
export function definitionToDocument(definition: StreamDefinition): Readonly<Record<string, Loose>> {
  const { exportDefinition, ...fields } = definitionToWire(definition)
  const lists = Object.entries(EXPORT_SHAPES).flatMap(([, { key, shape }]) => {
    const list: Loose = isObject(exportDefinition) ? exportDefinition[key] : undefined
    if (!Array.isArray(list) || list.length === 0) return []
    const items = list.map((item: Loose) => {
      const { statusConfig, ...rest } = named(item, shape)
      return statusConfig === undefined ? rest : { ...rest, statusConfig: named(statusConfig, STATUS_SHAPE) }
    })
    return [[key, items] as const]
  })
  const exports = lists.length === 0 ? {} : { exportDefinition: Object.fromEntries(lists) }
  return { ...named(fields, STREAM_SHAPE), ...exports }
}

/** A document that `parseDefinition` reads back. */
export function definitionToYaml(definition: StreamDefinition): string {
  return stringify(definitionToDocument(definition))
}
