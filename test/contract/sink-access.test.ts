import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, test } from 'node:test'
import { AwsRequestHandler, createCredentialSource, type AwsContext } from '../../component/aws/index.ts'
import type { Clock } from '../../component/base/clock.ts'
import type { Sink } from '../../component/export/sink.ts'
import type { ExportDefinition } from '../../component/model/export-definition.ts'
import { createIotAnalyticsSinks } from '../../component/sinks/iot-analytics/index.ts'
import { createKinesisSinks } from '../../component/sinks/kinesis/index.ts'
import { createS3Tasks } from '../../component/sinks/s3/index.ts'
import { createSiteWiseSinks } from '../../component/sinks/sitewise/index.ts'
import type { Gate } from '../helpers/aws-model/gate.ts'
import type { TestKey } from '../helpers/aws-model/signature.ts'
import { startWireExport, type WireExport } from '../helpers/aws-wire/wire-export.ts'
import { createFakeClock, type FakeClock } from '../helpers/fake-clock.ts'
import { startEmulatedKinesis } from '../helpers/kinesis-fixture.ts'
import { createInputFolder, MIB, runTask, S3_SETTINGS, stepOf, taskOf } from '../helpers/s3-fixture.ts'
import { startS3Server, type S3Server } from '../helpers/s3-server.ts'
import { startScriptedServer, type ScriptedServer } from '../helpers/scripted-server.ts'
import { createSeededRandom } from '../helpers/seeded-random.ts'
import { startStrictIotAnalytics } from '../helpers/strict-iot-analytics.ts'
import { startStrictSiteWise } from '../helpers/strict-sitewise.ts'

const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000

/** Hands out temporary credentials, as the token exchange service does. */
interface Exchange {
  readonly server: ScriptedServer
  /** Credentials that it hands out now. */
  key: TestKey
}

function newKey(expiresMs: number): TestKey {
  const id = randomUUID()
  return { accessKeyId: `key-${id}`, secretAccessKey: `secret-${id}`, sessionToken: `token-${id}`, expiresMs }
}

async function startExchange(): Promise<Exchange> {
  const server = await startScriptedServer()
  after(() => server.close())
  const exchange: Exchange = { server, key: newKey(Date.now() + HOUR_MS) }
  server.script = [
    (_request, response) => {
      const { accessKeyId, secretAccessKey, sessionToken, expiresMs = 0 } = exchange.key
      const Expiration = new Date(expiresMs).toISOString()
      const answer = { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, Token: sessionToken, Expiration }
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
    }
  ]
  return exchange
}

/** What the exporter gives its sinks, over credentials of an exchange. */
function contextOf(clock: Clock, exchange: Exchange, endpoints: Readonly<Record<string, string>>): AwsContext {
  const environment = {
    AWS_REGION: 'eu-central-1',
    AWS_CONTAINER_CREDENTIALS_FULL_URI: exchange.server.origin,
    ...endpoints
  }
  const requestHandler = new AwsRequestHandler(environment)
  after(() => requestHandler.destroy())
  return { environment, userAgent: 'test/1', requestHandler, credentials: createCredentialSource(clock, environment) }
}

/** A stand-in, its gate, and how the exporter sends to it. */
interface Cloud {
  readonly gate: Gate
  readonly definition: ExportDefinition
  readonly payloadOf: (number: number) => Buffer
  readonly sinkOf: (clock: Clock, exchange: Exchange) => Sink
}

const random = createSeededRandom(1)

const CLOUDS: Readonly<Record<string, () => Promise<Cloud>>> = {
  async kinesis() {
    const kinesis = await startEmulatedKinesis()
    after(() => kinesis.close())
    const definition = { kind: 'kinesis', identifier: 'e', kinesisStreamName: 'target', batchSize: 2 } as const
    return {
      gate: kinesis.proxy.gate,
      definition,
      payloadOf: (number) => Buffer.from(String(number)),
      sinkOf: (clock, exchange) =>
        createKinesisSinks(
          contextOf(clock, exchange, { AWS_ENDPOINT_URL_KINESIS: kinesis.endpoint }),
          clock,
          random,
          undefined
        )(definition)
    }
  },
  async sitewise() {
    const { gate, server } = await startStrictSiteWise()
    after(() => server.close())
    return {
      gate,
      definition: { kind: 'sitewise', identifier: 'e', batchSize: 2 },
      payloadOf: (number) =>
        Buffer.from(
          JSON.stringify({
            propertyAlias: `/${number}`,
            propertyValues: [
              { value: { integerValue: number }, timestamp: { timeInSeconds: Math.floor(Date.now() / 1_000) } }
            ]
          })
        ),
      sinkOf: (clock, exchange) =>
        createSiteWiseSinks(contextOf(clock, exchange, { AWS_ENDPOINT_URL_IOTSITEWISE: server.origin }), clock)()
    }
  },
  async iotAnalytics() {
    const { gate, server } = await startStrictIotAnalytics()
    after(() => server.close())
    const definition = { kind: 'iotAnalytics', identifier: 'e', iotChannel: 'channel', batchSize: 2 } as const
    return {
      gate,
      definition,
      payloadOf: (number) => Buffer.from(String(number)),
      sinkOf: (clock, exchange) =>
        createIotAnalyticsSinks(
          contextOf(clock, exchange, { AWS_ENDPOINT_URL_IOTANALYTICS: server.origin }),
          clock,
          random
        )(definition)
    }
  }
}

const COUNT = 10

function start({ definition, payloadOf, sinkOf }: Cloud, exchange: Exchange): WireExport {
  const payloads = Array.from({ length: COUNT }, (_, number) => payloadOf(number))
  return startWireExport(
    definition,
    payloads,
    (clock) => sinkOf(clock, exchange),
    // Signatures are made with the machine's own time.
    (clock) => clock.jumpWall(Date.now() - clock.wallMs())
  )
}

for (const [name, startCloud] of Object.entries(CLOUDS)) {
  test(`${name}: credentials that end before their time are replaced, and nothing is lost`, async () => {
    const [cloud, exchange] = [await startCloud(), await startExchange()]
    const { gate } = cloud
    const first = exchange.key
    gate.keys = [first]
    const wire = start(cloud, exchange)
    await wire.until(() => wire.next >= 4)
    exchange.key = newKey(Date.now() + 2 * HOUR_MS)
    gate.keys = [{ ...first, expiresMs: 0 }, exchange.key]
    await wire.finish()
    assert.equal(wire.skipped, 0)
    assert.equal(gate.refusals[0], 'ExpiredTokenException')
    assert.deepEqual(gate.violations, [])
    // The service's word is enough: nobody waits for the five minutes of a recheck.
    assert.ok(wire.harness.clock.monotonicMs() < 2 * MINUTE_MS)
  })

  test(`${name}: a device whose clock is wrong signs with the time of the service`, async () => {
    for (const skewMs of [HOUR_MS, -HOUR_MS]) {
      const [cloud, exchange] = [await startCloud(), await startExchange()]
      const { gate } = cloud
      exchange.key = newKey(Date.now() + 24 * HOUR_MS)
      gate.keys = [exchange.key]
      gate.nowMs = () => Date.now() + skewMs
      const wire = start(cloud, exchange)
      await wire.finish()
      assert.equal(wire.skipped, 0)
      assert.deepEqual([...new Set(gate.refusals)], ['InvalidSignatureException'])
      assert.ok(gate.refusals.length <= 2, `${gate.refusals.length} requests were refused`)
    }
  })
}

interface S3Scene {
  readonly s3: S3Server
  readonly exchange: Exchange
  readonly clock: FakeClock
  readonly run: ReturnType<typeof createS3Tasks>
  readonly path: string
}

async function startS3(bytes: number): Promise<S3Scene> {
  const [s3, exchange, input] = [await startS3Server(), await startExchange(), createInputFolder()]
  after(() => {
    input.remove()
    return s3.close()
  })
  const clock = createFakeClock(Date.now())
  const context = contextOf(clock, exchange, { AWS_ENDPOINT_URL_S3: s3.origin })
  s3.gate.keys = [exchange.key]
  s3.gate.region = 'eu-central-1'
  return {
    s3,
    exchange,
    clock,
    run: createS3Tasks(context, S3_SETTINGS, clock),
    path: input.write('file', Buffer.alloc(bytes, 1))
  }
}

/** Does a task, with a pause after each failed attempt. @returns reasons of the failed attempts */
async function runPatiently({ run, path, clock }: S3Scene, between: (attempt: number) => void): Promise<string[]> {
  const reasons: string[] = []
  for (let state: string | undefined; reasons.length < 10;) {
    let steps = 0
    const end = await runTask(run, stepOf(taskOf(path), { state }), () => between((steps += 1)))
    if (end.outcome.kind !== 'retryLater') {
      assert.equal(end.outcome.kind, 'succeeded')
      return reasons
    }
    reasons.push(end.outcome.reason)
    state = end.state
    await clock.advanceAsync(MINUTE_MS)
  }
  throw new Error(`the task does not end: ${reasons.join('; ')}`)
}

test('S3: an upload goes on, part by part, with fresh credentials when its own have ended', async (t) => {
  const warn = t.mock.method(console, 'warn', () => undefined)
  const scene = await startS3(12 * MIB)
  const { s3, exchange } = scene
  const first = exchange.key
  const reasons = await runPatiently(scene, (step) => {
    if (step !== 3 || exchange.key !== first) return
    exchange.key = newKey(Date.now() + 2 * HOUR_MS)
    s3.gate.keys = [{ ...first, expiresMs: 0 }, exchange.key]
  })
  assert.ok(reasons.length >= 1 && reasons.length <= 6, reasons.join('; '))
  for (const reason of reasons) assert.match(reason, /^ExpiredToken: /)
  assert.equal(s3.objects.get('bucket/key')?.bytes, 12 * MIB)
  assert.equal(s3.requests.filter(({ operation }) => operation === 'Create').length, 1)
  assert.equal(warn.mock.callCount(), 0, 'the client does not write past the log')
  assert.deepEqual(s3.gate.violations, [])
})

test('S3: a device whose clock is wrong signs with the time of the service', async () => {
  const scene = await startS3(10)
  scene.s3.gate.nowMs = () => Date.now() + HOUR_MS / 2
  const reasons = await runPatiently(scene, () => undefined)
  assert.equal(reasons.length, 1)
  assert.match(reasons[0] ?? '', /^RequestTimeTooSkewed: /)
  assert.equal(scene.s3.objects.size, 1)
})

for (const elsewhere of ['AuthorizationHeaderMalformed', 'PermanentRedirect'] as const) {
  for (const bytes of [10, 6 * MIB]) {
    test(`S3: ${elsewhere} leads an upload of ${bytes} bytes to the region of the bucket, once`, async () => {
      const scene = await startS3(bytes)
      const { gate } = scene.s3
      gate.region = 'ap-southeast-2'
      gate.elsewhere = elsewhere
      assert.deepEqual(await runPatiently(scene, () => undefined), [])
      assert.equal(scene.s3.objects.get('bucket/key')?.bytes, bytes)
      assert.deepEqual(gate.refusals, [elsewhere])
    })
  }
}
