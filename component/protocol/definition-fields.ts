import { EXPORTS_PER_STREAM_MAX } from '../base/limits.ts'
import {
  BATCH_SIZE_MAX,
  type ExportDefinition,
  type HttpExport,
  type HttpExportFormat,
  type IotAnalyticsExport,
  type KinesisExport,
  type S3TaskExport,
  type SiteWiseExport,
  type StatusLevel
} from '../model/export-definition.ts'
import {
  DEFAULT_MAX_SIZE_BYTES,
  DEFAULT_SEGMENT_SIZE_BYTES,
  type Persistence,
  type StrategyOnFull,
  type StreamDefinition
} from '../model/stream-definition.ts'
import { INT64_MAX, NAME_RULES, type Fields } from './fields.ts'
import { omitUndefined } from './omit-undefined.ts'

/** Numbers of the enums on the wire (protocol 6). */
export const STRATEGY_NUMBERS = { rejectNewData: 0, overwriteOldestData: 1 } as const satisfies Record<
  StrategyOnFull,
  number
>
export const PERSISTENCE_NUMBERS = { file: 0, memory: 1 } as const satisfies Record<Persistence, number>
export const EXPORT_FORMAT_NUMBERS = { rawNotBatched: 0, jsonBatched: 1 } as const satisfies Record<
  HttpExportFormat,
  number
>
export const STATUS_LEVEL_NUMBERS = { error: 0, warn: 1, info: 2, debug: 3, trace: 4 } as const satisfies Record<
  StatusLevel,
  number
>

/** Key of the SiteWise exports: the odd one out in all SDKs (protocol 5.8, behaviour 3.9 Q10). */
export const SITEWISE_KEY = 'IotSitewise'
/** The same list in the validator's texts; also accepted as key. */
const SITEWISE_PATH_NAME = 'iotSitewise'

/** 2^63 - 1 nanoseconds in milliseconds, the longest duration of the protocol. */
const DURATION_MS_MAX = 9_223_372_036_854
const DURATION_MS_MIN = 60_000
const SIZE_BYTES_MIN = 1024
const SEGMENT_SIZE_BYTES_MAX = 2 ** 31 - 1
const PRIORITY_LAST = 10
/** The smallest part of a multipart upload. */
const MULTIPART_THRESHOLD_BYTES_MIN = 5_242_880n

/** Where the rules for a definition differ between its uses. */
export interface DefinitionRules {
  /** Lower only for tests and tuning at the edge (behaviour 5.2). */
  readonly batchIntervalMinMs: number
}

export const CLIENT_DEFINITION_RULES: DefinitionRules = { batchIntervalMinMs: DURATION_MS_MIN }
/** For tests and laboratories: intervals of any length. */
export const DEVELOPER_DEFINITION_RULES: DefinitionRules = { batchIntervalMinMs: 1 }

/** Reads a MessageStreamDefinition: types and ranges of protocol 5.7 and 5.8, defaults of behaviour 3.2. */
export function readDefinition(fields: Fields, rules: DefinitionRules): StreamDefinition {
  const name = fields.requiredText('name', NAME_RULES)
  const maxSizeBytes = fields.bigInteger('maxSize', BigInt(SIZE_BYTES_MIN), INT64_MAX)
  const segmentSizeBytes = fields.integer('streamSegmentSize', SIZE_BYTES_MIN, SEGMENT_SIZE_BYTES_MAX)
  const timeToLiveMs = fields.integer('timeToLiveMillis', DURATION_MS_MIN, DURATION_MS_MAX)
  const strategyOnFull = fields.requiredChoice('strategyOnFull', STRATEGY_NUMBERS, 'rejectNewData')
  const persistence = fields.choice('persistence', PERSISTENCE_NUMBERS)
  const flushOnWrite = fields.flag('flushOnWrite')
  const exports = fields.object('exportDefinition', (lists) => readExports(lists, rules))
  return {
    name,
    maxSizeBytes: maxSizeBytes ?? DEFAULT_MAX_SIZE_BYTES,
    segmentSizeBytes: segmentSizeBytes ?? DEFAULT_SEGMENT_SIZE_BYTES,
    ...omitUndefined({ timeToLiveMs }),
    strategyOnFull,
    persistence: persistence ?? 'file',
    flushOnWrite: flushOnWrite ?? false,
    exports: exports ?? []
  }
}

function readExports(lists: Fields, rules: DefinitionRules): readonly ExportDefinition[] {
  const sitewiseKey = lists.has(SITEWISE_KEY) ? SITEWISE_KEY : SITEWISE_PATH_NAME
  const max = EXPORTS_PER_STREAM_MAX
  return [
    ...lists.list('http', max, (fields) => readHttp(fields, rules)),
    ...lists.list('iotAnalytics', max, (fields) => readIotAnalytics(fields, rules)),
    ...lists.list('kinesis', max, (fields) => readKinesis(fields, rules)),
    ...lists.list(sitewiseKey, max, (fields) => readSiteWise(fields, rules), SITEWISE_PATH_NAME),
    ...lists.list('s3TaskExecutor', max, readS3Task)
  ]
}

// Fields are read in the order in which the validator lists their problems: that of protocol 5.8.

function readHttp(fields: Fields, rules: DefinitionRules): HttpExport {
  const identifier = fields.requiredText('identifier', NAME_RULES)
  const uri = fields.requiredText('uri', { charsMin: 1 })
  const batching = readBatching(fields, BATCH_SIZE_MAX.http, rules)
  const exportFormat = fields.choice('exportFormat', EXPORT_FORMAT_NUMBERS)
  return { kind: 'http', identifier, uri, ...batching, ...omitUndefined({ exportFormat }) }
}

function readIotAnalytics(fields: Fields, rules: DefinitionRules): IotAnalyticsExport {
  const identifier = fields.requiredText('identifier', NAME_RULES)
  const iotChannel = fields.requiredText('iotChannel', { charsMin: 1 })
  const iotMsgIdPrefix = fields.text('iotMsgIdPrefix', { charsMax: 32 })
  const batching = readBatching(fields, BATCH_SIZE_MAX.iotAnalytics, rules)
  return { kind: 'iotAnalytics', identifier, iotChannel, ...omitUndefined({ iotMsgIdPrefix }), ...batching }
}

function readKinesis(fields: Fields, rules: DefinitionRules): KinesisExport {
  const identifier = fields.requiredText('identifier', NAME_RULES)
  const kinesisStreamName = fields.requiredText('kinesisStreamName', { charsMin: 1 })
  return { kind: 'kinesis', identifier, kinesisStreamName, ...readBatching(fields, BATCH_SIZE_MAX.kinesis, rules) }
}

function readSiteWise(fields: Fields, rules: DefinitionRules): SiteWiseExport {
  const identifier = fields.requiredText('identifier', NAME_RULES)
  return { kind: 'sitewise', identifier, ...readBatching(fields, BATCH_SIZE_MAX.sitewise, rules) }
}

function readBatching(fields: Fields, batchSizeMax: number, rules: DefinitionRules) {
  const batchSize = fields.integer('batchSize', 1, batchSizeMax)
  const batchIntervalMs = fields.integer('batchIntervalMillis', rules.batchIntervalMinMs, DURATION_MS_MAX)
  const priority = fields.integer('priority', 1, PRIORITY_LAST)
  const startSequenceNumber = fields.bigInteger('startSequenceNumber', 0n, INT64_MAX)
  const disabled = fields.flag('disabled')
  return omitUndefined({ batchSize, batchIntervalMs, priority, startSequenceNumber, disabled })
}

function readS3Task(fields: Fields): S3TaskExport {
  const identifier = fields.requiredText('identifier', NAME_RULES)
  const sizeThresholdForMultipartUploadBytes = fields.bigInteger(
    'sizeThresholdForMultipartUploadBytes',
    MULTIPART_THRESHOLD_BYTES_MIN,
    INT64_MAX
  )
  const priority = fields.integer('priority', 1, PRIORITY_LAST)
  const disabled = fields.flag('disabled')
  const statusConfig = fields.object('statusConfig', (config) => {
    const statusLevel = config.choice('statusLevel', STATUS_LEVEL_NUMBERS)
    const statusStreamName = config.text('statusStreamName', NAME_RULES)
    return omitUndefined({ statusLevel, statusStreamName })
  })
  return {
    kind: 's3',
    identifier,
    ...omitUndefined({ sizeThresholdForMultipartUploadBytes, priority, disabled, statusConfig })
  }
}
