import { IoTSiteWiseClient } from '@aws-sdk/client-iotsitewise'
import { AROUND_REQUEST, awsClientSettings, noticeRefusals, type AwsContext } from '../../aws/index.ts'
import type { Clock } from '../../base/clock.ts'
import type { Sink } from '../../export/sink.ts'
import { createSiteWiseSink } from './sink.ts'

/** Makes the sinks of all SiteWise exports over one client. */
export function createSiteWiseSinks(aws: AwsContext, clock: Clock): () => Sink {
  const client = new IoTSiteWiseClient(awsClientSettings(aws, 'IOTSITEWISE'))
  client.middlewareStack.add(noticeRefusals(aws.credentials), AROUND_REQUEST)
  return () => createSiteWiseSink({ client, clock })
}
