import type { Shard } from '@aws-sdk/client-kinesis'
import type { Random } from '../../base/random.ts'

/** A shard that takes records, and the hash keys that lead to it, both ends included. */
export interface OpenShard {
  readonly id: string
  readonly startKey: bigint
  readonly endKey: bigint
}

/** Hash keys are 128-bit numbers in decimal. */
const HASH_KEY = /^\d{1,39}$/
/** So many random bits choose a key of a shard: any shard has fewer sub-ranges that matter. */
const RANDOM_BITS = 64

/**
 * The open shards in an answer to ListShards; a shard with an ending sequence number is closed.
 * @returns undefined when the answer cannot be understood
 */
export function openShardsIn(shards: readonly Shard[] | undefined): readonly OpenShard[] | undefined {
  if (shards === undefined) return undefined
  const open = shards.filter((shard) => shard.SequenceNumberRange?.EndingSequenceNumber === undefined)
  const read = open.map(({ ShardId: id, HashKeyRange: range }) => {
    const { StartingHashKey: start = '', EndingHashKey: end = '' } = range ?? {}
    if (id === undefined || !HASH_KEY.test(start) || !HASH_KEY.test(end)) return undefined
    const shard: OpenShard = { id, startKey: BigInt(start), endKey: BigInt(end) }
    return shard.startKey <= shard.endKey ? shard : undefined
  })
  const understood = read.filter((shard) => shard !== undefined)
  return understood.length === read.length ? understood : undefined
}

/** A hash key that leads to the shard, as ExplicitHashKey of a record: a random one, so that a later split spreads them. */
export function hashKeyIn({ startKey, endKey }: OpenShard, random: Random): string {
  const fraction = random.bytes(RANDOM_BITS / 8).readBigUInt64BE()
  return (startKey + (((endKey - startKey + 1n) * fraction) >> BigInt(RANDOM_BITS))).toString()
}
