import type { PutRecordsResultEntry } from '@aws-sdk/client-kinesis'
import type { Random } from '../../base/random.ts'
import type { StoredMessage } from '../../model/message.ts'
import { asciiJson, base64Bytes, createJsonBody } from '../json-body.ts'
import { uuid } from '../uuid.ts'
import { kinesisRecordBytes } from './limits.ts'
import { hashKeyIn, type OpenShard } from './shards.ts'

/** Names and quotes around a record, with keys: a UUID and a number of 39 digits. */
const RECORD_BYTES_MAX = 160
const FRAME_BYTES_MAX = 64

/**
 * The body of PutRecords: one record per message, under a random partition key that spreads them over the shards
 * (behaviour 8).
 * @param shardOf the shard that a message was given; undefined when the partition key is to choose it
 */
export function putRecordsBody(
  kinesisStreamName: string,
  messages: readonly StoredMessage[],
  shardOf: (message: StoredMessage) => OpenShard | undefined,
  random: Random
): Buffer {
  const name = asciiJson(kinesisStreamName)
  const body = createJsonBody(
    messages.reduce(
      (sum, { payload }) => sum + base64Bytes(payload.length) + RECORD_BYTES_MAX,
      name.length + FRAME_BYTES_MAX
    )
  )
  let before = `{"StreamName":${name},"Records":[`
  for (const message of messages) {
    const shard = shardOf(message)
    body.add(`${before}{"Data":"`, message.payload)
    before =
      shard === undefined
        ? `","PartitionKey":"${uuid(random)}"},`
        : `","PartitionKey":"${uuid(random)}","ExplicitHashKey":"${hashKeyIn(shard, random)}"},`
  }
  // The last record has no comma behind it.
  body.add(`${before.slice(0, -1)}]}`)
  return body.finish()
}

/** Cuts a batch into requests of at most `bytesMax`, in order; a larger message goes alone. */
export function splitByBytes(messages: readonly StoredMessage[], bytesMax: number): readonly StoredMessage[][] {
  const pieces: StoredMessage[][] = []
  let piece: StoredMessage[] = []
  let bytes = 0
  for (const message of messages) {
    const recordBytes = kinesisRecordBytes(message.payload.length)
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
