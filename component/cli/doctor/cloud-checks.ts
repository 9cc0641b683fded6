import type { Clock } from '../../base/clock.ts'
import { durationText } from '../../base/quantities.ts'
import type { Answered, CloudProbes, Reached } from '../../exporter/probe.ts'
import type { ExportDefinition, ExportKind } from '../../model/export-definition.ts'
import { helpFor } from '../../export/error-help.ts'
import { timeText } from '../text.ts'
import { bad, failed, ok, type Finding } from './finding.ts'

/** AWS refuses signatures that are five minutes off. */
const SKEW_PROBLEM_MS = 4 * 60_000
const SKEW_WARNING_MS = 30_000
const EXPIRY_WARNING_MS = 60_000

/** One destination of one export. */
export interface Target {
  /** Whom a finding is about. */
  readonly subject: string
  readonly definition: ExportDefinition
  /** Of S3 tasks: the bucket of the newest one. */
  readonly bucket?: string | undefined
}

const IS_AWS: Readonly<Record<ExportKind, boolean>> = {
  http: false,
  kinesis: true,
  sitewise: true,
  s3: true,
  iotAnalytics: true
}

function noCredentials(from: string, reason: string, isDevice: boolean): Finding {
  const text = `there are none from ${from}`
  if (isDevice) return failed('credentials', text, reason, helpFor('kinesis', reason))
  const remedy =
    'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE; under Greengrass look with the environment of the server'
  return bad('problem', 'credentials', `${text} (${reason})`, remedy)
}

/** Region and credentials, where an export needs them. */
export async function checkAccess(probes: CloudProbes, targets: readonly Target[], clock: Clock): Promise<Finding[]> {
  if (!targets.some(({ definition }) => IS_AWS[definition.kind])) return []
  const region =
    probes.region === undefined
      ? bad(
          'problem',
          'region',
          'none is set',
          'set AWS_REGION; under Greengrass awsRegion in the configuration of the nucleus'
        )
      : ok('region', probes.region)
  const from = probes.credentialEndpoint === undefined ? 'the environment or a profile' : 'the token exchange service'
  const found = await probes.credentials()
  if (!found.ok) return [region, noCredentials(from, found.reason, probes.credentialEndpoint !== undefined)]
  const { expiresMs } = found
  const leftMs = expiresMs === undefined ? Infinity : expiresMs - clock.wallMs()
  const text = `there are some from ${from}${expiresMs === undefined ? '' : `, valid until ${timeText(expiresMs)}`}`
  if (leftMs >= EXPIRY_WARNING_MS) return [region, ok('credentials', text)]
  const remedy = 'compare the clock of the device, and restart the token exchange service or the nucleus'
  return [region, bad('warning', 'credentials', `${text}, which is ${leftMs < 0 ? 'over' : 'soon'}`, remedy)]
}

/** Where the exporter connects to; undefined where nothing can be told. */
function urlOf(probes: CloudProbes, { definition, bucket }: Target): Promise<URL | undefined> {
  switch (definition.kind) {
    case 'http':
      return Promise.resolve(URL.canParse(definition.uri) ? new URL(definition.uri) : undefined)
    case 'kinesis':
      return probes.kinesisUrl()
    case 'sitewise':
      return probes.sitewiseUrl()
    case 's3':
      return bucket === undefined ? Promise.resolve(undefined) : probes.bucketUrl(bucket)
    case 'iotAnalytics':
      return Promise.resolve(probes.iotAnalyticsUrl())
  }
}

function wayFinding({ subject, definition }: Target, url: URL, reached: Reached): Finding {
  const way = `${url.origin}${reached.proxy === undefined ? '' : ` over the proxy ${reached.proxy}`}`
  if (reached.failure === undefined) return ok(subject, `${way} answers, after ${durationText(reached.tookMs)}`)
  return failed(subject, `${way} does not answer`, reached.failure, helpFor(definition.kind, reached.failure))
}

function withoutUrl({ subject, definition }: Target): Finding {
  switch (definition.kind) {
    case 's3':
      return bad('unknown', subject, 'there is no task yet that would name a bucket', 'append a task and run it again')
    case 'iotAnalytics':
      return bad('warning', subject, 'AWS IoT Analytics has ended: nothing is sent', 'remove the export')
    case 'http':
    case 'kinesis':
    case 'sitewise':
      return bad('unknown', subject, 'its address cannot be told', 'see to the region first')
  }
}

function answerFinding({ subject, definition, bucket }: Target, answer: Answered): Finding {
  const what =
    definition.kind === 'kinesis'
      ? `the stream ${JSON.stringify(definition.kinesisStreamName)}`
      : `the bucket ${JSON.stringify(bucket)}`
  switch (answer.kind) {
    case 'ok':
      return ok(subject, `${what} exists, and the credentials are accepted`)
    case 'notAllowed':
      return definition.kind === 'kinesis'
        ? bad(
            'warning',
            subject,
            `the role may not ask about ${what}; whether it may write cannot be told`,
            'allow kinesis:ListShards, with which exports are paced by shard; kinesis:PutRecords is needed in any case'
          )
        : bad(
            'unknown',
            subject,
            `the role may not ask about ${what}, which uploads do not need`,
            'nothing, if uploads work; else allow s3:PutObject'
          )
    case 'missing':
      return bad(
        'problem',
        subject,
        `${what} does not exist in this account and region`,
        'create it, or correct the name'
      )
    case 'otherRegion':
      return bad(
        'warning',
        subject,
        `${what} is in ${answer.region ?? 'another region'}`,
        'use a bucket in the region of the device'
      )
    case 'failed':
      return failed(subject, `asking about ${what} failed`, answer.reason, helpFor(definition.kind, answer.reason))
  }
}

/** The way to one destination, and what it says to a request that changes nothing. */
export async function checkTarget(
  probes: CloudProbes,
  target: Target,
  hasCredentials: boolean
): Promise<{ readonly findings: readonly Finding[]; readonly skewMs: number | undefined }> {
  const { definition, bucket } = target
  const url = await urlOf(probes, target)
  if (url === undefined) return { findings: [withoutUrl(target)], skewMs: undefined }
  const reached = definition.kind === 'http' ? await probes.connect(url) : await probes.reach(url)
  const way = wayFinding(target, url, reached)
  if (reached.failure !== undefined || !hasCredentials) return { findings: [way], skewMs: reached.skewMs }
  const answer =
    definition.kind === 'kinesis'
      ? await probes.kinesisStream(definition.kinesisStreamName)
      : definition.kind === 's3' && bucket !== undefined
        ? await probes.bucket(bucket)
        : undefined
  return { findings: answer === undefined ? [way] : [way, answerFinding(target, answer)], skewMs: reached.skewMs }
}

/** The clock of the device against those of the destinations that tell the time. */
export function checkClock(skewsMs: readonly number[]): Finding {
  if (skewsMs.length === 0)
    return bad(
      'unknown',
      'clock',
      'no destination told the time',
      'see to the network first, if there are exports to AWS'
    )
  const worst = skewsMs.reduce((left, right) => (Math.abs(left) > Math.abs(right) ? left : right))
  const text = `it is ${durationText(Math.abs(worst))} ${worst < 0 ? 'behind' : 'ahead of'} that of the destination`
  const remedy = 'set the clock: let it be kept by NTP'
  if (Math.abs(worst) >= SKEW_PROBLEM_MS) return bad('problem', 'clock', `${text}, too far for signatures`, remedy)
  if (Math.abs(worst) >= SKEW_WARNING_MS) return bad('warning', 'clock', text, remedy)
  return ok('clock', 'it agrees with that of the destinations')
}
