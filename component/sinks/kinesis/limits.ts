import { MIB } from '../../base/limits.ts'
import type { BatchLimits } from '../../export/sink.ts'
import { base64Bytes } from '../json-body.ts'

/*
 * Quotas of PutRecords: https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html
 * and https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html
 */

/** Records of one request. */
export const RECORDS_MAX = 500
/** One request including the partition keys; also the largest record that any stream can be configured for. */
export const REQUEST_BYTES_MAX = 10 * MIB
/** The request size before the quota was doubled, which some endpoints still enforce (behaviour 8). */
export const REQUEST_BYTES_FALLBACK = 5 * MIB
/** What one shard takes: https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html */
export const SHARD_RECORDS_PER_SECOND = 1_000
export const SHARD_BYTES_PER_SECOND = 1_000_000
/** A UUID, the partition key of every record. */
export const PARTITION_KEY_BYTES = 36

/** What the service counts for a message with so many bytes of payload: these and its partition key. */
export function kinesisRecordBytes(payloadBytes: number): number {
  return payloadBytes + PARTITION_KEY_BYTES
}

/** Names, quotes and keys of a record in the body; the hash key is there when its shard is known. */
const RECORD_OVERHEAD_BYTES = 126

export const KINESIS_LIMITS: BatchLimits = {
  countMax: RECORDS_MAX,
  bytesMax: REQUEST_BYTES_MAX,
  sizeOf: kinesisRecordBytes,
  bodyBytesOf: (payloadBytes) => base64Bytes(payloadBytes) + RECORD_OVERHEAD_BYTES
}
