import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { startFakeNucleus } from '../helpers/fake-nucleus.ts'
import { answering, startScriptedServer } from '../helpers/scripted-server.ts'
import { startServer, type ServerProcess } from '../helpers/server-process.ts'
import { append, createStream, describeStream, refuse, STATUS } from '../helpers/stream-calls.ts'
import { encodeFrame, OP, WireClient } from '../helpers/wire-client.ts'

/* What must never be in a log, at no level, whatever goes wrong (reliability 6.2 K1, H4, O2). */

const SECRETS = {
  clientToken: 'CLIENT+TOKEN+016',
  wrongToken: 'WRONG+TOKEN++016',
  secretKey: 'vErYsEcReTaCcEsSkEy0123456789abcdefghijk',
  sessionToken: 'sEsSiOnToKeN0123456789abcdefghijklmnopqr',
  proxyPassword: 'pRoXyPaSsWoRd0123',
  // Three times the length of what base64 shifts, so that one of its forms is in every encoding of it.
  payload: 'pAyLoAdMaRkEr0123456789'
}
const CREDENTIALS = JSON.stringify({
  AccessKeyId: 'ASIAEXAMPLE',
  SecretAccessKey: SECRETS.secretKey,
  Token: SECRETS.sessionToken,
  Expiration: '2099-01-01T00:00:00Z'
})
const PATIENCE_TURNS = 600

/** Ways in which a text may appear: as it is, in base64 at every shift, in hex, percent-encoded, and its first half. */
function formsOf(secret: string): string[] {
  const shifted = [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), Buffer.from(secret)]).toString('base64')
    // The first and last characters depend on the neighbours.
    return text.slice(4, -4)
  })
  return [secret, encodeURIComponent(secret), Buffer.from(secret).toString('hex'), secret.slice(0, 12), ...shifted]
}

function assertNothingLeaks(output: string, secrets: Readonly<Record<string, string>>): void {
  const leaks = Object.entries(secrets).filter(([, secret]) => formsOf(secret).some((form) => output.includes(form)))
  assert.deepEqual(
    leaks.map(([name]) => name),
    [],
    output
  )
}

/** The content of all files below a folder. */
function contentOf(folder: string): string {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return entries.map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'latin1')).join('\n')
}

async function connectedAs(server: ServerProcess, authToken: string): Promise<WireClient> {
  return WireClient.connect({ port: server.port, request: { authToken } })
}

/** Sends what the server refuses, each time with the payload in it. */
async function misbehave(server: ServerProcess): Promise<void> {
  const { payload } = SECRETS
  const client = await connectedAs(server, SECRETS.clientToken)
  assert.equal(client.connectResponse?.map['status'], STATUS.success)
  const bytes = Buffer.from(payload)
  await refuse(client, OP.appendMessage, { name: 'missing', payload: bytes }, STATUS.resourceNotFound, /.*/)
  await refuse(client, OP.appendMessage, { name: 's', payload }, STATUS.invalidRequest, /.*/)
  await refuse(client, OP.appendMessage, { name: 's', payload: { [payload]: payload } }, STATUS.invalidRequest, /.*/)
  const large = Buffer.alloc(2_000_000, payload)
  await refuse(client, OP.appendMessage, { name: 's', payload: large }, STATUS.invalidRequest, /.*/)
  await client.request(100, { name: 's', payload: bytes })
  client.send(Buffer.concat([encodeFrame(OP.appendMessage, { payload: bytes }), bytes]))
  await client.untilServerEnds()
  await client.close()
  for (const token of [SECRETS.wrongToken, `${SECRETS.wrongToken}\n${'x'.repeat(2_000)}`]) {
    const stranger = await connectedAs(server, token)
    assert.notEqual(stranger.connectResponse?.map['status'], STATUS.success)
    await stranger.close()
  }
}

test('no token, credential or payload is in the log, whatever fails', async (t) => {
  const nucleus = await startFakeNucleus('lite')
  nucleus.tokens.add(SECRETS.clientToken)
  const [exchange, cloud] = [await startScriptedServer(), await startScriptedServer()]
  exchange.script = [
    answering(500, {}, CREDENTIALS),
    answering(200, {}, `${CREDENTIALS}!`),
    answering(200, {}, CREDENTIALS)
  ]
  // Everything that it gets comes back, in the answer of an error.
  cloud.script = [
    ({ headers, body }, response) => {
      const echo = JSON.stringify({ __type: 'InternalFailure', headers, body: body.toString() })
      answering(
        500,
        { 'content-type': 'application/x-amz-json-1.1', 'x-echo': SECRETS.payload },
        echo
      )({ method: '', url: '', headers, body }, response)
    }
  ]
  const server = await startServer({
    environment: {
      LOG_LEVEL: 'TRACE',
      STREAM_MANAGER_AUTHENTICATE_CLIENT: 'true',
      SVCUID: nucleus.ownToken,
      AWS_CONTAINER_AUTHORIZATION_TOKEN: nucleus.ownToken,
      AWS_GG_NUCLEUS_DOMAIN_SOCKET_FILEPATH_FOR_COMPONENT: nucleus.socketPath,
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${exchange.origin}/credentials`,
      AWS_SECRET_ACCESS_KEY: SECRETS.secretKey,
      AWS_REGION: 'eu-central-1',
      AWS_ENDPOINT_URL: cloud.origin,
      HTTPS_PROXY: `http://user:${SECRETS.proxyPassword}@127.0.0.1:9`,
      NO_PROXY: '127.0.0.1'
    }
  })
  t.after(async () => {
    await server.dispose()
    await Promise.all([nucleus.dispose(), exchange.close(), cloud.close()])
  })
  const client = await connectedAs(server, SECRETS.clientToken)
  const common = { maxSize: 1_048_576 }
  await createStream(client, 's', {
    ...common,
    exportDefinition: {
      http: [{ identifier: 'h', uri: `${cloud.origin}/${SECRETS.payload}`, exportFormat: 1 }],
      kinesis: [{ identifier: 'k', kinesisStreamName: 'target' }],
      IotSitewise: [{ identifier: 'w' }]
    }
  })
  await createStream(client, 'tasks', { ...common, exportDefinition: { s3TaskExecutor: [{ identifier: 't' }] } })
  await append(client, 's', SECRETS.payload)
  const task = { inputUrl: 'file:///nowhere', bucket: 'bucket', key: 'key', userMetadata: { a: SECRETS.payload } }
  for (const payload of [SECRETS.payload, `{"inputUrl": "${SECRETS.payload}"`, JSON.stringify(task)])
    await append(client, 'tasks', payload)
  await misbehave(server)
  await Promise.all([exchange.received(3), cloud.received(2)])
  for (let turn = 0; (await describeStream(client, 'tasks')).exportStatuses[0]?.lastExportedSequenceNumber !== 2;) {
    assert.ok((turn += 1) < PATIENCE_TURNS, server.output())
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  await client.close()
  await server.kill('SIGTERM')
  const output = server.output()
  assert.match(output, /\[TRACE\]|\[DEBUG\]/, 'the level is on')
  assert.match(output, /\(export\)/, 'exports are spoken of')
  const secrets = { ...SECRETS, ownToken: nucleus.ownToken }
  assertNothingLeaks(output, secrets)
  const stored = contentOf(server.storeRoot)
  assert.ok(stored.includes(SECRETS.payload), 'the messages are stored')
  assertNothingLeaks(stored, { ...secrets, payload: secrets.ownToken })
})
