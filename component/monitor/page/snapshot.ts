import type { ExportKind } from '../../model/export-definition.ts'

/** What the server tells at one moment, as far as the page shows it. Times are of the server's clock, in milliseconds. */
export interface Snapshot {
  readonly takenAtMs: number
  readonly version: string
  readonly uptimeSeconds: number
  readonly memoryBytes: number
  readonly connections: number
  /** Why the server is not well, what that means and what to do, as sentences; empty when it is. */
  readonly complaints: readonly { readonly text: string; readonly meaning: string; readonly remedy: string }[]
  /** Streams beyond those that are told. */
  readonly omittedStreams: number
  readonly streams: readonly StreamSnapshot[]
}

export interface StreamSnapshot {
  readonly name: string
  readonly persistence: string
  readonly strategyOnFull: string
  readonly maxSizeBytes: number
  readonly totalBytes: number
  /** First stored number; the next one when there is none. */
  readonly oldest: number
  readonly next: number
  /** Over the last seconds. */
  readonly messagesPerSecond: number
  readonly bytesPerSecond: number
  /** Why appends fail, as long as they do. */
  readonly problem: string | undefined
  readonly exports: readonly ExportSnapshot[]
}

export interface ExportSnapshot {
  readonly identifier: string
  readonly kind: ExportKind
  /** Where it sends. */
  readonly destination: string
  readonly state: ExportState
  readonly waitingMessages: number
  readonly waitingBytes: number
  /** How long the oldest waiting message has waited; undefined when nothing waits, or it is not known. */
  readonly waitingSeconds: number | undefined
  readonly exportedMessages: number
  readonly skippedMessages: number
  readonly droppedMessages: number
  /** The last ones, oldest first. */
  readonly skippedRanges: readonly Range[]
  readonly droppedRanges: readonly Range[]
  /** `<name>: <text>` of the last attempt; undefined after a success. */
  readonly error: string | undefined
  /** What it means, and what to do, as sentences without a final dot. */
  readonly meaning: string | undefined
  readonly remedy: string | undefined
  readonly failedAttempts: number
  readonly nextAttemptMs: number | undefined
}

/** Numbers with the same fate. */
export interface Range {
  readonly first: number
  readonly last: number
  readonly count: number
  readonly reason: string
}

/** What an export does, as the page tells it apart. */
export const EXPORT_STATES = ['failing', 'unavailable', 'waiting', 'sending', 'idle', 'disabled'] as const
export type ExportState = (typeof EXPORT_STATES)[number]

/** In words. */
export const STATE_TEXT: Readonly<Record<ExportState, string>> = {
  failing: 'failing',
  unavailable: 'not possible here',
  waiting: 'waiting',
  sending: 'sending',
  idle: 'up to date',
  disabled: 'disabled'
}
