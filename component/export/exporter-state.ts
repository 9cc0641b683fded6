import type { Timer } from '../base/clock.ts'
import type { ExportDefinition } from '../model/export-definition.ts'
import type { ExportActivity } from './observation.ts'
import type { Grant, Ticket } from './slots.ts'

/**
 * Where an exporter is:
 *
 *     paused ⇄ idle → ready → sending → idle | ready | waiting | paused     (any) → closed
 *              idle → looking → idle | ready        waiting → idle | ready
 *
 * - paused: disabled, or an export that cannot be done here, or the server stops
 * - idle: nothing to send, or the batch interval runs (then with a timer)
 * - looking: reads the ingest time of the oldest waiting message
 * - ready: in the queue for a slot
 * - sending: holds a slot, reads a batch and has it sent
 * - waiting: after a failure, or because the destination asked for a pause
 *
 * Only `sending` and `looking` span asynchronous work, during which the definition may change.
 */
export type State =
  | { readonly kind: 'paused' | 'looking' | 'closed' }
  | { readonly kind: 'idle'; readonly timer?: Timer }
  | { readonly kind: 'ready'; readonly ticket: Ticket }
  | { readonly kind: 'sending'; readonly abort: AbortController; readonly grant: Grant }
  | { readonly kind: 'waiting'; readonly timer: Timer; readonly untilWallMs: number }

const ACTIVITIES = {
  paused: 'stopped',
  closed: 'stopped',
  looking: 'batching',
  ready: 'queued',
  sending: 'sending'
} as const

/** The state in an operator's words. */
export function activityOf(
  state: State,
  { disabled }: ExportDefinition,
  isAvailable: boolean,
  failedAttempts: number
): ExportActivity {
  if (!isAvailable) return 'unavailable'
  if (disabled === true && state.kind === 'paused') return 'disabled'
  if (state.kind === 'idle') return state.timer === undefined ? 'idle' : 'batching'
  if (state.kind === 'waiting') return failedAttempts > 0 ? 'retrying' : 'pausing'
  return ACTIVITIES[state.kind]
}
