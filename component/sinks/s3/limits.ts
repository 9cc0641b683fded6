import { MIB } from '../../base/limits.ts'
import type { BatchLimits } from '../../export/sink.ts'

/*
 * Quotas of uploads: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
 */

/** Parts of one upload. */
const PARTS_MAX = 10_000
/** The largest single PUT, and the largest part. */
const PUT_BYTES_MAX = 5 * 1024 * MIB
/** The largest object. */
export const OBJECT_BYTES_MAX = 5 * 1024 * 1024 * MIB
/** Files above this size are uploaded in parts unless the definition says otherwise (protocol 5.8). */
const THRESHOLD_BYTES_DEFAULT = 5 * MIB

/** A task goes alone; what it sends is charged to the bandwidth chunk by chunk, not in advance. */
export const S3_LIMITS: BatchLimits = { countMax: 1, bytesMax: 1, sizeOf: () => 0 }

/** Size of the parts of a file (behaviour 10.4). @param partBytesMin the configured minimum, 5 MiB or more */
export function partBytesOf(fileBytes: number, partBytesMin: number): number {
  return Math.max(partBytesMin, Math.ceil(fileBytes / PARTS_MAX))
}

/** Whether a file goes up in parts (behaviour 10.4). @param threshold of the definition, undefined for the default */
export function isMultipart(fileBytes: number, threshold: bigint | undefined, partBytesMin: number): boolean {
  const wanted = threshold === undefined ? THRESHOLD_BYTES_DEFAULT : Number(threshold)
  return fileBytes > Math.min(PUT_BYTES_MAX, Math.max(wanted, partBytesMin))
}
