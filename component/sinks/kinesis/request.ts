import type { PutRecordsRequestEntry, PutRecordsResultEntry } from '@aws-sdk/client-kinesis'
import type { Random } from '../../base/random.ts'
import type { StoredMessage } from '../../model/message.ts'
import { uuid } from '../uuid.ts'
import { kinesisRecordBytes } from './limits.ts'
import { hashKeyIn, type OpenShard } from './shards.ts'

/**
 * One record per message, under a random partition key that spreads them over the shards (behaviour 8).
 * @param shardOf the shard that a message was given; undefined when the partition key is to choose it
 */
export function kinesisRecords(
  messages: readonly StoredMessage[],
  shardOf: (message: StoredMessage) => OpenShard | undefined,
  random: Random
): PutRecordsRequestEntry[] {
  return messages.map((message) => {
    const shard = shardOf(message)
    const record = { Data: message.payload, PartitionKey: uuid(random) }
    return shard === undefined ? record : { ...record, ExplicitHashKey: hashKeyIn(shard, random) }
  })
}

/** Cuts a batch into requests of at most `bytesMax`, in order; a larger message goes alone. */
export function splitByBytes(messages: readonly StoredMessage[], bytesMax: number): readonly StoredMessage[][] {
  const pieces: StoredMessage[][] = []
  let piece: StoredMessage[] = []
  let bytes = 0
  for (const message of messages) {
    const recordBytes = kinesisRecordBytes(message)
    if (piece.length > 0 && bytes + recordBytes > bytesMax) {
      pieces.push(piece)
      piece = []
      bytes = 0
    }
    piece.push(message)
    bytes += recordBytes
  }
  return piece.length === 0 ? pieces : [...pieces, piece]
}

/** What became of the records of one request. */
export interface RecordResults {
  /** Indices of the records that were not accepted, ascending. */
  readonly failed: readonly number[]
  /** Error of the first of them. */
  readonly firstError: { readonly code: string; readonly message: string } | undefined
  /** Indices of the records that were throttled: their shard is at its limit. */
  readonly throttled: readonly number[]
}

/**
 * Reads the list of results. Only a record with a sequence number was stored.
 * @returns undefined when the list does not fit the request: then nothing in it can be believed (reliability 5.4 CD7)
 */
export function readResults(
  results: readonly PutRecordsResultEntry[] | undefined,
  recordCount: number
): RecordResults | undefined {
  if (results?.length !== recordCount) return undefined
  const isStored = (result: PutRecordsResultEntry): boolean =>
    result.ErrorCode === undefined && result.SequenceNumber !== undefined && result.SequenceNumber !== ''
  const failed = results.flatMap((result, index) => (isStored(result) ? [] : [index]))
  const errors = results.filter((result) => !isStored(result))
  const [first] = errors
  return {
    failed,
    firstError:
      first === undefined
        ? undefined
        : {
            code: first.ErrorCode ?? 'InvalidResponse',
            message: first.ErrorMessage ?? 'no sequence number in the result'
          },
    throttled: failed.filter((index) => results[index]?.ErrorCode === 'ProvisionedThroughputExceededException')
  }
}
