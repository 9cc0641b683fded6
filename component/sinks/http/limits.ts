import { MIB } from '../../base/limits.ts'
import type { BatchLimits } from '../../export/sink.ts'
import { BATCH_SIZE_MAX, type HttpExport } from '../../model/export-definition.ts'
import { base64Bytes } from '../json-body.ts'

/** Body of one request; a single larger message goes alone (behaviour 7). */
const BODY_BYTES_MAX = 5 * MIB

/** At most what one element of the JSON array has beside its payload: field names, two numbers, a name of 255 characters. */
const JSON_ELEMENT_BYTES_MAX = 400

/** At least what a message with so many bytes of payload takes in the JSON array. */
export function jsonElementBytesMax(payloadBytes: number): number {
  return base64Bytes(payloadBytes) + JSON_ELEMENT_BYTES_MAX
}

const RAW_LIMITS: BatchLimits = {
  countMax: 1,
  bytesMax: BODY_BYTES_MAX,
  sizeOf: (payloadBytes) => payloadBytes
}

const JSON_LIMITS: BatchLimits = {
  countMax: BATCH_SIZE_MAX.http,
  bytesMax: BODY_BYTES_MAX,
  sizeOf: jsonElementBytesMax
}

/** Raw requests hold one message, JSON requests what fits into the body (behaviour 7). */
export function httpLimits(definition: HttpExport): BatchLimits {
  return definition.exportFormat === 'jsonBatched' ? JSON_LIMITS : RAW_LIMITS
}
