import type { AwsEnvironment } from '../aws/environment.ts'
import type { BatchLimits } from '../export/sink.ts'
import type { ExportDefinition } from '../model/export-definition.ts'
import { httpLimits } from './http/limits.ts'
import { DISCONTINUED, hasIotAnalyticsEndpoint, IOT_ANALYTICS_LIMITS } from './iot-analytics/limits.ts'
import { KINESIS_LIMITS } from './kinesis/limits.ts'
import { S3_LIMITS } from './s3/limits.ts'
import { SITEWISE_LIMITS } from './sitewise/limits.ts'

/**
 * What fits into one request of an export. Pure and free of any client library, so that the main thread can cut batches.
 * @returns undefined for a kind that this version cannot export
 */
export function limitsOf(definition: ExportDefinition): BatchLimits | undefined {
  switch (definition.kind) {
    case 'http':
      return httpLimits(definition)
    case 'kinesis':
      return KINESIS_LIMITS
    case 'iotAnalytics':
      return IOT_ANALYTICS_LIMITS
    case 'sitewise':
      return SITEWISE_LIMITS
    case 's3':
      return S3_LIMITS
  }
}

/**
 * Why an export cannot be done on this device.
 * @returns a text for its errorMessage; undefined when it can be done
 */
export function whyUnavailable(definition: ExportDefinition, environment: AwsEnvironment): string | undefined {
  return definition.kind === 'iotAnalytics' && !hasIotAnalyticsEndpoint(environment) ? DISCONTINUED : undefined
}
