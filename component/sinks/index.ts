import type { AwsContext } from '../aws/index.ts'
import { credentialEndpointOf, type AwsEnvironment } from '../aws/environment.ts'
import { createTrust } from '../aws/trust.ts'
import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import type { Sink } from '../export/sink.ts'
import type { RunStep } from '../export/task.ts'
import type { ExportDefinition } from '../model/export-definition.ts'
import { createHttpAgents } from './http/post.ts'
import { createHttpSink } from './http/sink.ts'
import { createTargetPolicy } from './http/target.ts'
import type { S3Settings } from './s3/settings.ts'

export interface SinkOptions {
  readonly clock: Clock
  readonly random: Random
  readonly userAgent: string
  readonly environment: AwsEnvironment
  /** Undefined when the deployment leaves it at its default (behaviour 8). */
  readonly kinesisInterCallDelayMs: number | undefined
  readonly s3: S3Settings
}

/** Makes the sink of an export; undefined for a kind that this version cannot export. */
export type SinkFactory = (definition: ExportDefinition) => Sink | undefined

/** All that this program can export to. */
export interface Destinations {
  /** For the exports that send messages in batches. */
  readonly createSink: SinkFactory
  /** For S3 tasks. */
  readonly runStep: RunStep
}

/**
 * All destinations. Connections and clients are shared by all exports of a kind. The AWS SDK, most of this program's code,
 * is loaded when the first export needs it.
 */
export function createDestinations(options: SinkOptions): Destinations {
  const { clock, random, userAgent, environment } = options
  const http = {
    clock,
    userAgent,
    agents: createHttpAgents(createTrust(environment.GG_ROOT_CA_PATH)),
    policy: createTargetPolicy(credentialEndpointOf(environment))
  }
  const aws = once(() => loadAws(options))
  const kinesis = once(async () => {
    const { createKinesisSinks } = await import('./kinesis/index.ts')
    return createKinesisSinks(await aws(), clock, random, options.kinesisInterCallDelayMs)
  })
  const sitewise = once(async () => {
    const { createSiteWiseSinks } = await import('./sitewise/index.ts')
    return createSiteWiseSinks(await aws(), clock)
  })
  const iotAnalytics = once(async () => {
    const { createIotAnalyticsSinks } = await import('./iot-analytics/index.ts')
    return createIotAnalyticsSinks(await aws(), clock, random)
  })
  const tasks = once(async () => {
    const { createS3Tasks } = await import('./s3/index.ts')
    return createS3Tasks(await aws(), options.s3, clock)
  })
  const createSink: SinkFactory = (definition) => {
    switch (definition.kind) {
      case 'http':
        return createHttpSink(http, definition)
      case 'kinesis':
        return deferred(kinesis().then((create) => create(definition)))
      case 'iotAnalytics':
        return deferred(iotAnalytics().then((create) => create(definition)))
      case 'sitewise':
        return deferred(sitewise().then((create) => create()))
      case 's3':
        return undefined
    }
  }
  return { createSink, runStep: async (step, pace, signal) => (await tasks())(step, pace, signal) }
}

async function loadAws({ clock, userAgent, environment }: SinkOptions): Promise<AwsContext> {
  const { AwsRequestHandler, createCredentialSource } = await import('../aws/index.ts')
  return {
    environment,
    userAgent,
    credentials: createCredentialSource(clock, environment),
    requestHandler: new AwsRequestHandler(environment)
  }
}

/** A sink whose code is still being loaded. */
function deferred(loading: Promise<Sink>): Sink {
  return {
    send: async (batch, signal, onProgress) => (await loading).send(batch, signal, onProgress),
    close: () => void loading.then((sink) => sink.close())
  }
}

/** Makes a value when it is asked for, and keeps it. */
function once<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined
  return () => (made ??= { value: make() }).value
}
