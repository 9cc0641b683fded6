import { BatchPutAssetPropertyValueCommand, type IoTSiteWiseClient } from '@aws-sdk/client-iotsitewise'
import type { AwsRequestOptions } from '../../aws/index.ts'
import type { Clock } from '../../base/clock.ts'
import type { PartialOutcome, Rejection, SendOutcome, Sink } from '../../export/sink.ts'
import type { StoredMessage } from '../../model/message.ts'
import { reason } from '../failure-text.ts'
import { BEFORE_SIGNING, rawBody } from '../raw-body.ts'
import { retryLater } from '../retry-after.ts'
import { readErrorEntries, requestFailureOf, type EntryFate } from './answer.ts'
import { ENTRIES_MAX } from './limits.ts'
import { planRequest, type PlannedEntry, type RequestPlan } from './request.ts'

/** An entry that is in conflict gets so many requests of its own before it is skipped (behaviour 9). */
const LONELY_ATTEMPTS_MAX = 5

export interface SiteWiseSinkContext {
  readonly client: IoTSiteWiseClient
  readonly clock: Clock
}

/**
 * Puts values of asset properties into IoT SiteWise (behaviour 9). Every message is one entry and has a fate of its own. A
 * request that is refused as a whole is made again with half as many entries, until the offender is alone.
 */
export function createSiteWiseSink({ client, clock }: SiteWiseSinkContext): Sink {
  /** Entries of the next request; below the maximum while an offender is looked for. */
  let countMax = ENTRIES_MAX
  /** Failed requests of their own, by the number of the message. Bounded: nothing behind their batch is sent meanwhile. */
  const conflicts = new Map<number, number>()

  /** Counts a conflict. @returns its fate: another attempt alone, or skipped */
  const settleConflict = (entry: PlannedEntry, text: string): EntryFate => {
    const attempts = conflicts.get(entry.sequenceNumber)
    if (attempts === LONELY_ATTEMPTS_MAX - 1) return { kind: 'rejected', reason: text }
    conflicts.set(entry.sequenceNumber, attempts === undefined ? 0 : attempts + 1)
    return { kind: 'failed', reason: text }
  }

  const settle = (entry: PlannedEntry, fate: EntryFate): EntryFate => {
    const settled = fate.kind === 'conflict' ? settleConflict(entry, fate.reason) : fate
    if (settled.kind !== 'failed') conflicts.delete(entry.sequenceNumber)
    return settled
  }

  const answered = (plan: RequestPlan, fates: readonly EntryFate[]): SendOutcome => {
    if (plan.unsent.length === 0) countMax = ENTRIES_MAX
    return outcomeOf(
      plan,
      plan.entries.map((entry, position) => settle(entry, fates[position] ?? { kind: 'failed', reason: '' }))
    )
  }

  const refused = (plan: RequestPlan, error: unknown): SendOutcome => {
    const { kind, reason: text } = requestFailureOf(error)
    const { entries } = plan
    if (kind === 'failed') return retryLater(text, error, clock.wallMs())
    if (kind === 'rejected' && entries.length > 1) {
      countMax = Math.ceil(entries.length / 2)
      return outcomeOf({ ...plan, entries: [], unsent: ascending([...plan.unsent, ...indicesOf(entries)]) }, [])
    }
    // The offender is found.
    if (kind === 'rejected') countMax = ENTRIES_MAX
    return answered(
      plan,
      entries.map(() => ({ kind, reason: text }))
    )
  }

  return {
    async send({ messages }, signal, onProgress) {
      forgetBelow(conflicts, messages[0])
      const only = messages.find(({ sequenceNumber }) => conflicts.has(sequenceNumber))?.sequenceNumber
      const plan = planRequest(messages, clock.wallMs(), countMax, only)
      if (plan.entries.length === 0) return outcomeOf(plan, [])
      const request: AwsRequestOptions = { abortSignal: signal, onProgress }
      try {
        const { errorEntries } = await client.send(commandWith(plan.body), request)
        const fates = readErrorEntries(errorEntries, plan.entries)
        if (fates !== undefined) return answered(plan, fates)
        return { kind: 'retryLater', reason: reason('InvalidResponse', 'the list of errors does not fit the request') }
      } catch (error) {
        return refused(plan, error)
      }
    },
    // The client is shared by all SiteWise exports.
    close: () => undefined
  }
}

/** The client would drop members that it does not know: the body is put into the request as it is. */
function commandWith(body: string): BatchPutAssetPropertyValueCommand {
  const command = new BatchPutAssetPropertyValueCommand({ entries: [] })
  command.middlewareStack.add(rawBody(body), BEFORE_SIGNING)
  return command
}

/** @param fates of the plan's entries, in order */
function outcomeOf(plan: RequestPlan, fates: readonly EntryFate[]): SendOutcome {
  const having = (kind: EntryFate['kind']): readonly PlannedEntry[] =>
    plan.entries.filter((_, position) => fates[position]?.kind === kind)
  const failed = indicesOf(having('failed'))
  const rejected: readonly Rejection[] = [
    ...plan.rejected,
    ...plan.entries.flatMap(({ index }, position) => {
      const fate = fates[position]
      return fate?.kind === 'rejected' ? [{ index, reason: fate.reason }] : []
    })
  ]
  if (failed.length === 0 && rejected.length === 0 && plan.unsent.length === 0) return { kind: 'delivered' }
  const outcome: PartialOutcome = {
    kind: 'partial',
    failed,
    rejected: [...rejected].sort((left, right) => left.index - right.index),
    unsent: plan.unsent,
    reason: fates.find((fate) => fate.kind === 'failed')?.reason ?? ''
  }
  return outcome
}

const indicesOf = (entries: readonly PlannedEntry[]): number[] => entries.map((entry) => entry.index)
const ascending = (numbers: readonly number[]): number[] => [...numbers].sort((left, right) => left - right)

function forgetBelow(conflicts: Map<number, number>, first: StoredMessage | undefined): void {
  for (const sequenceNumber of conflicts.keys()) {
    if (sequenceNumber < (first?.sequenceNumber ?? Infinity)) conflicts.delete(sequenceNumber)
  }
}
