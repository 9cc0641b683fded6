import { readVectors, type Client, type Json, type JsonObject } from './vectors.ts'

/*
 * Builds the request frames of the official clients anew from the calls in the vector files, with the encoding of each
 * client (protocol 2.1), so that frames of which only a hash was recorded can be tested too.
 */

type Value = string | number | bigint | boolean | Buffer | readonly Value[] | { readonly [key: string]: Value }

interface SchemaField {
  readonly key: string
  readonly type: string
  readonly defaultPython?: Value
  readonly defaultJs?: Value
  readonly defaultJava?: Value
}
const schema = readVectors('schema.json') as { classes: Readonly<Record<string, readonly SchemaField[]>> }

const JAVA_TEXT_CHUNK = 3996

/** The values that a call names with `{"$num": …}`, `{"$hex": …}`, `{"$repeat": …}` and `{"$gen": …}`. */
export function callValue(json: Json): Value {
  if (json === null) throw new Error('a null is left out by its parent')
  if (typeof json !== 'object') return json
  if (Array.isArray(json)) return (json as readonly Json[]).map(callValue)
  const object = json as JsonObject
  if (typeof object['$num'] === 'string') return BigInt(object['$num'])
  if (typeof object['$hex'] === 'string') return Buffer.from(object['$hex'], 'hex')
  if (typeof object['$repeat'] === 'string') return object['$repeat'].repeat(Number(object['n']))
  if (object['$gen'] === 'i mod 251')
    return Buffer.from(Array.from({ length: Number(object['len']) }, (_, i) => i % 251))
  if (typeof object['$gen'] === 'string') return kinesisExports(400)
  const entries = Object.entries(object).filter(([, value]) => value !== null)
  return Object.fromEntries(entries.map(([key, value]) => [key, callValue(value)]))
}

function kinesisExports(count: number): Value {
  return Array.from({ length: count }, (_, index) => {
    const number = String(index).padStart(4, '0')
    return { identifier: `kinesis-export-number-${number}`, kinesisStreamName: `some-kinesis-stream-${number}` }
  })
}

/** The payload of the request that `client` makes of a create, update or append call. */
export function buildPayload(client: Client, requestId: string, call: JsonObject): Buffer {
  const isJava = client.startsWith('java')
  const request =
    call['op'] === 'append'
      ? { requestId, name: callValue(call['stream']!), payload: callValue(call['payload']!) }
      : { requestId, definition: complete('MessageStreamDefinition', callValue(call['definition']!), isJava) }
  return encode(request, isJava ? (client === 'java-slim-1.1.0' ? 'slim' : 'java') : 'plain')
}

/** The keys of an object in the order of the schema, with the defaults that the SDK sends. */
function complete(className: string, value: Value, isJava: boolean): Value {
  const object = value as { readonly [key: string]: Value }
  const entries: [string, Value][] = []
  for (const field of schema.classes[className]!) {
    const sdkDefault = isJava ? field.defaultJava : field.defaultPython
    const given = object[field.key] ?? sdkDefault
    if (given === undefined || (isJava && Array.isArray(given) && given.length === 0)) continue
    const element = /^array<(.*)>$/.exec(field.type)?.[1]
    if (element !== undefined && element in schema.classes) {
      entries.push([field.key, (given as readonly Value[]).map((item) => complete(element, item, isJava))])
    } else {
      entries.push([field.key, field.type in schema.classes ? complete(field.type, given, isJava) : given])
    }
  }
  return Object.fromEntries(entries)
}

type Dialect = 'plain' | 'java' | 'slim'

function head(major: number, argument: number | bigint): Buffer {
  const value = BigInt(argument)
  const initial = major << 5
  if (value < 24n) return Buffer.from([initial | Number(value)])
  if (value < 1n << 8n) return Buffer.from([initial | 24, Number(value)])
  const bytes = Buffer.alloc(9)
  bytes.writeBigUInt64BE(value, 1)
  const size = value < 1n << 16n ? 2 : value < 1n << 32n ? 4 : 8
  return Buffer.concat([Buffer.from([initial | (size === 2 ? 25 : size === 4 ? 26 : 27)]), bytes.subarray(9 - size)])
}

function encode(value: Value, dialect: Dialect): Buffer {
  if (typeof value === 'string') return encodeText(value, dialect)
  if (typeof value === 'boolean') return Buffer.from([value ? 0xf5 : 0xf4])
  if (typeof value === 'number' || typeof value === 'bigint') return encodeInteger(value, dialect)
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value])
  if (Array.isArray(value)) {
    const items = (value as readonly Value[]).map((item) => encode(item, dialect))
    return dialect === 'slim' ? indefinite(0x9f, items) : Buffer.concat([head(4, items.length), ...items])
  }
  const entries = Object.entries(value as { readonly [key: string]: Value })
  const items = entries.flatMap(([key, item]) => [encodeText(key, 'plain'), encode(item, dialect)])
  return dialect === 'plain' ? Buffer.concat([head(5, entries.length), ...items]) : indefinite(0xbf, items)
}

function indefinite(start: number, items: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.from([start]), ...items, Buffer.from([0xff])])
}

function encodeText(text: string, dialect: Dialect): Buffer {
  const bytes = Buffer.from(text)
  if (dialect === 'plain' || text.length <= JAVA_TEXT_CHUNK) return Buffer.concat([head(3, bytes.length), bytes])
  const chunks: Buffer[] = []
  for (let start = 0; start < text.length; start += JAVA_TEXT_CHUNK) {
    chunks.push(encodeText(text.slice(start, start + JAVA_TEXT_CHUNK), 'plain'))
  }
  return indefinite(0x7f, chunks)
}

function encodeInteger(value: number | bigint, dialect: Dialect): Buffer {
  const wide = BigInt(value)
  // Bundled Jackson 2.12.0 writes 2^32 as 0; the slim one writes 2^31 and more in eight bytes (protocol 2.1).
  if (dialect === 'java' && wide === 1n << 32n) return Buffer.from([0])
  if (dialect !== 'slim' || wide < 1n << 31n || wide >= 1n << 32n) return head(0, value)
  return Buffer.concat([Buffer.from([0x1b, 0, 0, 0, 0]), head(0, value).subarray(1)])
}
