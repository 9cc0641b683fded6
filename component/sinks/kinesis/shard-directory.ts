import { ListShardsCommand, type KinesisClient, type Shard } from '@aws-sdk/client-kinesis'
import type { Clock } from '../../base/clock.ts'
import { createShardPacer, type ShardPacer } from './shard-pacer.ts'
import { openShardsIn, type OpenShard } from './shards.ts'

/** The layout is looked at again after this time (behaviour 8). */
const REFRESH_MS = 5 * 60_000
/** After a throttle, or when the question failed: sooner, but not at every request. */
const REFRESH_SOON_MS = 30_000
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
   * The pacer of a stream. The first call waits for the service's answer, or for `signal`; later ones take what is known.
   * @returns undefined while the shards are not known, for example for want of the permission kinesis:ListShards
   */
  pacerOf(streamName: string, signal: AbortSignal): Promise<ShardPacer | undefined>
  /** The layout may have changed. */
  suspect(streamName: string): void
}

interface Known {
  pacer: ShardPacer | undefined
  askedMs: number
  askAgainMs: number
  asking: Promise<void> | undefined
}

export function createShardDirectory(client: KinesisClient, clock: Clock): ShardDirectory {
  /** Least recently used first. */
  const streams = new Map<string, Known>()

  const ask = async (streamName: string, known: Known): Promise<void> => {
    known.askedMs = clock.monotonicMs()
    try {
      const shards = await listShards(client, streamName)
      known.askAgainMs = known.askedMs + REFRESH_MS
      if (shards === undefined || shards.length === 0) known.pacer = undefined
      else if (known.pacer === undefined) known.pacer = createShardPacer(clock, shards)
      else known.pacer.update(shards)
    } catch (error) {
      const isGone = error instanceof Error && GONE.has(error.name)
      if (isGone) known.pacer = undefined
      const isDenied = error instanceof Error && error.name === 'AccessDeniedException'
      known.askAgainMs = known.askedMs + (isDenied ? REFRESH_MS : REFRESH_SOON_MS)
    } finally {
      known.asking = undefined
    }
  }

  const lookUp = (streamName: string): Known => {
    const known = streams.get(streamName) ?? {
      pacer: undefined,
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
      if (isFirst && known.asking !== undefined) await untilAborted(known.asking, signal)
      return known.pacer
    },
    suspect(streamName) {
      const known = streams.get(streamName)
      if (known !== undefined) known.askAgainMs = Math.min(known.askAgainMs, known.askedMs + REFRESH_SOON_MS)
    }
  }
}

/** @returns undefined when the answer cannot be understood, or has no end */
async function listShards(client: KinesisClient, streamName: string): Promise<readonly OpenShard[] | undefined> {
  const found: Shard[] = []
  let token: string | undefined
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const place = token === undefined ? { StreamName: streamName } : { NextToken: token }
    const answer = await client.send(new ListShardsCommand({ ...place, MaxResults: PAGE_SHARDS }))
    if (answer.Shards === undefined) return undefined
    found.push(...answer.Shards)
    token = answer.NextToken
    if (token === undefined) return openShardsIn(found)
  }
  return undefined
}

/** Resolves when either comes first. */
function untilAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      signal.removeEventListener('abort', finish)
      resolve()
    }
    signal.addEventListener('abort', finish, { once: true })
    void promise.then(finish)
    if (signal.aborted) finish()
  })
}
