import { AGE_MS_MAX, ENTRY_BYTES_MAX, ENTRY_DEPTH_MAX, ENTRY_ID, VALUES_MAX } from './limits.ts'

/** A JSON object of which only some members are looked at. */
type JsonObject = Readonly<Record<string, unknown>>

/** An entry as far as it is understood; everything else in it is passed on as it came (behaviour 9, item 1). */
export interface SiteWiseEntry {
  /** All members, but for repeated values. */
  readonly fields: JsonObject
  readonly id: string | undefined
  /** The property, for people. */
  readonly address: string
  /** One text for each property and time that the entry writes to. */
  readonly points: readonly string[]
  /** Earliest time, milliseconds since the epoch. */
  readonly oldestMs: number
}

export type ParsedEntry =
  { readonly ok: true; readonly entry: SiteWiseEntry } | { readonly ok: false; readonly reason: string }

/** Kinds of values that exclude each other. Others may be added by the service and are passed on. */
const VALUE_KINDS = ['stringValue', 'integerValue', 'doubleValue', 'booleanValue', 'nullValue']
const NANOS_MAX = 999_999_999

/**
 * Reads a message as an entry (behaviour 9). What the service can never accept is told here, without a request.
 * @returns the reason as `<ErrorName>: <message>` when it is none
 */
export function parseEntry(payload: Buffer): ParsedEntry {
  const invalid = (text: string): ParsedEntry => ({ ok: false, reason: `InvalidEntry: ${text}` })
  const fields = parseObject(payload)
  if (typeof fields === 'string') return invalid(fields)
  const address = addressOf(fields)
  if (address === undefined) return invalid('neither assetId and propertyId nor propertyAlias are there')
  const { entryId, propertyValues } = fields
  if (isPresent(entryId) && !(typeof entryId === 'string' && ENTRY_ID.test(entryId)))
    return invalid('entryId must be 1 to 64 letters, digits, _ or -')
  if (!Array.isArray(propertyValues) || propertyValues.length === 0) return invalid('propertyValues are missing')
  if (propertyValues.length > VALUES_MAX) return invalid(`more than ${VALUES_MAX} propertyValues`)
  const values = (propertyValues as unknown[]).map(readValue)
  const problem = values.find((value) => typeof value === 'string')
  if (problem !== undefined) return invalid(problem)
  const kept = lastOfEach(values.filter((value) => typeof value !== 'string'))
  return {
    ok: true,
    entry: {
      fields: { ...fields, propertyValues: kept.map((value) => value.fields) },
      id: isPresent(entryId) ? entryId : undefined,
      address,
      points: kept.map(({ seconds, nanos }) => JSON.stringify([address, seconds, nanos])),
      oldestMs: Math.min(...kept.map(({ seconds, nanos }) => seconds * 1_000 + nanos / 1e6))
    }
  }
}

/** Whether the service refuses the entry for its age (behaviour 9). */
export function isTooOld(entry: SiteWiseEntry, wallMs: number): boolean {
  return entry.oldestMs < wallMs - AGE_MS_MAX
}

interface PropertyValue {
  readonly fields: JsonObject
  readonly seconds: number
  readonly nanos: number
}

/** @returns a sentence when it is none that the service could accept */
function readValue(raw: unknown): PropertyValue | string {
  if (!isObject(raw)) return 'a property value is not an object'
  const { value, timestamp } = raw
  if (!isObject(value) || !Object.values(value).some(isPresent)) return 'a property value has no value'
  if (VALUE_KINDS.filter((kind) => isPresent(value[kind])).length > 1) return 'a property value has two values'
  if (!isObject(timestamp)) return 'a property value has no timestamp'
  const { timeInSeconds: seconds, offsetInNanos } = timestamp
  const nanos = isPresent(offsetInNanos) ? offsetInNanos : 0
  if (!isIntegerBetween(seconds, 1, Infinity)) return 'timeInSeconds must be a whole number above 0'
  if (!isIntegerBetween(nanos, 0, NANOS_MAX)) return `offsetInNanos must be a whole number from 0 to ${NANOS_MAX}`
  return { fields: raw, seconds, nanos }
}

/**
 * Of values with the same time and quality the service keeps the last, but refuses them in one request: only that one is
 * sent.
 */
function lastOfEach(values: readonly PropertyValue[]): readonly PropertyValue[] {
  const keyOf = ({ fields, seconds, nanos }: PropertyValue): string =>
    JSON.stringify([seconds, nanos, fields['quality']])
  const last = new Map(values.map((value) => [keyOf(value), value]))
  return values.filter((value) => last.get(keyOf(value)) === value)
}

function addressOf({ assetId, propertyId, propertyAlias }: JsonObject): string | undefined {
  if (isText(propertyAlias)) return `alias ${propertyAlias}`
  return isText(assetId) && isText(propertyId) ? `asset ${assetId} property ${propertyId}` : undefined
}

/** @returns a sentence when there is none */
function parseObject(payload: Buffer): JsonObject | string {
  if (payload.length > ENTRY_BYTES_MAX) return `the message is larger than ${ENTRY_BYTES_MAX} bytes`
  const text = payload.toString('utf8')
  if (isDeeperThan(text, ENTRY_DEPTH_MAX)) return `more than ${ENTRY_DEPTH_MAX} levels`
  try {
    const parsed: unknown = JSON.parse(text)
    return isObject(parsed) ? parsed : 'the message is not a JSON object'
  } catch {
    return 'the message is not JSON'
  }
}

/** Counts brackets outside of texts; says nothing about anything else. */
function isDeeperThan(json: string, depthMax: number): boolean {
  let depth = 0
  let inText = false
  for (let index = 0; index < json.length; index += 1) {
    const char = json[index]
    if (inText) {
      if (char === '\\') index += 1
      else if (char === '"') inText = false
    } else if (char === '"') inText = true
    else if (char === '{' || char === '[') {
      depth += 1
      if (depth > depthMax) return true
    } else if (char === '}' || char === ']') depth -= 1
  }
  return false
}

/** In JSON of the service null is as good as absence. */
const isPresent = <Value>(value: Value): value is NonNullable<Value> => value !== undefined && value !== null
const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''
const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isIntegerBetween = (value: unknown, min: number, max: number): value is number =>
  Number.isInteger(value) && (value as number) >= min && (value as number) <= max
