import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startFakeNucleus } from '../helpers/fake-nucleus.ts'
import { answering, type ScriptedServer, startScriptedServer } from '../helpers/scripted-server.ts'
import { startServer } from '../helpers/server-process.ts'
import { append, createStream, describeStream } from '../helpers/stream-calls.ts'
import { WireClient } from '../helpers/wire-client.ts'

const TOKEN = 'OWN+TOKEN/000000'
const CREDENTIALS = {
  AccessKeyId: 'ASIAEXAMPLE',
  SecretAccessKey: 'the-secret-key',
  Token: 'the-session-token',
  Expiration: '2099-01-01T00:00:00Z'
}
const JSON_TYPE = { 'content-type': 'application/x-amz-json-1.1' }
const DENIED = answering(400, JSON_TYPE, '{"__type":"AccessDeniedException"}')
const TAKEN = answering(200, JSON_TYPE, '{"FailedRecordCount":0,"Records":[{"SequenceNumber":"1","ShardId":"shard"}]}')
const PATIENCE_TURNS = 600

/** As a nucleus sets it, with the service's own endpoint in place of that of the cloud. */
const environmentOf = (kinesis: ScriptedServer, exchange: ScriptedServer) => ({
  LOG_LEVEL: 'TRACE',
  AWS_REGION: 'eu-central-1',
  AWS_ENDPOINT_URL_KINESIS: kinesis.origin,
  AWS_CONTAINER_CREDENTIALS_FULL_URI: `${exchange.origin}/2016-11-01/credentialprovider/`,
  AWS_CONTAINER_AUTHORIZATION_TOKEN: TOKEN
})

test('an export waits for a token exchange service that is offline, and goes on by itself (greengrass 4)', async (t) => {
  const kinesis = await startScriptedServer()
  kinesis.script = [
    (request, response) =>
      (request.headers['x-amz-target'] === 'Kinesis_20131202.PutRecords' ? TAKEN : DENIED)(request, response)
  ]
  const exchange = await startScriptedServer()
  // In the order of a nucleus that starts, gets the network, and has its credentials.
  exchange.script = [answering(200, {}, 'null'), answering(404), answering(200, {}, JSON.stringify(CREDENTIALS))]
  const server = await startServer({
    environment: {
      ...environmentOf(kinesis, exchange),
      AWS_ACCESS_KEY_ID: 'stray',
      AWS_SECRET_ACCESS_KEY: 'stray'
    }
  })
  t.after(async () => {
    await server.dispose()
    await exchange.close()
    await kinesis.close()
  })
  const client = await WireClient.connect({ port: server.port })
  await createStream(client, 's', {
    exportDefinition: { kinesis: [{ identifier: 'k', kinesisStreamName: 'target' }] }
  })
  await append(client, 's', 'message')
  await server.untilOutput('the credential endpoint has no credentials now')
  for (
    let turn = 0;
    (await describeStream(client, 's')).exportStatuses[0]?.lastExportedSequenceNumber !== 0;
    turn += 1
  ) {
    assert.ok(turn < PATIENCE_TURNS, server.output())
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  await client.close()
  assert.ok(kinesis.requests.length > 0)
  for (const { headers } of kinesis.requests) {
    assert.match(headers.authorization ?? '', /Credential=ASIAEXAMPLE\//)
    assert.equal(headers['x-amz-security-token'], CREDENTIALS.Token)
  }
  for (const { url, headers } of exchange.requests)
    assert.deepEqual([url, headers.authorization], ['/2016-11-01/credentialprovider/', TOKEN])
  assert.equal(exchange.requests.length, 3)
  const output = server.output()
  assert.doesNotMatch(output, /TypeError/)
  for (const secret of [TOKEN, CREDENTIALS.SecretAccessKey, CREDENTIALS.Token]) assert.ok(!output.includes(secret))
})

test('a restart of nucleus lite, which voids the token, leaves exports their credentials (greengrass 5.4)', async (t) => {
  const renewed = 'RENEWED+TOKEN+00'
  const kinesis = await startScriptedServer()
  kinesis.script = [TAKEN]
  const exchange = await startScriptedServer()
  const nucleus = await startFakeNucleus('lite')
  exchange.script = [
    ({ headers }, response) => {
      const isKnown = headers.authorization === nucleus.ownToken
      const answer = isKnown ? answering(200, {}, JSON.stringify(CREDENTIALS)) : answering(404, {}, 'No such svcuid')
      answer({ method: 'GET', url: '', headers, body: Buffer.alloc(0) }, response)
    }
  ]
  const server = await startServer({
    environment: {
      ...environmentOf(kinesis, exchange),
      SVCUID: TOKEN,
      AWS_GG_NUCLEUS_DOMAIN_SOCKET_FILEPATH_FOR_COMPONENT: nucleus.socketPath
    }
  })
  t.after(async () => {
    await server.dispose()
    await nucleus.dispose()
    await exchange.close()
    await kinesis.close()
  })
  await nucleus.until(() => nucleus.askedCount('UpdateState') === 1)
  nucleus.ownToken = renewed
  nucleus.dropConnections()
  await server.untilOutput('The nucleus does not know this process by its token any more')
  const client = await WireClient.connect({ port: server.port })
  await createStream(client, 's', {
    exportDefinition: { kinesis: [{ identifier: 'k', kinesisStreamName: 'target' }] }
  })
  await append(client, 's', 'message')
  await Promise.race([kinesis.received(1), server.untilOutput('answered with status 404')])
  await client.close()
  assert.equal(kinesis.requests.length, 1)
  assert.deepEqual(
    exchange.requests.map(({ headers }) => headers.authorization),
    [renewed]
  )
  assert.ok(!server.output().includes(renewed))
})
