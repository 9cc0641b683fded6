import type { CborMap, CborValue } from '../protocol/cbor-decoder.ts'
import {
  EXPORT_FORMAT_NAMES,
  PERSISTENCE_NAMES,
  STATUS_LEVEL_NAMES,
  STRATEGY_NAMES
} from '../protocol/definition-names.ts'
import { isObject, type Loose } from './document.ts'

/** Names of an enum, as the client libraries write them, with their numbers on the wire. */
interface Choice {
  readonly numbers: Readonly<Record<string, number>>
}
type Shape = 'text' | 'integer' | 'flag' | Choice | { readonly list: ObjectShape } | { readonly object: ObjectShape }
type ObjectShape = Readonly<Record<string, Shape>>

const STRATEGY: Choice = { numbers: STRATEGY_NAMES }
const PERSISTENCE: Choice = { numbers: PERSISTENCE_NAMES }
const EXPORT_FORMAT: Choice = { numbers: EXPORT_FORMAT_NAMES }
const STATUS_LEVEL: Choice = { numbers: STATUS_LEVEL_NAMES }

const BATCHED: ObjectShape = {
  identifier: 'text',
  batchSize: 'integer',
  batchIntervalMillis: 'integer',
  priority: 'integer',
  startSequenceNumber: 'integer',
  disabled: 'flag'
}
const S3_TASKS: ObjectShape = {
  identifier: 'text',
  sizeThresholdForMultipartUploadBytes: 'integer',
  priority: 'integer',
  disabled: 'flag',
  statusConfig: { object: { statusLevel: STATUS_LEVEL, statusStreamName: 'text' } }
}

/** A MessageStreamDefinition (protocol 5.7, 5.8). Both spellings of the SiteWise list are known (behaviour 3.9 Q10). */
const DEFINITION: ObjectShape = {
  name: 'text',
  maxSize: 'integer',
  streamSegmentSize: 'integer',
  timeToLiveMillis: 'integer',
  strategyOnFull: STRATEGY,
  persistence: PERSISTENCE,
  flushOnWrite: 'flag',
  exportDefinition: {
    object: {
      http: { list: { ...BATCHED, uri: 'text', exportFormat: EXPORT_FORMAT } },
      iotAnalytics: { list: { ...BATCHED, iotChannel: 'text', iotMsgIdPrefix: 'text' } },
      kinesis: { list: { ...BATCHED, kinesisStreamName: 'text' } },
      iotSitewise: { list: BATCHED },
      IotSitewise: { list: BATCHED },
      s3TaskExecutor: { list: S3_TASKS }
    }
  }
}

const bare = (word: string): string => word.replaceAll(/[_-]/g, '').toLowerCase()

/** One of the values that a map of the protocol can hold; what has the wrong form is left for the reader to refuse. */
function scalarOf(value: Loose): CborValue {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint') return value
  if (typeof value === 'boolean') return value
  return Array.isArray(value) ? [] : new Map()
}

/** The cloud and the nuclei may turn numbers and truth values into texts (greengrass 2.1). */
function fromText(value: Loose, shape: 'text' | 'integer' | 'flag'): Loose {
  if (typeof value !== 'string') return value
  if (shape === 'integer' && /^\d{1,19}$/.test(value)) return BigInt(value)
  if (shape === 'flag' && /^(true|false)$/i.test(value)) return value.toLowerCase() === 'true'
  return value
}

function choiceOf(value: Loose, { numbers }: Choice, path: string, problems: string[]): CborValue {
  if (typeof value === 'number' || typeof value === 'bigint') return value
  const found =
    typeof value === 'string' ? Object.entries(numbers).find(([name]) => bare(name) === bare(value)) : undefined
  if (found === undefined) problems.push(`${path}: must be one of ${Object.keys(numbers).join(', ')}.`)
  return found?.[1] ?? 0
}

function valueOf(value: Loose, shape: Shape, path: string, problems: string[]): CborValue {
  if (typeof shape === 'string') return scalarOf(fromText(value, shape))
  if ('numbers' in shape) return choiceOf(value, shape, path, problems)
  if ('object' in shape) return isObject(value) ? mapOf(value, shape.object, path, problems) : scalarOf(value)
  if (!Array.isArray(value)) return scalarOf(value)
  return value.map((item: Loose, index) =>
    isObject(item) ? mapOf(item, shape.list, `${path}[${index}]`, problems) : scalarOf(item)
  )
}

function mapOf(value: Readonly<Record<string, Loose>>, shape: ObjectShape, path: string, problems: string[]): CborMap {
  const map = new Map<string, CborValue>()
  for (const [key, item] of Object.entries(value)) {
    const known = Object.hasOwn(shape, key) ? shape[key] : undefined
    const meant = Object.keys(shape).find((name) => name.toLowerCase() === key.toLowerCase())
    if (known !== undefined && item !== null && item !== undefined)
      map.set(key, valueOf(item, known, `${path}.${key}`, problems))
    else if (known === undefined)
      problems.push(`${path}.${key} is not known${meant === undefined ? '' : `, ${meant} is meant`}.`)
  }
  return map
}

/**
 * A definition of a document as the map that a client would send: enums by their names, numbers and truth values also as
 * texts. Unlike in requests, a field that is not known is a problem: in a deployment nobody sees that it has no effect.
 * @param problems receives sentences with their dot
 */
export function definitionMap(value: Readonly<Record<string, Loose>>, path: string, problems: string[]): CborMap {
  return mapOf(value, DEFINITION, path, problems)
}
