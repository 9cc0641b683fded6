import type { Account, ExportActivity } from '../export/index.ts'
import type { RemovalCause } from '../model/removal.ts'

/*
 * The form of /status. Numbers of messages are sequence numbers; times are milliseconds since the epoch; what is not
 * known is null. Later versions add members and take none away.
 */

export interface StatusReport {
  readonly formatVersion: 1
  readonly timeMs: number
  readonly process: ProcessReport
  readonly health: HealthReport
  readonly streams: readonly StreamReport[]
  /** Streams that exist and cannot be opened, with the reason. */
  readonly unopened: readonly { readonly name: string; readonly reason: string }[]
  /** How many are there beyond those that are listed. */
  readonly omitted: { readonly streams: number; readonly exports: number }
}

export interface ProcessReport {
  readonly version: string
  readonly nodeVersion: string
  readonly pid: number
  readonly uptimeSeconds: number
  readonly residentBytes: number
  readonly cpuSeconds: number
  /** Over the last minute or less. */
  readonly eventLoopDelaySeconds: { readonly p99: number; readonly max: number }
  readonly connections: number
}

/** `failing`: clients cannot work as they should. `degraded`: they can, but something needs a look. */
export type HealthStatus = 'ok' | 'degraded' | 'failing'

export interface HealthReport {
  readonly status: HealthStatus
  readonly reasons: readonly HealthReason[]
  readonly omittedReasons: number
}

export interface HealthReason {
  readonly code: string
  /** A notice is about what has happened, and changes no status. */
  readonly severity: 'notice' | 'degraded' | 'failing'
  /** What was seen here: a sentence without a final dot, as are the next two. */
  readonly text: string
  /** What it means, in plain words. */
  readonly meaning: string
  /** What to do. */
  readonly remedy: string
  readonly stream?: string
  readonly export?: string
}

/** Averages over the last ten seconds and the last minute; shorter while the server is younger. */
export interface Rate {
  readonly over10s: number
  readonly over1m: number
}

export interface Rates {
  readonly messagesPerSecond: Rate
  readonly bytesPerSecond: Rate
}

export interface StreamReport {
  readonly name: string
  readonly definition: {
    readonly persistence: 'file' | 'memory'
    readonly strategyOnFull: 'rejectNewData' | 'overwriteOldestData'
    readonly flushOnWrite: boolean
    readonly maxSizeBytes: number
    readonly segmentSizeBytes: number
    readonly timeToLiveMs: number | null
  }
  readonly oldestSequenceNumber: number
  readonly nextSequenceNumber: number
  /** Messages below this number survive a power cut. */
  readonly durableSequenceNumber: number
  readonly storedMessages: number
  readonly storedBytes: number
  readonly segments: number
  /** Of what is appended; bytes with record headers. */
  readonly rates: Rates
  /** Record bytes appended since the server was started, with those that were stored then. */
  readonly appendedBytes: number
  /** What retention has removed since the stream was made. */
  readonly removed: Readonly<Record<RemovalCause, number>>
  readonly appendProblem: string | null
  readonly exports: readonly ExportReport[]
}

export interface ExportReport {
  readonly identifier: string
  readonly kind: 'http' | 'iotAnalytics' | 'kinesis' | 'sitewise' | 's3'
  /** Where it goes, without anything that may be a secret. */
  readonly destination: string
  readonly priority: number | null
  readonly disabled: boolean
  readonly activity: ExportActivity
  /** The first number that is neither exported nor lost. */
  readonly position: number
  /** `exported + skipped + dropped + waiting` are the numbers from `origin` up to the stream's next one. */
  readonly account: Account & { readonly waiting: number }
  readonly lag: {
    readonly messages: number
    /** Estimated from the sizes of the segments; with record headers. */
    readonly bytes: number
    /** Age of the oldest waiting message; 0 when none waits, null when it could not be read. */
    readonly seconds: number | null
  }
  /** Of what the destination has accepted; payload bytes. */
  readonly rates: Rates
  /** Accepted by the destination, repetitions included. */
  readonly exportedMessages: number
  readonly exportedBytes: number
  readonly lastAttemptMs: number | null
  readonly lastError: string | null
  readonly failedAttempts: number
  readonly nextAttemptMs: number | null
}
