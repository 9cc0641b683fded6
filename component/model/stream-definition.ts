import type { ExportDefinition } from './export-definition.ts'

export type StrategyOnFull = 'rejectNewData' | 'overwriteOldestData'
export type Persistence = 'file' | 'memory'

/** Defaults the server applies when a definition leaves a field out (behaviour 3.2). */
export const DEFAULT_MAX_SIZE_BYTES = 268_435_456n
export const DEFAULT_SEGMENT_SIZE_BYTES = 16_777_216

/** What a client asked for, with the defaults filled in. 63-bit quantities are bigint so that they survive a round trip. */
export interface StreamDefinition {
  /** 1 to 255 characters of `^[\w ,.\-_]*$`; case-sensitive. */
  readonly name: string
  /** Bound on the stored records of the stream, 1024 to 2^63 - 1. */
  readonly maxSizeBytes: bigint
  /** Size at which a new segment is started, 1024 to 2^31 - 1. */
  readonly segmentSizeBytes: number
  /** Absent: messages never expire. 60000 to 9223372036854. */
  readonly timeToLiveMs?: number
  readonly strategyOnFull: StrategyOnFull
  readonly persistence: Persistence
  readonly flushOnWrite: boolean
  /** In the order in which describe reports them: http, iotAnalytics, kinesis, sitewise, s3. */
  readonly exports: readonly ExportDefinition[]
}
