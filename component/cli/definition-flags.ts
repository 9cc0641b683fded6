import { hintFor } from '../base/nearest.ts'
import { EXPORT_SHAPES } from '../declare/definition-shape.ts'
import { EXPORT_KINDS, type ExportKind } from '../model/export-definition.ts'
import type { CborMap, CborValue } from '../protocol/cbor-decoder.ts'
import { UsageProblem, type Options } from './command.ts'
import { readPart } from './definition-file.ts'
import { parseBytes, parseDuration } from './text.ts'

/** A definition, or changes of one, as options of the command line. */

export const DEFINITION_OPTIONS = {
  'max-size': { type: 'string' },
  'segment-size': { type: 'string' },
  ttl: { type: 'string' },
  'on-full': { type: 'string' },
  persistence: { type: 'string' },
  flush: { type: 'string' },
  export: { type: 'string', multiple: true }
} as const satisfies Options

export const DEFINITION_HELP: readonly string[] = [
  '  --max-size <size>      bound of the stream, such as 256MiB',
  '  --segment-size <size>  data are removed by segments of this size, such as 16MiB',
  '  --ttl <duration>       how long messages are kept, such as 7d; none for no limit',
  '  --on-full <what>       overwrite (the oldest data) or reject (new data)',
  '  --persistence <where>  file or memory',
  '  --flush <yes|no>       whether an append is answered only when it has reached the disk',
  '  --export <kind>:<key>=<value>,…  an export; kinds: http, kinesis, sitewise, s3, iotAnalytics; keys of the protocol:',
  '                         kinesis:identifier=cloud,kinesisStreamName=telemetry,batchSize=100'
]

export interface DefinitionValues {
  readonly 'max-size'?: string | undefined
  readonly 'segment-size'?: string | undefined
  readonly ttl?: string | undefined
  readonly 'on-full'?: string | undefined
  readonly persistence?: string | undefined
  readonly flush?: string | undefined
  readonly export?: readonly string[] | undefined
}

function choice(name: string, text: string, choices: Readonly<Record<string, CborValue>>): CborValue {
  const words = Object.keys(choices)
  if (!words.includes(text))
    throw new UsageProblem(`--${name} must be one of ${words.join(', ')}${hintFor(text, words)}`)
  return choices[text]
}

/** `<kind>:<key>=<value>,…`. A value with a comma needs a document. @throws UsageProblem, Fault */
export function parseExport(text: string): { readonly kind: ExportKind; readonly map: CborMap } {
  const match = /^(\w+):(.*)$/s.exec(text)
  const word = match?.[1] ?? text
  const kind = EXPORT_KINDS.find((known) => known === word || EXPORT_SHAPES[known].key === word)
  if (match === null || kind === undefined)
    throw new UsageProblem(
      `--export must begin with one of ${EXPORT_KINDS.map((known) => `${known}:`).join(', ')}${hintFor(word, EXPORT_KINDS)}`
    )
  const fields: Record<string, unknown> = {}
  const status: Record<string, string> = {}
  for (const part of (match[2] ?? '').split(',').filter((item) => item !== '')) {
    const [, key = '', value = ''] = /^(\w+)=(.*)$/s.exec(part) ?? []
    if (key === '') throw new UsageProblem(`--export: ${JSON.stringify(part)} is not of the form <key>=<value>`)
    const isOfStatus = kind === 's3' && key.startsWith('status') && key !== 'statusConfig'
    ;(isOfStatus ? status : fields)[key] = value
  }
  if (Object.keys(status).length > 0) fields['statusConfig'] = status
  return { kind, map: readPart(`--export ${kind}`, fields, EXPORT_SHAPES[kind].shape) }
}

/** Puts an export into the lists of a definition, in the place of one with the same identifier. */
export function withExport(exportDefinition: CborValue, kind: ExportKind, item: CborMap): CborMap {
  const lists = new Map<string, CborValue>(exportDefinition instanceof Map ? (exportDefinition as CborMap) : [])
  const identifier = item.get('identifier')
  const { key } = EXPORT_SHAPES[kind]
  for (const [name, list] of lists) {
    if (!Array.isArray(list)) continue
    const others = (list as readonly CborValue[]).filter(
      (other) => !(other instanceof Map) || (other as CborMap).get('identifier') !== identifier
    )
    lists.set(name, others)
  }
  const own = lists.get(key)
  lists.set(key, [...(Array.isArray(own) ? (own as readonly CborValue[]) : []), item])
  return lists
}

/** The definition with what the options say. @throws UsageProblem, Fault */
export function applyFlags(base: CborMap, values: DefinitionValues): CborMap {
  const map = new Map(base)
  const { 'max-size': maxSize, 'segment-size': segmentSize, ttl, 'on-full': onFull, persistence, flush } = values
  if (maxSize !== undefined) map.set('maxSize', parseBytes('--max-size', maxSize))
  if (segmentSize !== undefined) map.set('streamSegmentSize', parseBytes('--segment-size', segmentSize))
  if (ttl === 'none') map.delete('timeToLiveMillis')
  else if (ttl !== undefined) map.set('timeToLiveMillis', parseDuration('--ttl', ttl))
  if (onFull !== undefined) map.set('strategyOnFull', choice('on-full', onFull, { overwrite: 1, reject: 0 }))
  if (persistence !== undefined) map.set('persistence', choice('persistence', persistence, { file: 0, memory: 1 }))
  if (flush !== undefined) map.set('flushOnWrite', choice('flush', flush, { yes: true, no: false }))
  for (const text of values.export ?? []) {
    const { kind, map: item } = parseExport(text)
    map.set('exportDefinition', withExport(map.get('exportDefinition'), kind, item))
  }
  return map
}
