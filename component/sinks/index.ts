import { KinesisClient } from '@aws-sdk/client-kinesis'
import {
  AwsRequestHandler,
  awsClientSettings,
  createCredentialSource,
  credentialEndpointOf,
  type AwsEnvironment
} from '../aws/index.ts'
import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import type { Sink } from '../export/sink.ts'
import type { ExportDefinition } from '../model/export-definition.ts'
import { createHttpAgents } from './http/post.ts'
import { createHttpSink } from './http/sink.ts'
import { createTargetPolicy } from './http/target.ts'
import { createKinesisSink } from './kinesis/sink.ts'

export interface SinkOptions {
  readonly clock: Clock
  readonly random: Random
  readonly userAgent: string
  readonly environment: AwsEnvironment
  /** Undefined when the deployment leaves it at its default (behaviour 8). */
  readonly kinesisInterCallDelayMs: number | undefined
}

/** Makes the sink of an export; undefined for a kind that this version cannot export. */
export type SinkFactory = (definition: ExportDefinition) => Sink | undefined

/**
 * All destinations. Connections and clients are shared by all exports of a kind; clients are made when the first export
 * needs one.
 */
export function createSinkFactory(options: SinkOptions): SinkFactory {
  const { clock, random, userAgent, environment } = options
  const http = {
    clock,
    userAgent,
    agents: createHttpAgents(),
    policy: createTargetPolicy(credentialEndpointOf(environment))
  }
  const aws = once(() => ({
    environment,
    userAgent,
    credentials: createCredentialSource(clock, environment),
    requestHandler: new AwsRequestHandler()
  }))
  const kinesis = once(() => new KinesisClient(awsClientSettings(aws(), 'KINESIS')))
  return (definition) => {
    switch (definition.kind) {
      case 'http':
        return createHttpSink(http, definition)
      case 'kinesis':
        return createKinesisSink(
          { client: kinesis(), random, interCallDelayMs: options.kinesisInterCallDelayMs },
          definition
        )
      case 'iotAnalytics':
      case 'sitewise':
      case 's3':
        return undefined
    }
  }
}

/** Makes a value when it is asked for, and keeps it. */
function once<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined
  return () => (made ??= { value: make() }).value
}
