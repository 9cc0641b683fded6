import { S3Client } from '@aws-sdk/client-s3'
import type { Clock } from '../../base/clock.ts'
import { AwsRequestHandler, createAwsClient, regionOf, type AwsContext } from '../../aws/index.ts'
import { endpointOf } from '../../aws/environment.ts'
import type { RunStep } from '../../export/task.ts'
import { createInputPolicy } from './input-policy.ts'
import { createRequests } from './requests.ts'
import { BODY_CHUNK_BYTES, type S3Settings } from './settings.ts'
import { runStep } from './step.ts'

/** The connection of a part may be silent for so long (behaviour 6.5). */
const PROGRESS_TIMEOUT_MS = 5 * 60_000
const LEGACY_REGION = 'us-east-1'
/** Regions of buckets that were learnt; the first ones are forgotten. */
const CLIENTS_MAX = 32

/**
 * Makes what does the steps of all S3 tasks.
 * @param clock of the time-outs and of the dates in keys
 */
export function createS3Tasks(aws: AwsContext, settings: S3Settings, clock: Clock): RunStep {
  const context = { ...aws, requestHandler: new AwsRequestHandler(aws.environment, PROGRESS_TIMEOUT_MS, clock) }
  const policy = createInputPolicy(settings.input)
  const deviceRegion = regionOf(aws.environment)
  const clients = new Map<string | undefined, S3Client>()

  const clientFor = (region: string | undefined): S3Client => {
    const known = clients.get(region)
    if (known !== undefined) return known
    const [first] = clients.keys()
    if (clients.size >= CLIENTS_MAX && first !== undefined) clients.delete(first)
    const client = createClient(context, settings, region)
    clients.set(region, client)
    return client
  }

  return (step, pace, signal) =>
    runStep(
      {
        policy,
        partBytesMin: settings.partBytesMin,
        region: deviceRegion,
        wallMs: () => clock.wallMs(),
        requestsFor: (region) =>
          createRequests(clientFor(region ?? deviceRegion), pace, settings.chunkBytes ?? BODY_CHUNK_BYTES, clock)
      },
      step,
      signal
    )
}

function createClient(aws: AwsContext, settings: S3Settings, region: string | undefined): S3Client {
  const hasEndpoint = endpointOf(aws.environment, 'S3') !== undefined
  const own = {
    ...(region === undefined ? {} : { region }),
    // Custom endpoints seldom have a name for each bucket.
    forcePathStyle: hasEndpoint,
    useGlobalEndpoint: settings.usEast1Endpoint === 'legacy' && region === LEGACY_REGION,
    // Bodies carry a checksum that was taken before; the SDK's own would need the body in memory, or another encoding.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED'
  } as const
  return createAwsClient(aws, 'S3', (shared) => new S3Client({ ...shared, ...own }))
}
