import { IoTSiteWiseClient } from '@aws-sdk/client-iotsitewise'
import { createAwsClient, type AwsContext } from '../../aws/index.ts'
import type { Clock } from '../../base/clock.ts'
import type { Sink } from '../../export/sink.ts'
import { createSiteWiseSink } from './sink.ts'

/** Makes the sinks of all SiteWise exports over one client. */
export function createSiteWiseSinks(aws: AwsContext, clock: Clock): () => Sink {
  const client = createAwsClient(aws, 'IOTSITEWISE', (settings) => new IoTSiteWiseClient(settings))
  return () => createSiteWiseSink({ client, clock })
}
