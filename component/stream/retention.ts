import type { StreamDefinition } from '../model/stream-definition.ts'

const ROLL_BYTES_MIN = 1024

/** What a definition means for appends, in numbers that are quick to compare. */
export interface AppendPolicy {
  /** Bound on the records of the stream. */
  readonly bytesMax: number
  /**
   * The size at which a new segment is begun: the one asked for, but at most half of maxSize, so that dropping the
   * oldest segment never empties the stream (behaviour 4.3).
   */
  readonly rollBytes: number
  readonly overwritesOldest: boolean
  /** An append is acknowledged only when it survives a power cut. */
  readonly syncsBeforeAcknowledging: boolean
  readonly usesDisk: boolean
}

export function appendPolicy(definition: StreamDefinition): AppendPolicy {
  const bytesMax = Math.min(Number(definition.maxSizeBytes), Number.MAX_SAFE_INTEGER)
  const usesDisk = definition.persistence === 'file'
  return {
    bytesMax,
    rollBytes: Math.min(definition.segmentSizeBytes, Math.max(ROLL_BYTES_MIN, Math.floor(bytesMax / 2))),
    overwritesOldest: definition.strategyOnFull === 'overwriteOldestData',
    syncsBeforeAcknowledging: usesDisk && definition.flushOnWrite,
    usesDisk
  }
}

const SWEEP_PERIOD_MIN_MS = 5_000
const SWEEP_PERIOD_MAX_MS = 60_000

/** Time between two searches for expired segments (behaviour 4.5). */
export function sweepPeriodMs(timeToLiveMs: number): number {
  return Math.max(SWEEP_PERIOD_MIN_MS, Math.min(SWEEP_PERIOD_MAX_MS, timeToLiveMs / 10))
}

/** A reading of both clocks, taken together. */
export interface ClockReading {
  readonly wallMs: number
  readonly monotonicMs: number
}

const CLOCK_JUMP_MS = 3_600_000

/**
 * Says whether the wall clock cannot be trusted to expire data: it moved by more than an hour against the monotonic
 * clock since the last sweep, or it is behind a record that was already written (behaviour 4.5).
 */
export function isClockSuspect(last: ClockReading | undefined, now: ClockReading, newestIngestMs: number): boolean {
  if (now.wallMs < newestIngestMs) return true
  if (last === undefined) return false
  return Math.abs(now.wallMs - last.wallMs - (now.monotonicMs - last.monotonicMs)) > CLOCK_JUMP_MS
}

/** How long sweeps rest after a suspect clock. */
export const SUSPECT_CLOCK_PAUSE_MS = 3_600_000
