import { IoTSiteWiseClient } from '@aws-sdk/client-iotsitewise'
import { awsClientSettings, type AwsContext } from '../../aws/index.ts'
import type { Clock } from '../../base/clock.ts'
import type { Sink } from '../../export/sink.ts'
import { createSiteWiseSink } from './sink.ts'

/** Makes the sinks of all SiteWise exports over one client. */
export function createSiteWiseSinks(aws: AwsContext, clock: Clock): () => Sink {
  const client = new IoTSiteWiseClient(awsClientSettings(aws, 'IOTSITEWISE'))
  return () => createSiteWiseSink({ client, clock })
}
