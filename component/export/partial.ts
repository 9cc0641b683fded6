import { fateOf, type FateRange } from './account.ts'
import type { MessageBatch } from './message-batch.ts'
import type { PartialOutcome } from './sink.ts'

/** What an answer that tells messages apart says of a batch. */
export interface SortedBatch {
  /** Payload bytes of what was accepted, by number. */
  readonly acceptedBytes: ReadonlyMap<number, number>
  /** Of all that is accepted or refused, ascending. */
  readonly fates: FateRange[]
  /** The first number that is neither; undefined when there is none. */
  readonly firstOpen: number | undefined
}

/**
 * Goes through a batch with its outcome.
 * @param current false when the definition changed meanwhile: what was rejected is open then
 * @param refuse what becomes of a message that is rejected; called in order
 */
export function sortOut(
  batch: MessageBatch,
  { failed, rejected = [], unsent = [] }: PartialOutcome,
  current: boolean,
  refuse: (at: number, reason: string) => FateRange
): SortedBatch {
  const refusals = new Map(rejected.map(({ index, reason }) => [index, reason]))
  const open = new Set([...failed, ...unsent, ...(current ? [] : refusals.keys())])
  const acceptedBytes = new Map<number, number>()
  const fates: FateRange[] = []
  let firstOpen: number | undefined
  for (let at = 0; at < batch.count; at += 1) {
    const number = batch.numberAt(at)
    const refusal = refusals.get(at)
    if (open.has(at)) firstOpen ??= number
    else if (refusal !== undefined) fates.push(refuse(at, refusal))
    else {
      acceptedBytes.set(number, batch.payloadBytesAt(at))
      fates.push(fateOf(number, { kind: 'exported' }))
    }
  }
  return { acceptedBytes, fates, firstOpen }
}
