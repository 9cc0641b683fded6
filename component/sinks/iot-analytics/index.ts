import { IoTAnalyticsClient } from '@aws-sdk/client-iotanalytics'
import { awsClientSettings, type AwsContext } from '../../aws/index.ts'
import type { Random } from '../../base/random.ts'
import type { Sink } from '../../export/sink.ts'
import type { IotAnalyticsExport } from '../../model/export-definition.ts'
import { createIotAnalyticsSink } from './sink.ts'

/** Makes the sinks of all IoT Analytics exports over one client. */
export function createIotAnalyticsSinks(aws: AwsContext, random: Random): (definition: IotAnalyticsExport) => Sink {
  const client = new IoTAnalyticsClient(awsClientSettings(aws, 'IOTANALYTICS'))
  return (definition) => createIotAnalyticsSink({ client, random }, definition)
}
