import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { BUNDLE, startServer, type ServerProcess } from '../helpers/server-process.ts'
import { appendAll, createStream } from '../helpers/stream-calls.ts'
import { WireClient, type WireMap } from '../helpers/wire-client.ts'

/** What is wrong on a device, and whether a technician is told of cause and remedy on the first screen, wherever he looks. */

interface Broken {
  /** Name of the stream, too. */
  readonly name: string
  readonly exports: WireMap
  readonly cause: RegExp
  readonly remedy: RegExp
  readonly definition?: WireMap
  readonly messages?: readonly string[]
}

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

async function freePort(t: TestContext): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  t.diagnostic(`port ${port}`)
  return port
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

const toKinesis = (kinesisStreamName: string): WireMap => ({ kinesis: [{ identifier: 'cloud', kinesisStreamName }] })
const toHttp = (uri: string): WireMap => ({ http: [{ identifier: 'cloud', uri, exportFormat: 1 }] })

/** The answers of one server to whoever looks. */
function look(server: ServerProcess, monitorPort: number, environment: Readonly<Record<string, string>>) {
  const run = (...args: string[]): Promise<string> =>
    new Promise((resolve) => {
      const options = { env: { PATH: process.env['PATH'], ...environment }, maxBuffer: 16 * 1024 * 1024 }
      const all = [BUNDLE, ...args, '--port', String(server.port), '--status-port', String(monitorPort)]
      execFile(process.execPath, all, options, (_error, out, err) => resolve(`${out}${err}`.replaceAll(/\s+/g, ' ')))
    })
  const get = async (path: string): Promise<string> => (await fetch(`http://127.0.0.1:${monitorPort}${path}`)).text()
  return { run, get }
}

async function untilTold(get: (path: string) => Promise<string>, cause: RegExp, name: string): Promise<string> {
  for (let turn = 0; turn < 300; turn += 1) {
    const health = JSON.parse(await get('/health')) as { readonly reasons: readonly { readonly stream?: string }[] }
    const own = JSON.stringify(health.reasons.filter(({ stream }) => stream === undefined || stream === name))
    if (cause.test(own)) return own
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  return get('/health')
}

async function check(
  t: TestContext,
  environment: Readonly<Record<string, string>>,
  setups: readonly Broken[]
): Promise<void> {
  const monitorPort = await freePort(t)
  const all = { ...environment, STREAM_MANAGER_MONITOR_PORT: String(monitorPort) }
  const server = await startServer({ environment: all })
  t.after(() => server.dispose())
  const client = await WireClient.connect({ port: server.port })
  for (const { name, exports, definition = {}, messages = ['message'] } of setups) {
    await createStream(client, name, { exportDefinition: exports, ...definition })
    await appendAll(client, name, messages)
  }
  const { run, get } = look(server, monitorPort, environment)
  const health = new Map<string, string>()
  for (const { name, cause } of setups) health.set(name, await untilTold(get, cause, name))
  const [list, doctor, status] = await Promise.all([run('list'), run('doctor'), get('/status')])
  const problems: string[] = []
  for (const { name, cause, remedy } of setups) {
    const described = await run('describe', name)
    const places = { health: health.get(name) ?? '', status, list, doctor, describe: described }
    for (const [place, text] of Object.entries(places)) {
      if (!cause.test(text)) problems.push(`${place} of ${name} has no cause ${cause.source}: ${text}`)
      if (!remedy.test(text)) problems.push(`${place} of ${name} has no remedy ${remedy.source}: ${text}`)
    }
  }
  assert.equal(problems.join('\n'), '')
  await client.close()
}

const ACCESS = { AWS_REGION: 'eu-central-1', AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret' }

test('what a destination refuses is told with cause and remedy', async (t) => {
  const port = await serve(t, kinesis)
  const http = await serve(t, (request, response) => {
    const status = Number(request.url?.slice(1))
    if (status !== 0) response.writeHead(status).end()
  })
  const closed = await freePort(t)
  const small = { maxSize: 65_536, streamSegmentSize: 4_096, strategyOnFull: 1 }
  const many = Array.from({ length: 100 }, () => 'x'.repeat(1_000))
  await check(
    t,
    {
      ...ACCESS,
      AWS_ENDPOINT_URL_KINESIS: `http://127.0.0.1:${port}`,
      AWS_ENDPOINT_URL_IOTSITEWISE: `http://127.0.0.1:${port}`
    },
    [
      { name: 'denied', exports: toKinesis('denied'), cause: /may not write/, remedy: /kinesis:PutRecords/ },
      {
        name: 'missing',
        exports: toKinesis('missing'),
        cause: /does not exist/,
        remedy: /create it, or correct its name/
      },
      { name: 'skewed', exports: toKinesis('skewed'), cause: /clock of the device is wrong/, remedy: /kept by NTP/ },
      {
        name: 'expired',
        exports: toKinesis('expired'),
        cause: /credentials/,
        remedy: /set the clock.*fetched by themselves/
      },
      { name: 'trouble', exports: toKinesis('trouble'), cause: /problem of its own/, remedy: /wait/ },
      {
        name: 'unauthorized',
        exports: toHttp(`http://127.0.0.1:${http}/401`),
        cause: /does not accept who sends/,
        remedy: /accept requests of this device/
      },
      {
        name: 'failing',
        exports: toHttp(`http://127.0.0.1:${http}/500`),
        cause: /status 500/,
        remedy: /look at that server/
      },
      {
        name: 'unreachable',
        exports: toHttp(`http://127.0.0.1:${closed}/`),
        cause: /cannot be reached/,
        remedy: /firewall/
      },
      { name: 'unknown', exports: toHttp('http://no-such-host.invalid/'), cause: /cannot be resolved/, remedy: /DNS/ },
      {
        name: 'poison',
        exports: { iotSitewise: [{ identifier: 'cloud' }] },
        cause: /skipped/,
        remedy: /correct the program/i
      },
      {
        name: 'overtaken',
        exports: toHttp(`http://127.0.0.1:${closed}/`),
        definition: small,
        messages: many,
        cause: /overwrote them before they could be sent/,
        remedy: /raise maxSize/
      }
    ]
  )
})

test('credentials and a region that are missing are told with cause and remedy', async (t) => {
  await check(t, { AWS_REGION: 'eu-central-1', AWS_EC2_METADATA_DISABLED: 'true' }, [
    {
      name: 'anonymous',
      exports: toKinesis('any'),
      cause: /no credentials/,
      remedy: /token exchange|AWS_ACCESS_KEY_ID/
    }
  ])
  await check(t, { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret' }, [
    { name: 'nowhere', exports: toKinesis('any'), cause: /region/i, remedy: /AWS_REGION/ }
  ])
})

test('a region that does not exist is told with cause and remedy', async (t) => {
  await check(t, { ...ACCESS, AWS_REGION: 'eu-nowhere-1' }, [
    { name: 'astray', exports: toKinesis('any'), cause: /cannot be resolved/, remedy: /region/ }
  ])
})

test('a disk without room is told with cause and remedy', async (t) => {
  await check(t, { STREAM_MANAGER_STORE_RESERVE_BYTES: '1000000000000000' }, [
    {
      name: 'full',
      exports: {},
      messages: [],
      cause: /refused for want of space/,
      remedy: /Free space on the file system/
    }
  ])
})
