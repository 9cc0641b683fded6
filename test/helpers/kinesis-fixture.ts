import type { Server } from 'node:http'
import { createRequire } from 'node:module'
import {
  CreateStreamCommand,
  DescribeStreamCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient
} from '@aws-sdk/client-kinesis'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { AwsRequestHandler, awsClientSettings, type CredentialSource } from '../../component/aws/index.ts'
import type { Clock } from '../../component/base/clock.ts'
import type { Sink } from '../../component/export/sink.ts'
import type { ShardDirectory } from '../../component/sinks/kinesis/shard-directory.ts'
import { createKinesisSink } from '../../component/sinks/kinesis/sink.ts'
import { portOf, startKinesisProxy, type KinesisProxy } from './aws-wire/kinesis-proxy.ts'
import { createFakeClock } from './fake-clock.ts'
import { createSeededRandom } from './seeded-random.ts'

/** A client as the exporter makes it, for an endpoint on this machine. */
export function localKinesisClient(
  endpoint: string,
  credentials: CredentialSource = () => Promise.resolve({ accessKeyId: 'id', secretAccessKey: 'secret' }),
  timeoutMs?: number
): KinesisClient {
  return new KinesisClient(
    awsClientSettings(
      {
        environment: { AWS_REGION: 'eu-central-1', AWS_ENDPOINT_URL_KINESIS: endpoint },
        credentials,
        requestHandler: new AwsRequestHandler({}, timeoutMs),
        userAgent: 'test/1'
      },
      'KINESIS'
    )
  )
}

/** What a sink knows of shards without the permission to list them. */
export const UNKNOWN_SHARDS: ShardDirectory = {
  pacerOf: () => Promise.resolve(undefined),
  noticeOf: () => undefined,
  suspect: () => undefined
}

/** A sink for the stream `target`. */
export function localKinesisSink(
  client: KinesisClient,
  interCallDelayMs?: number,
  shards = UNKNOWN_SHARDS,
  clock: Clock = createFakeClock()
): Sink {
  return createKinesisSink(
    { client, clock, random: createSeededRandom(1), shards, interCallDelayMs },
    { kind: 'kinesis', identifier: 'k', kinesisStreamName: 'target' }
  )
}

/** An emulated Kinesis in this process, behind a proxy that is as strict as the service. */
export interface EmulatedKinesis {
  /** Its address, for AWS_ENDPOINT_URL_KINESIS. */
  readonly endpoint: string
  readonly proxy: KinesisProxy
  readonly client: KinesisClient
  /** Payloads of all records of one shard of the stream `target`, in order. @param shard its number; absent is the first */
  payloads(shard?: number): Promise<Buffer[]>
  close(): Promise<void>
}

type Kinesalite = (options: { createStreamMs: number; shardLimit: number }) => Server

/** Starts an emulator with the stream `target`. */
export async function startEmulatedKinesis(shardCount = 1): Promise<EmulatedKinesis> {
  const kinesalite = createRequire(import.meta.url)('kinesalite') as Kinesalite
  const server = kinesalite({ createStreamMs: 1, shardLimit: 10 })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const proxy = await startKinesisProxy(portOf(server))
  const { endpoint } = proxy
  const client = localKinesisClient(endpoint)
  // The exporter's client reads short answers only, and what it may not send is nothing for the proxy.
  const reader = new KinesisClient({
    endpoint: `http://127.0.0.1:${portOf(server)}`,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'id', secretAccessKey: 'secret' },
    requestHandler: new NodeHttpHandler()
  })
  const StreamName = 'target'
  await reader.send(new CreateStreamCommand({ StreamName, ShardCount: shardCount }))
  for (let isActive = false; !isActive;) {
    const { StreamDescription } = await reader.send(new DescribeStreamCommand({ StreamName }))
    isActive = StreamDescription?.StreamStatus === 'ACTIVE'
  }
  return {
    endpoint,
    proxy,
    client,
    async payloads(shard = 0) {
      const ShardId = `shardId-${String(shard).padStart(12, '0')}`
      const start = { StreamName, ShardId, ShardIteratorType: 'TRIM_HORIZON' } as const
      let { ShardIterator: iterator } = await reader.send(new GetShardIteratorCommand(start))
      const payloads: Buffer[] = []
      for (let isEnd = false; !isEnd;) {
        const { Records = [], NextShardIterator } = await reader.send(
          new GetRecordsCommand({ ShardIterator: iterator })
        )
        payloads.push(...Records.map((record) => Buffer.from(record.Data ?? [])))
        iterator = NextShardIterator
        isEnd = Records.length === 0
      }
      return payloads
    },
    async close() {
      client.config.requestHandler.destroy?.()
      reader.destroy()
      await proxy.close()
      await new Promise((resolve) => server.close(resolve))
    }
  }
}
