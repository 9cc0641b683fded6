import type { ExportKind } from '../model/export-definition.ts'
import { SITEWISE_KEY } from '../protocol/definition-fields.ts'
import {
  EXPORT_FORMAT_NAMES,
  PERSISTENCE_NAMES,
  STATUS_LEVEL_NAMES,
  STRATEGY_NAMES
} from '../protocol/definition-names.ts'

/*
 * What a definition of a document holds: the keys of the protocol (protocol 5.7, 5.8), enums by the names that the client
 * libraries give them.
 */

/** Names of an enum with their numbers on the wire. */
export interface Choice {
  readonly numbers: Readonly<Record<string, number>>
}
/** `bytes` and `duration` are integers that may have a unit. */
export type ScalarShape = 'text' | 'integer' | 'bytes' | 'duration' | 'flag'
export type Shape = ScalarShape | Choice | { readonly list: ObjectShape } | { readonly object: ObjectShape }
export type ObjectShape = Readonly<Record<string, Shape>>

const COMMON: ObjectShape = { identifier: 'text', priority: 'integer', disabled: 'flag' }
const BATCHED: ObjectShape = {
  ...COMMON,
  batchSize: 'integer',
  batchIntervalMillis: 'duration',
  startSequenceNumber: 'integer'
}
const STATUS_CONFIG: ObjectShape = { statusLevel: { numbers: STATUS_LEVEL_NAMES }, statusStreamName: 'text' }

/** Key of each kind's list in the protocol, and what its exports hold. */
export const EXPORT_SHAPES: Readonly<Record<ExportKind, { readonly key: string; readonly shape: ObjectShape }>> = {
  http: { key: 'http', shape: { ...BATCHED, uri: 'text', exportFormat: { numbers: EXPORT_FORMAT_NAMES } } },
  iotAnalytics: { key: 'iotAnalytics', shape: { ...BATCHED, iotChannel: 'text', iotMsgIdPrefix: 'text' } },
  kinesis: { key: 'kinesis', shape: { ...BATCHED, kinesisStreamName: 'text' } },
  sitewise: { key: SITEWISE_KEY, shape: BATCHED },
  s3: {
    key: 's3TaskExecutor',
    shape: { ...COMMON, sizeThresholdForMultipartUploadBytes: 'bytes', statusConfig: { object: STATUS_CONFIG } }
  }
}

const LISTS = Object.values(EXPORT_SHAPES).map(({ key, shape }) => [key, { list: shape }] as const)

/** A MessageStreamDefinition. Both spellings of the SiteWise list are known (behaviour 3.9 Q10). */
export const DEFINITION_SHAPE: ObjectShape = {
  name: 'text',
  maxSize: 'bytes',
  streamSegmentSize: 'bytes',
  timeToLiveMillis: 'duration',
  strategyOnFull: { numbers: STRATEGY_NAMES },
  persistence: { numbers: PERSISTENCE_NAMES },
  flushOnWrite: 'flag',
  exportDefinition: { object: { ...Object.fromEntries(LISTS), iotSitewise: { list: BATCHED } } }
}
