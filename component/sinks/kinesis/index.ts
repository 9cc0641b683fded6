import { KinesisClient } from '@aws-sdk/client-kinesis'
import { createAwsClient, type AwsContext } from '../../aws/index.ts'
import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import type { Sink } from '../../export/sink.ts'
import type { KinesisExport } from '../../model/export-definition.ts'
import { createShardDirectory } from './shard-directory.ts'
import { createKinesisSink } from './sink.ts'

/** Makes the sinks of all Kinesis exports over one client. */
export function createKinesisSinks(
  aws: AwsContext,
  clock: Clock,
  random: Random,
  interCallDelayMs: number | undefined
): (definition: KinesisExport) => Sink {
  const client = createAwsClient(aws, 'KINESIS', (settings) => new KinesisClient(settings))
  const shards = createShardDirectory(client, clock)
  return (definition) => createKinesisSink({ client, clock, random, shards, interCallDelayMs }, definition)
}
