/** Fields that every export has. */
interface ExportCommon {
  /** Unique within the stream, over all kinds; same characters as a stream name. */
  readonly identifier: string
  /** 1 (first) to 10 (last); absent is last. */
  readonly priority?: number
  readonly disabled?: boolean
}

/** Fields of the exports that send messages in batches. */
interface BatchedExport extends ExportCommon {
  /** Messages per request; absent is the kind's maximum. */
  readonly batchSize?: number
  /** Absent: export as soon as there is data. Present: 60000 to 9223372036854. */
  readonly batchIntervalMs?: number
  /** First message to export, 0 to 2^63 - 1; absent is 0. */
  readonly startSequenceNumber?: bigint
}

export type HttpExportFormat = 'rawNotBatched' | 'jsonBatched'

export interface HttpExport extends BatchedExport {
  readonly kind: 'http'
  readonly uri: string
  /** Absent is rawNotBatched (behaviour 7). */
  readonly exportFormat?: HttpExportFormat
}

export interface IotAnalyticsExport extends BatchedExport {
  readonly kind: 'iotAnalytics'
  readonly iotChannel: string
  readonly iotMsgIdPrefix?: string
}

export interface KinesisExport extends BatchedExport {
  readonly kind: 'kinesis'
  readonly kinesisStreamName: string
}

export interface SiteWiseExport extends BatchedExport {
  readonly kind: 'sitewise'
}

/** Status messages up to this level are written; most important first. */
export const STATUS_LEVELS = ['error', 'warn', 'info', 'debug', 'trace'] as const
export type StatusLevel = (typeof STATUS_LEVELS)[number]

export interface S3TaskExport extends ExportCommon {
  readonly kind: 's3'
  readonly sizeThresholdForMultipartUploadBytes?: bigint
  readonly statusConfig?: { readonly statusLevel?: StatusLevel; readonly statusStreamName?: string }
}

export type ExportDefinition = HttpExport | IotAnalyticsExport | KinesisExport | SiteWiseExport | S3TaskExport
export type ExportKind = ExportDefinition['kind']

/** Kinds in the order in which describe lists them (behaviour 3.6). */
export const EXPORT_KINDS = ['http', 'iotAnalytics', 'kinesis', 'sitewise', 's3'] as const satisfies ExportKind[]

/** Largest, and default, number of messages in one request (protocol section 5.8). An S3 task is always alone. */
export const BATCH_SIZE_MAX = {
  http: 500,
  iotAnalytics: 100,
  kinesis: 500,
  sitewise: 10,
  s3: 1
} as const satisfies Record<ExportKind, number>

/** The first sequence number that an export is to send, before any progress. */
export function startSequenceNumberOf(definition: ExportDefinition): bigint {
  return definition.kind === 's3' ? 0n : (definition.startSequenceNumber ?? 0n)
}
