import { DROP_HELP } from '../export/drop-help.ts'
import { helpFor } from '../export/error-help.ts'
import { DROP_CAUSES } from '../export/index.ts'
import type { ExportReport, HealthReason, HealthReport, ProcessReport, StreamReport } from './report.ts'
import { createSlice, type Turn } from './slices.ts'

interface Cause {
  readonly severity: HealthReason['severity']
  /** Sentences without a final dot, for docs/monitoring.md. */
  readonly meaning: string
  readonly remedy: string
}

/** Everything that can be wrong; docs/monitoring.md has the same. */
export const HEALTH_CAUSES = {
  stopping: {
    severity: 'failing',
    meaning: 'The server is on its way down',
    remedy: 'Wait until it is up again'
  },
  disk_full: {
    severity: 'failing',
    meaning: 'Appends to file streams are refused for want of space or inodes',
    remedy: 'Free space on the file system of the store'
  },
  catalogue_failing: {
    severity: 'failing',
    meaning: 'Streams cannot be created, changed or deleted, and positions are not saved',
    remedy: 'Free space on the disk, or check it; it is tried again by itself'
  },
  appends_failing: {
    severity: 'failing',
    meaning: 'The last append to the stream failed in the store',
    remedy: 'Check disk and file system (`dmesg`), free space, and the rights of the store folder'
  },
  stream_unopened: {
    severity: 'degraded',
    meaning: 'The stream exists and cannot be opened; the others serve',
    remedy: 'The text says why; mend that and restart, or delete the stream, which sets its data aside'
  },
  export_unavailable: {
    severity: 'degraded',
    meaning: 'Exports of this kind cannot be done here, their messages wait',
    remedy: 'The text says why; make it possible, or remove the export'
  },
  export_failing: {
    severity: 'degraded',
    meaning: 'The last attempt failed; it is repeated by itself',
    remedy: 'See [export-failures.md](export-failures.md) for the text'
  },
  messages_dropped: {
    severity: 'notice',
    meaning: 'Messages were gone before the export got to them',
    remedy: 'The reason says why: see [accounts](#accounts)'
  },
  messages_skipped: {
    severity: 'notice',
    meaning: 'The destination can never accept some messages, and they were skipped',
    remedy: 'Correct the program that appends them; `stream-manager tail` shows the messages'
  },
  event_loop_slow: {
    severity: 'degraded',
    meaning: 'Clients wait longer than a quarter of a second for their turn, again and again',
    remedy: 'Look for what uses the processor, and send fewer or smaller messages'
  }
} as const satisfies Readonly<Record<string, Cause>>

export type HealthCode = keyof typeof HEALTH_CAUSES

export interface HealthInput {
  readonly streams: readonly StreamReport[]
  readonly unopened: readonly { readonly name: string; readonly reason: string }[]
  readonly process: ProcessReport
  readonly spaceProblem: string | undefined
  readonly isCatalogueFailing: boolean
  readonly isStopping: boolean
}

const REASONS_MAX = 100
const EVENT_LOOP_DELAY_SECONDS_MAX = 0.25

/** Says what is wrong, the worst first. */
export async function judgeHealth(input: HealthInput, turn: Turn): Promise<HealthReport> {
  const all: HealthReason[] = []
  const isSliceFull = createSlice()
  for (const found of reasonsOf(input)) {
    all.push(found)
    if (isSliceFull(1)) await turn()
  }
  all.sort((left, right) => rank(left) - rank(right))
  const reasons = all.slice(0, REASONS_MAX)
  const worst = all[0]?.severity ?? 'notice'
  return { status: worst === 'notice' ? 'ok' : worst, reasons, omittedReasons: all.length - reasons.length }
}

const SEVERITIES = ['failing', 'degraded', 'notice'] as const
const rank = ({ severity }: HealthReason): number => SEVERITIES.indexOf(severity)

function* reasonsOf(input: HealthInput): Generator<HealthReason> {
  const { streams, unopened, process, spaceProblem } = input
  if (input.isStopping) yield reason('stopping', 'the server is stopping')
  if (spaceProblem !== undefined) yield reason('disk_full', spaceProblem)
  if (input.isCatalogueFailing) yield reason('catalogue_failing', 'the catalogue takes no changes')
  if (process.eventLoopDelaySeconds.p99 > EVENT_LOOP_DELAY_SECONDS_MAX)
    yield reason('event_loop_slow', `one turn in a hundred took ${process.eventLoopDelaySeconds.p99.toFixed(2)} s`)
  for (const { name, reason: text } of unopened) yield reason('stream_unopened', text, { stream: name })
  for (const { name, appendProblem, exports } of streams) {
    if (appendProblem !== null) yield reason('appends_failing', appendProblem, { stream: name })
    for (const item of exports) {
      const { identifier, kind, activity, disabled, lastError, failedAttempts } = item
      const about = { stream: name, export: identifier, ...(lastError === null ? {} : helpFor(kind, lastError)) }
      yield* losses(item, { stream: name, export: identifier })
      if (disabled) continue
      if (activity === 'unavailable') yield reason('export_unavailable', lastError ?? 'it cannot be done here', about)
      else if (failedAttempts > 0) yield reason('export_failing', lastError ?? 'the last attempt failed', about)
    }
  }
}

type About = Partial<Pick<HealthReason, 'stream' | 'export' | 'meaning' | 'remedy'>>

/** What never got to the destination. */
function* losses({ account, kind }: ExportReport, about: About): Generator<HealthReason> {
  for (const cause of DROP_CAUSES) {
    const count = account.dropped[cause]
    if (count > 0)
      yield reason('messages_dropped', `${count} messages were ${cause}`, { ...about, ...DROP_HELP[cause] })
  }
  const last = account.skippedRanges.at(-1)?.reason
  const help = last === undefined ? undefined : helpFor(kind, last)
  const text = `${account.skipped} messages were skipped${last === undefined ? '' : `: ${last}`}`
  if (account.skipped > 0) yield reason('messages_skipped', text, { ...about, ...help })
}

/** @param about where, and what is known better than what the code alone means */
function reason(code: HealthCode, text: string, about: About = {}): HealthReason {
  const { severity, meaning, remedy } = HEALTH_CAUSES[code]
  return { code, severity, text, meaning, remedy: withoutLinks(remedy), ...about }
}

/** Remedies are Markdown for the document. */
const withoutLinks = (text: string): string => text.replace(/\[([^\]]+)\]\([^)]+\)/g, '$1')
