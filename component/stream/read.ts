import { assert } from '../base/assert.ts'
import type { Clock } from '../base/clock.ts'
import { KIB, READ_REPLY_BYTES_MAX, READ_REPLY_COUNT_MAX } from '../base/limits.ts'
import { FAILURES, fail, success, type Failure, type Result } from '../model/failure.ts'
import type { StoredMessage } from '../model/message.ts'
import type { StreamLog } from '../store/stream-log.ts'
import { averageBytes, memoryBytes } from './read-memory.ts'
import type { ReadWaiters, WaitingPlaces } from './read-waiters.ts'

/** A checked wish to read. */
export interface ReadOptions {
  /** First sequence number wanted; below the oldest one means the oldest. */
  readonly from: number
  /** 1 or more. */
  readonly minCount: number
  /** `minCount` or more. */
  readonly maxCount: number
  /** 0: do not wait. */
  readonly timeoutMs: number
}

/** A waiting read ends a little early, because a client that has given up is harmed by the answer (behaviour 3.9 Q5). */
const EARLY_MS_MAX = 100
const EARLY_FRACTION = 0.02

/** How long a read with this time-out waits. */
export function waitMs(timeoutMs: number): number {
  return timeoutMs - Math.min(EARLY_MS_MAX, timeoutMs * EARLY_FRACTION)
}

/** Whoever wants the messages. */
export interface Reader {
  /** Aborted when the reader has gone. */
  readonly signal: AbortSignal
  /** Resolves with true once `bytes` of memory are set aside for the messages, with false when the reader has gone. */
  reserve(bytes: number): Promise<boolean>
  /** Memory for the messages, to be used once; they are needed until the answer is given. */
  memory(bytes: number): Buffer
}

const TOO_MANY_WAIT: Failure = { kind: 'serverTimeout', message: 'too many reads are waiting for messages' }

const UNREADABLE: Failure = { kind: 'messageStoreReadError', message: 'the stored messages cannot be read' }
const READER_GONE: Failure = { kind: 'serverTimeout', message: 'the reader has gone' }

const ANSWER_OVERHEAD_BYTES = 4 * KIB
/** About what a message costs beside its payload, in memory and in the answer. */
const MESSAGE_OVERHEAD_BYTES = 512

/** About how many bytes the next `available` messages are, `countMax` at most. */
function expectedBytes(log: StreamLog, available: number, countMax: number): number {
  const count = Math.min(available, countMax)
  const payloadBytes = Math.min(count * averageBytes(log) * 2, log.totalBytes, READ_REPLY_BYTES_MAX)
  return Math.ceil(ANSWER_OVERHEAD_BYTES + count * MESSAGE_OVERHEAD_BYTES + payloadBytes)
}

/** Nothing to answer with yet; worth another look once the stream's next number is `untilNext`. */
interface TooFew {
  readonly untilNext: number
  /** There are messages, and none of them can be read (behaviour 4.6). */
  readonly isUnreadable: boolean
}

/** Reads what is there now: at least `minCount` messages, or what is missing. */
async function readNow(
  log: StreamLog,
  options: ReadOptions,
  reader: Reader
): Promise<Result<readonly StoredMessage[]> | TooFew> {
  const { from, minCount } = options
  const countMax = Math.min(options.maxCount, READ_REPLY_COUNT_MAX)
  const limit = log.next
  const untilNext = Math.max(from, log.oldest) + minCount
  if (limit < untilNext) return { untilNext, isUnreadable: false }
  const available = limit - Math.max(from, log.oldest)
  if (!(await reader.reserve(expectedBytes(log, available, countMax)))) return { ok: false, failure: READER_GONE }
  const memory = reader.memory(memoryBytes(log, Math.min(available, countMax)))
  const messages = await log.read(from, limit, countMax, READ_REPLY_BYTES_MAX, memory)
  if (messages.length >= minCount) return success(messages)
  // Fewer than the numbers promise: either a bound on the answer ended the read, or damaged records were left out.
  const missing = { untilNext: limit + minCount - messages.length, isUnreadable: messages.length === 0 }
  const last = messages.at(-1)
  if (last === undefined || last.sequenceNumber + 1 >= limit) return missing
  const more = await log.read(last.sequenceNumber + 1, limit, 1, 1)
  if (more.length === 0) return missing
  return fail('responsePayloadTooLarge', 'the answer would be too large, read fewer messages')
}

/** What a read needs of its stream. */
export interface ReadContext {
  readonly log: StreamLog
  readonly waiters: ReadWaiters
  readonly places: WaitingPlaces
  readonly clock: Clock
  /** Why the stream serves nobody any more, once it does not. */
  readonly closedBecause: () => Failure | undefined
}

/**
 * Reads messages, waiting for `minCount` of them if the options allow it (behaviour 3.4).
 * @throws Fault when nothing at or after `from` can be read any more
 */
export async function readMessages(
  context: ReadContext,
  options: ReadOptions,
  reader: Reader
): Promise<Result<readonly StoredMessage[]>> {
  const { log, clock } = context
  const deadlineMs = clock.monotonicMs() + waitMs(options.timeoutMs)
  for (;;) {
    let found: Result<readonly StoredMessage[]> | TooFew | undefined
    try {
      found = await readNow(log, options, reader)
    } catch (error) {
      // The log of a deleted stream cannot be read any more; that is no fault.
      if (context.closedBecause() === undefined) throw error
    }
    const closed = context.closedBecause()
    if (closed !== undefined) return { ok: false, failure: closed }
    assert(found !== undefined, 'a read that did not throw has found something')
    if ('ok' in found) return found
    if (options.timeoutMs === 0) return { ok: false, failure: whyNotNow(log, options, found) }
    if (log.next >= found.untilNext) continue
    const failure = await waitFor(context, found.untilNext, deadlineMs, reader.signal)
    if (failure !== undefined) return { ok: false, failure }
  }
}

/** Why a read that does not wait has no answer. A start before the oldest message means the oldest one. */
function whyNotNow(log: StreamLog, { from }: ReadOptions, { isUnreadable }: TooFew): Failure {
  if (isUnreadable) return UNREADABLE
  return Math.max(from, log.oldest) >= log.next ? FAILURES.readBeyondEnd : FAILURES.readTimedOut
}

/** Waits until the stream's next number is `untilNext`. @returns why that will not be, or undefined when it is so */
async function waitFor(
  context: ReadContext,
  untilNext: number,
  deadlineMs: number,
  signal: AbortSignal
): Promise<Failure | undefined> {
  const { waiters, places, clock } = context
  if (!places.take()) return TOO_MANY_WAIT
  try {
    const reached = await waiters.wait(untilNext, deadlineMs - clock.monotonicMs(), signal)
    return reached ? undefined : (context.closedBecause() ?? FAILURES.readTimedOut)
  } finally {
    places.giveBack()
  }
}
