import type { StoredMessage } from '../model/message.ts'
import type { BatchLimits } from './sink.ts'

/**
 * The longest prefix of `messages` that fits into one request. The first message is taken whatever its size: the sink
 * decides what becomes of an oversize message.
 * @param countMax at most so many messages, also when the destination would take more
 */
export function cutBatch(
  messages: readonly StoredMessage[],
  limits: BatchLimits,
  countMax: number
): { readonly messages: readonly StoredMessage[]; readonly bytes: number } {
  const count = Math.min(messages.length, limits.countMax, countMax)
  let bytes = 0
  for (const [index, message] of messages.slice(0, count).entries()) {
    const messageBytes = limits.sizeOf(message)
    if (index > 0 && bytes + messageBytes > limits.bytesMax) return { messages: messages.slice(0, index), bytes }
    bytes += messageBytes
  }
  return { messages: messages.slice(0, count), bytes }
}

/** Whether waiting messages may go out: at once, after a delay, or only known once the oldest message was looked at. */
export type Release =
  { readonly kind: 'now' } | { readonly kind: 'after'; readonly delayMs: number } | { readonly kind: 'ageUnknown' }

/**
 * Decides when the waiting messages of an export may be sent (behaviour 6.2): without an interval at once; with one, when
 * a full batch waits or the oldest waiting message has reached that age. A clock that was set back delays a message by
 * one interval at most.
 * @param waiting number of unexported messages, 1 or more
 * @param oldestIngestMs wall clock of the oldest of them; undefined when not known yet
 * @param wallMs the present
 */
export function releaseOf(
  waiting: number,
  batchSize: number,
  intervalMs: number | undefined,
  oldestIngestMs: number | undefined,
  wallMs: number
): Release {
  if (intervalMs === undefined || waiting >= batchSize) return { kind: 'now' }
  if (oldestIngestMs === undefined) return { kind: 'ageUnknown' }
  const delayMs = Math.min(intervalMs, oldestIngestMs + intervalMs - wallMs)
  return delayMs <= 0 ? { kind: 'now' } : { kind: 'after', delayMs }
}
