import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkAccess, checkClock, checkTarget, type Target } from '../../../component/cli/doctor/cloud-checks.ts'
import type { Answered, CloudProbes, Reached } from '../../../component/exporter/probe.ts'
import type { ExportDefinition } from '../../../component/model/export-definition.ts'
import { createFakeClock } from '../../helpers/fake-clock.ts'

const REACHED: Reached = { failure: undefined, tookMs: 20, skewMs: 5, proxy: undefined }
const KINESIS: ExportDefinition = { kind: 'kinesis', identifier: 'k', kinesisStreamName: 'target' }

function probesWith(changes: Partial<CloudProbes> = {}): CloudProbes {
  const never = (): never => assert.fail('it is not asked')
  return {
    region: 'eu-central-1',
    credentialEndpoint: 'http://127.0.0.1:1/',
    credentials: never,
    kinesisUrl: () => Promise.resolve(new URL('https://kinesis.test/')),
    sitewiseUrl: () => Promise.resolve(new URL('https://sitewise.test/')),
    bucketUrl: (bucket) => Promise.resolve(new URL(`https://${bucket}.test/`)),
    iotAnalyticsUrl: () => undefined,
    reach: () => Promise.resolve(REACHED),
    connect: () => Promise.resolve(REACHED),
    kinesisStream: never,
    bucket: never,
    ...changes
  }
}

const target = (definition: ExportDefinition, bucket?: string): Target => ({ subject: 'it', definition, bucket })

async function told(probes: CloudProbes, of: Target, hasCredentials = true): Promise<string[]> {
  const { findings } = await checkTarget(probes, of, hasCredentials)
  return findings.map(({ verdict, text }) => `${verdict}: ${text}`)
}

const ANSWERS: readonly (readonly [Answered, string])[] = [
  [{ kind: 'ok' }, 'ok: the stream "target" exists, and the credentials are accepted'],
  [{ kind: 'missing' }, 'problem: the stream "target" does not exist in this account and region'],
  [
    { kind: 'notAllowed' },
    'warning: the role may not ask about the stream "target"; whether it may write cannot be told'
  ],
  [
    { kind: 'failed', reason: 'ExpiredTokenException: old' },
    'problem: asking about the stream "target" failed: the credentials are not accepted (ExpiredTokenException: old)'
  ]
]
for (const [answer, expected] of ANSWERS) {
  test(`what Kinesis answers is judged: ${answer.kind}`, async () => {
    const probes = probesWith({ kinesisStream: () => Promise.resolve(answer) })
    assert.deepEqual(await told(probes, target(KINESIS)), ['ok: https://kinesis.test answers, after 20 ms', expected])
  })
}

test('nothing is asked where there is no way, or nothing to sign with', async () => {
  const shut = probesWith({
    reach: () => Promise.resolve({ ...REACHED, failure: 'ENOTFOUND: x', proxy: 'http://proxy:1' })
  })
  assert.deepEqual(await told(shut, target(KINESIS)), [
    'problem: https://kinesis.test over the proxy http://proxy:1 does not answer: the name of the destination cannot be resolved (ENOTFOUND: x)'
  ])
  assert.equal((await told(probesWith(), target(KINESIS), false)).length, 1)
})

test('of S3 the bucket of the newest task is looked at, and none without a task', async () => {
  const s3: ExportDefinition = { kind: 's3', identifier: 'f' }
  assert.deepEqual(await told(probesWith(), target(s3)), ['unknown: there is no task yet that would name a bucket'])
  const elsewhere = probesWith({ bucket: () => Promise.resolve({ kind: 'otherRegion', region: 'us-west-2' }) })
  assert.equal((await told(elsewhere, target(s3, 'b')))[1], 'warning: the bucket "b" is in us-west-2')
})

test('SiteWise and HTTP are only connected to', async () => {
  const one = ['ok: https://sitewise.test answers, after 20 ms']
  assert.deepEqual(await told(probesWith(), target({ kind: 'sitewise', identifier: 'p' })), one)
  const probes = probesWith({ reach: () => assert.fail('nothing is sent') })
  assert.deepEqual(await told(probes, target({ kind: 'http', identifier: 'h', uri: 'http://h:9/x' })), [
    'ok: http://h:9 answers, after 20 ms'
  ])
})

test('region and credentials are looked at only where AWS is wanted', async () => {
  const clock = createFakeClock()
  assert.deepEqual(
    await checkAccess(probesWith(), [target({ kind: 'http', identifier: 'h', uri: 'http://h/' })], clock),
    []
  )
  const over = probesWith({
    region: undefined,
    credentials: () => Promise.resolve({ ok: true, expiresMs: clock.wallMs() - 1 })
  })
  const verdicts = (await checkAccess(over, [target(KINESIS)], clock)).map(
    ({ subject, verdict }) => `${subject} ${verdict}`
  )
  assert.deepEqual(verdicts, ['region problem', 'credentials warning'])
  const none = probesWith({ credentials: () => Promise.resolve({ ok: false, reason: 'CredentialsError: x' }) })
  assert.equal((await checkAccess(none, [target(KINESIS)], clock))[1]?.verdict, 'problem')
})

test('the clock is judged by the worst difference', () => {
  const verdict = (...skewsMs: number[]): string => checkClock(skewsMs).verdict
  assert.deepEqual(
    [verdict(), verdict(500, -900), verdict(0, 30_000), verdict(-239_999), verdict(1, -240_000, 100)],
    ['unknown', 'ok', 'warning', 'warning', 'problem']
  )
  assert.match(checkClock([-3_600_000]).text, /^it is 1 h behind/)
})
