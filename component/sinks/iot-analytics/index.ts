import { IoTAnalyticsClient } from '@aws-sdk/client-iotanalytics'
import { AROUND_REQUEST, awsClientSettings, noticeRefusals, type AwsContext } from '../../aws/index.ts'
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
  const client = new IoTAnalyticsClient(awsClientSettings(aws, 'IOTANALYTICS'))
  client.middlewareStack.add(noticeRefusals(aws.credentials), AROUND_REQUEST)
  return (definition) => createIotAnalyticsSink({ client, clock, random }, definition)
}
