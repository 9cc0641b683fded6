import { Fault } from '../base/fault.ts'
import type { StoredMessage } from '../model/message.ts'
import type { Registry, Stream } from '../stream/index.ts'

/*
 * The newest messages of a stream, for people. Whoever reaches the monitor's port may ask, without a token; so there is an
 * answer only where a setting allows it, and asking cannot cost much: one question at a time, little of each message.
 */

/** Messages in an answer. */
export const SHOWN_MESSAGES_MAX = 20
/** Bytes that are shown of each. */
export const SHOWN_PAYLOAD_BYTES_MAX = 4_096
/** Payload bytes that are read for an answer, unless a single message is larger. */
const READ_BYTES_MAX = 1_048_576

/** A message as the page shows it. */
export interface RecentMessage {
  readonly sequenceNumber: number
  /** Milliseconds since the epoch. */
  readonly ingestTime: number
  readonly sizeBytes: number
  /** The beginning of the payload in base64. */
  readonly payload: string
}

export type RecentMessagesAnswer =
  | { readonly kind: 'read'; readonly messages: readonly RecentMessage[] }
  | { readonly kind: 'forbidden' | 'busy' | 'missing' }
  | { readonly kind: 'unreadable'; readonly reason: string }

/** Answers what the newest messages of a stream are, newest first. */
export type RecentMessages = (stream: string) => Promise<RecentMessagesAnswer>

/** @param isAllowed whether messages may be shown to everybody who reaches the port */
export function createRecentMessages(registry: Pick<Registry, 'get'>, isAllowed: boolean): RecentMessages {
  let isBusy = false
  return async (name) => {
    if (!isAllowed) return { kind: 'forbidden' }
    const stream = registry.get(name)
    if (stream === undefined) return { kind: 'missing' }
    if (isBusy) return { kind: 'busy' }
    isBusy = true
    try {
      const messages = await readNewest(stream)
      return { kind: 'read', messages: messages.map(shownOf).reverse() }
    } catch (error) {
      // The log of a stream that was deleted meanwhile is closed.
      if (registry.get(name) !== stream) return { kind: 'missing' }
      if (!(error instanceof Fault)) throw error
      return { kind: 'unreadable', reason: error.message }
    } finally {
      isBusy = false
    }
  }
}

/** Fewer messages, as long as so many of the newest ones are too large together. @throws Fault when none can be read */
async function readNewest({ log }: Stream): Promise<readonly StoredMessage[]> {
  const limit = log.next
  for (let count = SHOWN_MESSAGES_MAX; ; count = Math.ceil(count / 2)) {
    const from = Math.max(log.oldest, limit - count)
    if (from >= limit) return []
    const messages = await log.read(from, limit, count, READ_BYTES_MAX)
    const last = messages.at(-1)
    // Where the end is damaged there is nothing newer.
    if (count === 1 || last === undefined || last.sequenceNumber + 1 === limit) return messages
  }
}

function shownOf({ sequenceNumber, ingestTimeMs, payload }: StoredMessage): RecentMessage {
  const shown = payload.subarray(0, SHOWN_PAYLOAD_BYTES_MAX)
  return { sequenceNumber, ingestTime: ingestTimeMs, sizeBytes: payload.length, payload: shown.toString('base64') }
}
