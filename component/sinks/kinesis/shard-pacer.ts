import type { Clock } from '../../base/clock.ts'
import type { StoredMessage } from '../../model/message.ts'
import { kinesisRecordBytes, SHARD_BYTES_PER_SECOND, SHARD_RECORDS_PER_SECOND } from './limits.ts'
import type { OpenShard } from './shards.ts'

/** Messages that may be sent now, with the shard of each. */
export interface Placement {
  /** For the first messages of the batch, in order. */
  readonly shards: readonly OpenShard[]
  /** Milliseconds until the next message has room; 0 when all are placed. */
  readonly waitMs: number
}

/**
 * Spreads records over the open shards of one Kinesis stream and keeps each within its limits (behaviour 8): one token
 * bucket for its records, one for its bytes, both of one second's worth. All exports to the stream share it.
 */
export interface ShardPacer {
  /** Finds, and takes, room for as many messages as have some, in order. */
  place(messages: readonly StoredMessage[]): Placement
  /** Somebody else writes to the shard, too: it gets a second's rest. */
  throttled(shard: OpenShard): void
  /** Takes a new layout. Shards that stay keep what they have used. @param shards at least one */
  update(shards: readonly OpenShard[]): void
}

interface Bucket {
  readonly shard: OpenShard
  records: number
  bytes: number
  filledMs: number
}

export function createShardPacer(clock: Clock, initial: readonly OpenShard[]): ShardPacer {
  const fullBucket = (shard: OpenShard): Bucket => ({
    shard,
    records: SHARD_RECORDS_PER_SECOND,
    bytes: SHARD_BYTES_PER_SECOND,
    filledMs: clock.monotonicMs()
  })
  let buckets = initial.map(fullBucket)
  /** Where the search for room begins: everyone gets its turn. */
  let turn = 0

  const refill = (bucket: Bucket): void => {
    const seconds = (clock.monotonicMs() - bucket.filledMs) / 1000
    bucket.filledMs = clock.monotonicMs()
    bucket.records = Math.min(SHARD_RECORDS_PER_SECOND, bucket.records + seconds * SHARD_RECORDS_PER_SECOND)
    bucket.bytes = Math.min(SHARD_BYTES_PER_SECOND, bucket.bytes + seconds * SHARD_BYTES_PER_SECOND)
  }

  /** A record of more than a second's worth goes when the bucket is full, and leaves a debt. */
  const waitMsFor = (bucket: Bucket, bytes: number): number => {
    const missingRecords = Math.max(0, 1 - bucket.records) / SHARD_RECORDS_PER_SECOND
    const missingBytes = Math.max(0, Math.min(bytes, SHARD_BYTES_PER_SECOND) - bucket.bytes) / SHARD_BYTES_PER_SECOND
    return Math.ceil(Math.max(missingRecords, missingBytes) * 1000)
  }

  /** The next bucket in turn that has room. */
  const findRoom = (bytes: number): Bucket | undefined => {
    for (let step = 0; step < buckets.length; step += 1) {
      const bucket = buckets[(turn + step) % buckets.length]
      if (bucket === undefined || waitMsFor(bucket, bytes) > 0) continue
      turn = (turn + step + 1) % buckets.length
      return bucket
    }
    return undefined
  }

  return {
    place(messages) {
      buckets.forEach(refill)
      const shards: OpenShard[] = []
      for (const message of messages) {
        const bytes = kinesisRecordBytes(message.payload.length)
        const bucket = findRoom(bytes)
        if (bucket === undefined) {
          return { shards, waitMs: Math.min(...buckets.map((each) => waitMsFor(each, bytes))) }
        }
        bucket.records -= 1
        bucket.bytes -= bytes
        shards.push(bucket.shard)
      }
      return { shards, waitMs: 0 }
    },
    throttled(shard) {
      const bucket = buckets.find((each) => each.shard.id === shard.id)
      if (bucket === undefined) return
      refill(bucket)
      bucket.records = Math.min(bucket.records, 0)
      bucket.bytes = Math.min(bucket.bytes, 0)
    },
    update(shards) {
      const known = new Map(buckets.map((bucket) => [bucket.shard.id, bucket]))
      buckets = shards.map((shard) => ({ ...(known.get(shard.id) ?? fullBucket(shard)), shard }))
      turn = 0
    }
  }
}
