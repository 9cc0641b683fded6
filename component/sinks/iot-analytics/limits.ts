import { endpointOf, type AwsEnvironment } from '../../aws/environment.ts'
import { KIB, MIB } from '../../base/limits.ts'
import { BATCH_SIZE_MAX } from '../../model/export-definition.ts'
import type { BatchLimits } from '../../export/sink.ts'

/*
 * Quotas of BatchPutMessage: https://docs.aws.amazon.com/general/latest/gr/iot-analytics.html and
 * https://docs.aws.amazon.com/iotanalytics/latest/APIReference/API_BatchPutMessage.html
 */

/** One message. */
export const MESSAGE_BYTES_MAX = 128 * KIB
/** The id of a message, which is ASCII. */
export const MESSAGE_ID_CHARS_MAX = 128
/** Our bound on one request: a hundred messages of the largest size would take 17 MiB. */
const REQUEST_BYTES_MAX = 5 * MIB
/** At most what a message has beside its payload: two names, and its id. */
const MESSAGE_OVERHEAD_BYTES = MESSAGE_ID_CHARS_MAX + 40

export const IOT_ANALYTICS_LIMITS: BatchLimits = {
  countMax: BATCH_SIZE_MAX.iotAnalytics,
  bytesMax: REQUEST_BYTES_MAX,
  sizeOf: (payloadBytes) => Math.ceil(payloadBytes / 3) * 4 + MESSAGE_OVERHEAD_BYTES
}

/** Text of errorMessage while there is nowhere to send to (behaviour 10.7). */
export const DISCONTINUED =
  'ServiceDiscontinued: AWS IoT Analytics ended on 15 December 2025; remove the export, or set AWS_ENDPOINT_URL_IOTANALYTICS to an endpoint of your own'

/** The service has ended: only an endpoint of one's own can be sent to (behaviour 10.7). */
export function hasIotAnalyticsEndpoint(environment: AwsEnvironment): boolean {
  return endpointOf(environment, 'IOTANALYTICS') !== undefined
}
