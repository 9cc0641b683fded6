import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { freePort } from './monitored-server.ts'
import { createInputFolder, taskOf } from './s3-fixture.ts'
import { startS3Server } from './s3-server.ts'
import { appendAll, createStream } from './stream-calls.ts'
import type { WireClient, WireMap } from './wire-client.ts'

/** What can be wrong on a device or at a destination, with what a technician must read of it. */
export interface Broken {
  /** Name of the stream, too. */
  readonly name: string
  readonly exports: WireMap
  readonly cause: RegExp
  readonly remedy: RegExp
  readonly definition?: WireMap
  readonly messages?: readonly string[]
}

/** Setups that one server can have all at once. */
export interface BrokenWorld {
  /** What the server needs to meet them. */
  readonly environment: Readonly<Record<string, string>>
  readonly setups: readonly Broken[]
}

/** Region and credentials that every stand-in accepts. */
export const ACCESS = { AWS_REGION: 'eu-central-1', AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret' }

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void

async function serve(t: TestContext, answer: Answer): Promise<number> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => answer(request, response, Buffer.concat(chunks).toString()))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

/** Answers of Kinesis by the name of the stream that is asked for. */
const KINESIS: Readonly<Record<string, readonly [status: number, type: string, message: string]>> = {
  denied: [400, 'AccessDeniedException', 'User: arn:aws:sts::1:assumed-role/r/x is not authorized'],
  missing: [400, 'ResourceNotFoundException', 'Stream missing under account 1 not found.'],
  skewed: [
    400,
    'InvalidSignatureException',
    'Signature expired: 20261130T183000Z is now earlier than 20261130T192500Z'
  ],
  expired: [400, 'ExpiredTokenException', 'The security token included in the request is expired'],
  trouble: [500, 'InternalFailure', 'try later']
}

const kinesis: Answer = (_request, response, body) => {
  const { StreamName = '' } = JSON.parse(body || '{}') as { readonly StreamName?: string }
  const [status, type, message] = KINESIS[StreamName] ?? [400, 'AccessDeniedException', 'no']
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' })
  response.end(JSON.stringify({ __type: type, message }))
}

/** Every status by its path; none for `/0`. */
const http: Answer = (request, response) => {
  const status = Number(request.url?.slice(1))
  if (status !== 0) response.writeHead(status).end()
}

export const toKinesis = (kinesisStreamName: string): WireMap => ({
  kinesis: [{ identifier: 'cloud', kinesisStreamName }]
})
const toHttp = (uri: string): WireMap => ({ http: [{ identifier: 'cloud', uri, exportFormat: 1 }] })

/** What Kinesis and SiteWise refuse. */
const AWS_SETUPS: readonly Broken[] = [
  { name: 'denied', exports: toKinesis('denied'), cause: /may not write/, remedy: /kinesis:PutRecords/ },
  {
    name: 'missing',
    exports: toKinesis('missing'),
    cause: /does not exist/,
    remedy: /create it, or correct its name/i
  },
  { name: 'skewed', exports: toKinesis('skewed'), cause: /clock of the device is wrong/, remedy: /kept by NTP/ },
  {
    name: 'expired',
    exports: toKinesis('expired'),
    cause: /credentials/,
    remedy: /set the clock.*fetched by themselves/i
  },
  { name: 'trouble', exports: toKinesis('trouble'), cause: /problem of its own/, remedy: /wait/i },
  {
    name: 'poison',
    exports: { iotSitewise: [{ identifier: 'cloud' }] },
    cause: /skipped/,
    remedy: /correct the program/i
  }
]

function httpSetups(port: number, closedPort: number): readonly Broken[] {
  return [
    {
      name: 'unauthorized',
      exports: toHttp(`http://127.0.0.1:${port}/401`),
      cause: /does not accept who sends/,
      remedy: /accept requests of this device/
    },
    {
      name: 'failing',
      exports: toHttp(`http://127.0.0.1:${port}/500`),
      cause: /status 500/,
      remedy: /look at that server/i
    },
    {
      name: 'unreachable',
      exports: toHttp(`http://127.0.0.1:${closedPort}/`),
      cause: /cannot be reached/,
      remedy: /firewall/
    },
    { name: 'unknown', exports: toHttp('http://no-such-host.invalid/'), cause: /cannot be resolved/, remedy: /DNS/ },
    {
      name: 'overtaken',
      exports: toHttp(`http://127.0.0.1:${closedPort}/`),
      definition: { maxSize: 65_536, streamSegmentSize: 4_096, strategyOnFull: 1 },
      messages: Array.from({ length: 100 }, () => 'x'.repeat(1_000)),
      cause: /overwrote them before they could be sent/,
      remedy: /raise maxSize/i
    }
  ]
}

function s3Setups(path: string): readonly Broken[] {
  const exports = { s3TaskExecutor: [{ identifier: 'cloud' }] }
  return [
    {
      name: 'bucketless',
      exports,
      messages: [JSON.stringify(taskOf(path, { bucket: 'absent' }))],
      cause: /bucket of an upload task does not exist/i,
      remedy: /create the bucket, or correct its name in the task/i
    },
    {
      name: 'late',
      exports,
      messages: [JSON.stringify(taskOf(path, { bucket: 'late' }))],
      cause: /clock of the device differs from that of S3 by more than 15 minutes/,
      remedy: /set the clock.*kept by NTP.*uploads go on by themselves/i
    }
  ]
}

/** Starts the destinations of all setups that one server can have at once. */
export async function openBrokenWorld(t: TestContext): Promise<BrokenWorld> {
  const aws = `http://127.0.0.1:${await serve(t, kinesis)}`
  const s3 = await startS3Server(['late'])
  t.after(() => s3.close())
  s3.misbehave = ({ bucket }) =>
    bucket === 'late' ? { kind: 'error', status: 403, code: 'RequestTimeTooSkewed' } : undefined
  const folder = createInputFolder()
  t.after(() => folder.remove())
  return {
    environment: {
      ...ACCESS,
      AWS_ENDPOINT_URL_KINESIS: aws,
      AWS_ENDPOINT_URL_IOTSITEWISE: aws,
      AWS_ENDPOINT_URL_S3: s3.origin
    },
    setups: [
      ...AWS_SETUPS,
      ...httpSetups(await serve(t, http), await freePort()),
      ...s3Setups(folder.write('upload', 'content'))
    ]
  }
}

/** A server that knows a region and has no credentials. */
export const WITHOUT_CREDENTIALS: BrokenWorld = {
  environment: { AWS_REGION: 'eu-central-1', AWS_EC2_METADATA_DISABLED: 'true' },
  setups: [
    {
      name: 'anonymous',
      exports: toKinesis('any'),
      cause: /no credentials/,
      remedy: /token exchange|AWS_ACCESS_KEY_ID/
    }
  ]
}

/** Creates the streams of the setups, with their messages. */
export async function breakAll(client: WireClient, setups: readonly Broken[]): Promise<void> {
  for (const { name, exports, definition = {}, messages = ['message'] } of setups) {
    await createStream(client, name, { exportDefinition: exports, ...definition })
    await appendAll(client, name, messages)
  }
}
