import type { MessageBatch } from './message-batch.ts'
import type { BatchLimits } from './sink.ts'

/**
 * Leaves the longest prefix of a batch that fits into one request. The first message is taken whatever its size: the sink
 * decides what becomes of an oversize message.
 * @param countMax at most so many messages, also when the destination would take more
 * @returns what the destination counts for the prefix, in bytes
 */
export function cutBatch(batch: MessageBatch, limits: BatchLimits, countMax: number): number {
  const most = Math.min(batch.count, limits.countMax, countMax)
  let bytes = 0
  let count = 0
  for (; count < most; count += 1) {
    const messageBytes = limits.sizeOf(batch.payloadBytesAt(count))
    if (count > 0 && bytes + messageBytes > limits.bytesMax) break
    bytes += messageBytes
  }
  batch.truncate(count)
  return bytes
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
