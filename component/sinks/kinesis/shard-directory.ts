import { ListShardsCommand, type KinesisClient, type Shard } from '@aws-sdk/client-kinesis'
import type { Clock } from '../../base/clock.ts'
import { failureText } from '../failure-text.ts'
import { serviceErrorText } from '../service-error.ts'
import { createShardPacer, type ShardPacer } from './shard-pacer.ts'
import { openShardsIn, type OpenShard } from './shards.ts'

/** The layout is looked at again after this time (behaviour 8). */
const REFRESH_MS = 5 * 60_000
/** After a throttle, or when the question failed: sooner, but not at every request. */
const REFRESH_SOON_MS = 30_000
/** A list that takes longer, all pages together, is given up. */
const ASK_MS_MAX = 60_000
/** So long the first request of a stream waits for its shards; then it goes without them. */
const FIRST_ANSWER_MS = 5_000
/** Kinesis streams whose layout is kept; the longest unused one goes first. */
const STREAMS_MAX = 1_000
/** Shards of one page; their description stays far below the bound on answers. */
const PAGE_SHARDS = 1_000
const PAGES_MAX = 10

/** Errors with which a stream, or the permission to see its shards, is gone: what was known does not hold any more. */
const GONE = new Set(['AccessDeniedException', 'ResourceNotFoundException'])

/** Knows the shards of Kinesis streams, as far as the service tells (behaviour 8). One for all exports. */
export interface ShardDirectory {
  /**
   * The pacer of a stream. The first call waits for the service's answer, for a few seconds, or for `signal`; later ones
   * take what is known.
   * @returns undefined while the shards are not known, for example for want of the permission kinesis:ListShards
   */
  pacerOf(streamName: string, signal: AbortSignal): Promise<ShardPacer | undefined>
  /** Why the shards of a stream are not known; undefined when they are, or nothing was heard yet. */
  noticeOf(streamName: string): string | undefined
  /** The layout may have changed. */
  suspect(streamName: string): void
}

interface Known {
  pacer: ShardPacer | undefined
  notice: string | undefined
  askedMs: number
  askAgainMs: number
  asking: Promise<void> | undefined
}

export function createShardDirectory(client: KinesisClient, clock: Clock): ShardDirectory {
  /** Least recently used first. */
  const streams = new Map<string, Known>()

  const ask = async (streamName: string, known: Known): Promise<void> => {
    known.askedMs = clock.monotonicMs()
    const late = new AbortController()
    const timer = clock.after(ASK_MS_MAX, () => late.abort())
    try {
      const shards = await listShards(client, streamName, late.signal)
      known.askAgainMs = known.askedMs + REFRESH_MS
      known.notice = undefined
      if (shards === undefined || shards.length === 0) known.pacer = undefined
      else if (known.pacer === undefined) known.pacer = createShardPacer(clock, shards)
      else known.pacer.update(shards)
    } catch (error) {
      const isGone = error instanceof Error && GONE.has(error.name)
      if (isGone) known.pacer = undefined
      const isDenied = error instanceof Error && error.name === 'AccessDeniedException'
      known.askAgainMs = known.askedMs + (isDenied ? REFRESH_MS : REFRESH_SOON_MS)
      known.notice = known.pacer === undefined ? noticeText(streamName, error) : undefined
    } finally {
      timer.cancel()
      known.asking = undefined
    }
  }

  const lookUp = (streamName: string): Known => {
    const known = streams.get(streamName) ?? {
      pacer: undefined,
      notice: undefined,
      askedMs: -Infinity,
      askAgainMs: -Infinity,
      asking: undefined
    }
    streams.delete(streamName)
    streams.set(streamName, known)
    const [oldest] = streams.keys()
    if (streams.size > STREAMS_MAX && oldest !== undefined) streams.delete(oldest)
    return known
  }

  return {
    async pacerOf(streamName, signal) {
      const known = lookUp(streamName)
      const isFirst = known.askedMs === -Infinity
      if (clock.monotonicMs() >= known.askAgainMs) known.asking ??= ask(streamName, known)
      if (isFirst && known.asking !== undefined) await soon(clock, known.asking, signal)
      return known.pacer
    },
    noticeOf: (streamName) => streams.get(streamName)?.notice,
    suspect(streamName) {
      const known = streams.get(streamName)
      if (known !== undefined) known.askAgainMs = Math.min(known.askAgainMs, known.askedMs + REFRESH_SOON_MS)
    }
  }
}

function noticeText(streamName: string, error: unknown): string {
  const text = error instanceof Error ? serviceErrorText(error) : failureText(error)
  return `the shards of ${streamName} cannot be listed, so requests are not paced by shard (${text})`
}

/** @returns undefined when the answer cannot be understood, or has no end */
async function listShards(
  client: KinesisClient,
  streamName: string,
  abortSignal: AbortSignal
): Promise<readonly OpenShard[] | undefined> {
  const found: Shard[] = []
  let token: string | undefined
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const place = token === undefined ? { StreamName: streamName } : { NextToken: token }
    const answer = await client.send(new ListShardsCommand({ ...place, MaxResults: PAGE_SHARDS }), { abortSignal })
    if (answer.Shards === undefined) return undefined
    found.push(...answer.Shards)
    token = answer.NextToken
    if (token === undefined) return openShardsIn(found)
  }
  return undefined
}

/** Resolves with the promise, after a few seconds, or when the signal is aborted. */
function soon(clock: Clock, promise: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      timer.cancel()
      signal.removeEventListener('abort', finish)
      resolve()
    }
    const timer = clock.after(FIRST_ANSWER_MS, finish)
    signal.addEventListener('abort', finish, { once: true })
    void promise.then(finish)
    if (signal.aborted) finish()
  })
}
