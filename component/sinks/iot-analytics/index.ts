import { IoTAnalyticsClient } from '@aws-sdk/client-iotanalytics'
import { createAwsClient, type AwsContext } from '../../aws/index.ts'
import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import type { Sink } from '../../export/sink.ts'
import type { IotAnalyticsExport } from '../../model/export-definition.ts'
import { createIotAnalyticsSink } from './sink.ts'

/** Makes the sinks of all IoT Analytics exports over one client. */
export function createIotAnalyticsSinks(
  aws: AwsContext,
  clock: Clock,
  random: Random
): (definition: IotAnalyticsExport) => Sink {
  const client = createAwsClient(aws, 'IOTANALYTICS', (settings) => new IoTAnalyticsClient(settings))
  return (definition) => createIotAnalyticsSink({ client, clock, random }, definition)
}
