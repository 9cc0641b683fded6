import { DescribeStreamSummaryCommand, KinesisClient, ListShardsCommand } from '@aws-sdk/client-kinesis'
import { IoTSiteWiseClient, BatchPutAssetPropertyValueCommand } from '@aws-sdk/client-iotsitewise'
import { HeadBucketCommand, S3Client } from '@aws-sdk/client-s3'
import {
  AwsRequestHandler,
  awsClientSettings,
  createCredentialSource,
  credentialEndpointOf,
  regionOf,
  type AwsContext,
  type AwsEnvironment
} from '../aws/index.ts'
import { endpointOf, type AwsService } from '../aws/environment.ts'
import { createTrust } from '../aws/trust.ts'
import { describeError } from '../base/fault.ts'
import type { Clock } from '../base/clock.ts'
import { failureText } from '../sinks/failure-text.ts'
import { createTargetPolicy } from '../sinks/http/target.ts'
import { connectTo, createReach, type Reached } from './reach.ts'

export type { Reached } from './reach.ts'

/** What a service said to a request that changes nothing. */
export type Answered =
  | { readonly kind: 'ok' }
  /** The role may not ask: everything up to the permission works. */
  | { readonly kind: 'notAllowed' }
  | { readonly kind: 'missing' }
  | { readonly kind: 'otherRegion'; readonly region: string | undefined }
  /** `<ErrorName>: <message>`. */
  | { readonly kind: 'failed'; readonly reason: string }

export type CredentialsFinding =
  { readonly ok: true; readonly expiresMs: number | undefined } | { readonly ok: false; readonly reason: string }

/** Looks at the cloud as the exporter would, and changes nothing there. */
export interface CloudProbes {
  readonly region: string | undefined
  /** Where credentials come from first; undefined: from the environment or profiles. */
  readonly credentialEndpoint: string | undefined
  credentials(): Promise<CredentialsFinding>
  /** Host that the exporter talks to: of a service, or of a bucket. Undefined where that cannot be told. */
  kinesisUrl(): Promise<URL | undefined>
  sitewiseUrl(): Promise<URL | undefined>
  bucketUrl(bucket: string): Promise<URL | undefined>
  iotAnalyticsUrl(): URL | undefined
  /** A request without credentials, over the proxy where there is one: any answer will do. */
  reach(url: URL): Promise<Reached>
  /** A connection, with TLS for https, as HTTP exports make it; nothing is sent. */
  connect(url: URL): Promise<Reached>
  kinesisStream(name: string): Promise<Answered>
  bucket(name: string): Promise<Answered>
}

export interface ProbeOptions {
  readonly clock: Clock
  readonly environment: AwsEnvironment
  readonly userAgent: string
}

export type CreateCloudProbes = (options: ProbeOptions) => CloudProbes

/** A person waits for the answer. */
const TIMEOUT_MS = 10_000

/** Thrown instead of sending: it has where the request would have gone. */
class Captured extends Error {
  readonly url: URL

  constructor(url: URL) {
    super('captured')
    this.url = url
  }
}

interface CapturedRequest {
  readonly protocol: string
  readonly hostname: string
  readonly port?: number
}

/** Makes a client's request end before it is sent. */
class CapturingHandler extends AwsRequestHandler {
  override handle(request: CapturedRequest): Promise<never> {
    const { protocol, hostname, port } = request
    return Promise.reject(new Captured(new URL(`${protocol}//${hostname}${port === undefined ? '' : `:${port}`}/`)))
  }
}

/** Signs what is never sent. */
const NO_CREDENTIALS = { accessKeyId: 'none', secretAccessKey: 'none' }

async function captured(send: () => Promise<unknown>): Promise<URL | undefined> {
  try {
    await send()
  } catch (error) {
    if (error instanceof Captured) return error.url
  }
  return undefined
}

function statusOf(error: unknown): number | undefined {
  const metadata: unknown = error instanceof Error && '$metadata' in error ? error.$metadata : undefined
  const status: unknown =
    typeof metadata === 'object' && metadata !== null && 'httpStatusCode' in metadata
      ? metadata.httpStatusCode
      : undefined
  return typeof status === 'number' ? status : undefined
}

async function answered(
  send: () => Promise<unknown>,
  judge: (error: Error) => Answered | undefined
): Promise<Answered> {
  try {
    await send()
    return { kind: 'ok' }
  } catch (error) {
    const judged = error instanceof Error ? judge(error) : undefined
    return judged ?? { kind: 'failed', reason: failureText(error) }
  }
}

function judgeKinesis(error: Error): Answered | undefined {
  if (error.name === 'ResourceNotFoundException') return { kind: 'missing' }
  return error.name === 'AccessDeniedException' ? { kind: 'notAllowed' } : undefined
}

function regionHeader(error: Error): string | undefined {
  const response: unknown = '$response' in error ? error.$response : undefined
  const headers: unknown =
    typeof response === 'object' && response !== null && 'headers' in response ? response.headers : undefined
  const region: unknown =
    typeof headers === 'object' && headers !== null && 'x-amz-bucket-region' in headers
      ? headers['x-amz-bucket-region']
      : undefined
  return typeof region === 'string' ? region : undefined
}

/** HeadBucket has no body that could say more than the status. */
function judgeBucket(error: Error): Answered | undefined {
  switch (statusOf(error)) {
    case 301:
    case 307:
      return { kind: 'otherRegion', region: regionHeader(error) }
    case 403:
      return { kind: 'notAllowed' }
    case 404:
      return { kind: 'missing' }
    case undefined:
    default:
      return undefined
  }
}

/** Looks through the eyes of an exporter that has this environment. */
export const createCloudProbes: CreateCloudProbes = ({ clock, environment, userAgent }) => {
  const credentials = createCredentialSource(clock, environment)
  const context: AwsContext = {
    environment,
    credentials,
    userAgent,
    requestHandler: new AwsRequestHandler(environment, TIMEOUT_MS)
  }
  const capturing: AwsContext = {
    ...context,
    credentials: () => Promise.resolve(NO_CREDENTIALS),
    requestHandler: new CapturingHandler(environment)
  }
  /** Where an endpoint is given the region is not needed to find it. */
  const capturingOf = (service: AwsService): AwsContext =>
    regionOf(environment) === undefined && endpointOf(environment, service) !== undefined
      ? { ...capturing, environment: { ...environment, AWS_REGION: 'none' } }
      : capturing
  const s3Settings = (of: AwsContext) => ({
    ...awsClientSettings(of, 'S3'),
    forcePathStyle: endpointOf(environment, 'S3') !== undefined
  })
  const policy = createTargetPolicy(credentialEndpointOf(environment))
  const trust = createTrust(environment.GG_ROOT_CA_PATH)

  return {
    region: regionOf(environment),
    credentialEndpoint: credentialEndpointOf(environment),
    async credentials() {
      try {
        const { expiration } = await credentials()
        return { ok: true, expiresMs: expiration?.getTime() }
      } catch (error) {
        return { ok: false, reason: describeError(error) }
      }
    },
    kinesisUrl: () =>
      captured(() =>
        new KinesisClient(awsClientSettings(capturingOf('KINESIS'), 'KINESIS')).send(
          new ListShardsCommand({ StreamName: 'x' })
        )
      ),
    sitewiseUrl: () =>
      captured(() =>
        new IoTSiteWiseClient(awsClientSettings(capturingOf('IOTSITEWISE'), 'IOTSITEWISE')).send(
          new BatchPutAssetPropertyValueCommand({ entries: [] })
        )
      ),
    bucketUrl: (bucket) =>
      captured(() => new S3Client(s3Settings(capturingOf('S3'))).send(new HeadBucketCommand({ Bucket: bucket }))),
    iotAnalyticsUrl() {
      const endpoint = endpointOf(environment, 'IOTANALYTICS')
      return endpoint !== undefined && URL.canParse(endpoint) ? new URL(endpoint) : undefined
    },
    reach: createReach(clock, environment, TIMEOUT_MS),
    connect: (url) => connectTo(clock, url, policy, trust, TIMEOUT_MS),
    async kinesisStream(name) {
      const client = new KinesisClient(awsClientSettings(context, 'KINESIS'))
      const listed = await answered(
        () => client.send(new ListShardsCommand({ StreamName: name, MaxResults: 1 })),
        judgeKinesis
      )
      if (listed.kind !== 'notAllowed') return listed
      return answered(() => client.send(new DescribeStreamSummaryCommand({ StreamName: name })), judgeKinesis)
    },
    bucket: (name) =>
      answered(() => new S3Client(s3Settings(context)).send(new HeadBucketCommand({ Bucket: name })), judgeBucket)
  }
}
