import { KinesisClient } from '@aws-sdk/client-kinesis'
import { awsClientSettings, type AwsContext } from '../../aws/index.ts'
import type { Random } from '../../base/random.ts'
import type { Sink } from '../../export/sink.ts'
import type { KinesisExport } from '../../model/export-definition.ts'
import { createKinesisSink } from './sink.ts'

/** Makes the sinks of all Kinesis exports over one client. */
export function createKinesisSinks(
  aws: AwsContext,
  random: Random,
  interCallDelayMs: number | undefined
): (definition: KinesisExport) => Sink {
  const client = new KinesisClient(awsClientSettings(aws, 'KINESIS'))
  return (definition) => createKinesisSink({ client, random, interCallDelayMs }, definition)
}
