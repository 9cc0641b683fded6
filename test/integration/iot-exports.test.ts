import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startServer } from '../helpers/server-process.ts'
import { startStrictIotAnalytics } from '../helpers/strict-iot-analytics.ts'
import { startStrictSiteWise } from '../helpers/strict-sitewise.ts'
import { OP, WireClient, type WireMap } from '../helpers/wire-client.ts'

const CREDENTIALS = { AWS_REGION: 'eu-central-1', AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret' }

interface Status {
  readonly lastExportedSequenceNumber: number
  readonly exportedMessagesCount: number
  readonly errorMessage?: string
}

async function ok(answer: Promise<{ map: WireMap }>): Promise<WireMap> {
  const { map } = await answer
  assert.equal(map['status'], 0, String(map['errorMessage']))
  return map
}

async function create(client: WireClient, name: string, exportDefinition: WireMap): Promise<void> {
  await ok(client.request(OP.createMessageStream, { definition: { name, strategyOnFull: 1, exportDefinition } }))
}

async function append(client: WireClient, name: string, payloads: readonly (string | Buffer)[]): Promise<void> {
  await Promise.all(
    payloads.map((payload) => ok(client.request(OP.appendMessage, { name, payload: Buffer.from(payload) })))
  )
}

async function statusOf(client: WireClient, name: string): Promise<Status> {
  const { messageStreamInfo } = await ok(client.request(OP.describeMessageStream, { name }))
  const [status] = (messageStreamInfo as { exportStatuses: Status[] }).exportStatuses
  assert.ok(status !== undefined)
  return status
}

async function untilExported(client: WireClient, name: string, last: number): Promise<Status> {
  for (let attempt = 0; ; attempt += 1) {
    const status = await statusOf(client, name)
    if (status.lastExportedSequenceNumber === last) return status
    assert.ok(attempt < 400, JSON.stringify(status))
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

test('the built server exports to IoT SiteWise: repeated points in order, bad messages skipped', async (t) => {
  const cloud = await startStrictSiteWise()
  cloud.gate.isAllowed = (path) => path.endsWith('.note')
  const server = await startServer({
    environment: { ...CREDENTIALS, AWS_ENDPOINT_URL_IOTSITEWISE: cloud.server.origin }
  })
  t.after(() => Promise.all([server.dispose(), cloud.server.close()]))
  const client = await WireClient.connect({ port: server.port })
  await create(client, 's', { IotSitewise: [{ identifier: 'w' }] })
  const timeInSeconds = Math.floor(Date.now() / 1000)
  const entry = (alias: string, value: number, seconds = timeInSeconds): string =>
    JSON.stringify({
      entryId: 'same',
      propertyAlias: alias,
      propertyValues: [{ value: { integerValue: value }, timestamp: { timeInSeconds: seconds }, note: 'unknown' }]
    })
  const values = Array.from({ length: 11 }, (_, value) => entry('/a', value))
  const mixed = [entry('/b', 1), 'no entry', entry('/c', 1, timeInSeconds - 8 * 86_400), entry('/d', 1)]
  for (const payload of [...values, ...mixed]) await append(client, 's', [payload])
  const status = await untilExported(client, 's', 14)
  assert.equal(status.exportedMessagesCount, 15)
  assert.deepEqual(cloud.violations, [])
  assert.equal(cloud.kept.get(`/a@${timeInSeconds}.0`), '{"integerValue":10}')
  assert.equal(cloud.kept.size, 3)
  assert.match(JSON.stringify(cloud.entries), /"note":"unknown"/)
  await client.close()
})

test('the built server exports to an endpoint that stands in for IoT Analytics', async (t) => {
  const cloud = await startStrictIotAnalytics()
  const server = await startServer({
    environment: { ...CREDENTIALS, AWS_ENDPOINT_URL_IOTANALYTICS: cloud.server.origin }
  })
  t.after(() => Promise.all([server.dispose(), cloud.server.close()]))
  const client = await WireClient.connect({ port: server.port })
  await create(client, 's', { iotAnalytics: [{ identifier: 'i', iotChannel: 'c', iotMsgIdPrefix: 'p-' }] })
  await append(client, 's', [Buffer.from([0, 255]), 'two'])
  await untilExported(client, 's', 1)
  assert.deepEqual(cloud.kept, [Buffer.from([0, 255]), Buffer.from('two')])
  assert.deepEqual(cloud.violations, [])
  await client.close()
})

test('without such an endpoint the export waits and explains itself', async (t) => {
  const server = await startServer({ environment: CREDENTIALS })
  t.after(() => server.dispose())
  const client = await WireClient.connect({ port: server.port })
  for (const name of ['one', 'two']) {
    await create(client, name, { iotAnalytics: [{ identifier: 'i', iotChannel: 'c' }] })
    await append(client, name, ['x'])
  }
  const status = await statusOf(client, 'two')
  assert.match(status.errorMessage ?? '', /^ServiceDiscontinued: /)
  assert.equal(status.lastExportedSequenceNumber, -1)
  assert.equal(server.output().match(/\[WARN\] \(export\)/g)?.length, 1)
  await client.close()
})
