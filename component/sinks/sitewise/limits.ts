import { KIB, MIB } from '../../base/limits.ts'
import type { BatchLimits } from '../../export/sink.ts'

/*
 * Quotas of BatchPutAssetPropertyValue:
 * https://docs.aws.amazon.com/iot-sitewise/latest/APIReference/API_BatchPutAssetPropertyValue.html
 * and https://docs.aws.amazon.com/iot-sitewise/latest/APIReference/API_PutAssetPropertyValueEntry.html
 */

/** Entries of one request. */
export const ENTRIES_MAX = 10
/** Values of one entry. */
export const VALUES_MAX = 10
/** Older values are refused; the ten minutes into the future are the service's to judge: our clock may be late. */
export const AGE_MS_MAX = 7 * 24 * 3_600_000
/** Ids of entries (behaviour 9, item 1). */
export const ENTRY_ID = /^[a-zA-Z0-9_-]{1,64}$/

/** Ten values, an alias of 2,048 characters and all names take a small part of this; more is not looked into. */
export const ENTRY_BYTES_MAX = 256 * KIB
/** An entry needs 4 levels, and a value of a kind yet unknown perhaps some more (reliability 6.2 P5). */
export const ENTRY_DEPTH_MAX = 16

/** What an entry may get beside its payload: a new id and a comma. */
const ENTRY_OVERHEAD_BYTES = 100

export const SITEWISE_LIMITS: BatchLimits = {
  countMax: ENTRIES_MAX,
  bytesMax: MIB,
  sizeOf: (payloadBytes) => payloadBytes + ENTRY_OVERHEAD_BYTES
}
