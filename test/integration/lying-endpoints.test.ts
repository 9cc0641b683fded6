import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openHttpEndpoint } from '../helpers/http-endpoint.ts'
import { openLyingEndpoint, type Lie } from '../helpers/lying-endpoint.ts'
import { startServer } from '../helpers/server-process.ts'
import { OP, WireClient, type WireMap } from '../helpers/wire-client.ts'

/* What listens where a service should be may do anything: nothing of it counts as success, and nobody else notices. */

const MESSAGES = 200

/** Lies that are told at once show in errorMessage; the others keep a request waiting for a minute. */
const LIES: readonly { readonly lie: Lie; readonly isQuick: boolean; readonly fools?: readonly string[] }[] = [
  { lie: 'hang', isQuick: false },
  { lie: 'reset', isQuick: true },
  { lie: 'drip', isQuick: false },
  { lie: 'garbage', isQuick: true },
  // A plain HTTP export promises no more than that the status says success (behaviour 7).
  { lie: 'hugeBody', isQuick: true, fools: ['web'] },
  { lie: 'portal', isQuick: true, fools: ['web'] },
  { lie: 'cut', isQuick: true, fools: ['web'] },
  { lie: 'emptySuccess', isQuick: true, fools: ['web'] }
]

interface Status {
  readonly exportConfigIdentifier: string
  readonly lastExportedSequenceNumber: number
  readonly exportedMessagesCount: number
  readonly errorMessage?: string
}

async function ok(answer: Promise<{ map: WireMap }>): Promise<WireMap> {
  const { map } = await answer
  assert.equal(map['status'], 0, String(map['errorMessage']))
  return map
}

async function statusesOf(client: WireClient, name: string): Promise<readonly Status[]> {
  const { messageStreamInfo } = await ok(client.request(OP.describeMessageStream, { name }))
  return (messageStreamInfo as { exportStatuses: readonly Status[] }).exportStatuses
}

/** Asks until all of it is true. */
async function untilStatuses(client: WireClient, name: string, isReached: (each: Status) => boolean): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    const statuses = await statusesOf(client, name)
    if (statuses.every(isReached)) return
    assert.ok(attempt < 400, JSON.stringify(statuses))
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

function entry(value: number): Buffer {
  const timestamp = { timeInSeconds: Math.floor(Date.now() / 1000) }
  const propertyValues = [{ value: { integerValue: value }, timestamp }]
  return Buffer.from(JSON.stringify({ entryId: 'e', propertyAlias: `/${value}`, propertyValues }))
}

for (const { lie, isQuick, fools = [] } of LIES) {
  test(`an endpoint that lies (${lie}) gets nothing accepted and holds nobody up`, async (t) => {
    const liar = await openLyingEndpoint(lie)
    const honest = await openHttpEndpoint()
    const server = await startServer({
      environment: {
        AWS_REGION: 'eu-central-1',
        AWS_ACCESS_KEY_ID: 'id',
        AWS_SECRET_ACCESS_KEY: 'secret',
        AWS_ENDPOINT_URL: liar.origin
      }
    })
    t.after(() => Promise.all([server.dispose(), liar.close(), honest.close()]))
    const client = await WireClient.connect({ port: server.port })
    const create = (name: string, exportDefinition: WireMap): Promise<WireMap> =>
      ok(client.request(OP.createMessageStream, { definition: { name, strategyOnFull: 1, exportDefinition } }))
    await create('lied', {
      kinesis: [{ identifier: 'stream', kinesisStreamName: 'target' }],
      IotSitewise: [{ identifier: 'site' }],
      iotAnalytics: [{ identifier: 'channel', iotChannel: 'c' }],
      http: [{ identifier: 'web', uri: `${liar.origin}/`, exportFormat: 1 }]
    })
    await create('fine', { http: [{ identifier: 'out', uri: `http://127.0.0.1:${honest.port}/`, exportFormat: 1 }] })

    const append = (name: string, payload: Buffer): Promise<WireMap> =>
      ok(client.request(OP.appendMessage, { name, payload }))
    for (let index = 0; index < MESSAGES; index += 1) {
      await Promise.all([append('lied', entry(index)), append('fine', entry(index))])
    }
    await honest.untilReceived(MESSAGES)
    await untilStatuses(client, 'fine', ({ lastExportedSequenceNumber }) => lastExportedSequenceNumber === MESSAGES - 1)

    const isFooled = ({ exportConfigIdentifier }: Status): boolean => fools.includes(exportConfigIdentifier)
    if (isQuick) await untilStatuses(client, 'lied', (each) => isFooled(each) || each.errorMessage !== undefined)
    const statuses = await statusesOf(client, 'lied')
    assert.equal(statuses.length, 4)
    for (const status of statuses) {
      if (isFooled(status)) continue
      assert.equal(status.lastExportedSequenceNumber, -1, JSON.stringify(status))
      assert.equal(status.exportedMessagesCount, 0, JSON.stringify(status))
      assert.ok((status.errorMessage ?? '').length <= 400)
    }
    assert.ok(liar.heard > 0)
    await append('lied', entry(MESSAGES))
    // The end does not wait for the lies either.
    const { code } = await server.kill('SIGTERM')
    assert.equal(code, 0)
    await client.close()
  })
}

test('destinations that hang, more of them than there are slots and waiting places, hold healthy exports up once', async (t) => {
  const liar = await openLyingEndpoint('hang')
  const honest = await openHttpEndpoint()
  const server = await startServer({ environment: { STREAM_MANAGER_EXPORTER_THREAD_POOL_SIZE: '1' } })
  t.after(() => Promise.all([server.dispose(), liar.close(), honest.close()]))
  const client = await WireClient.connect({ port: server.port })
  const create = (name: string, http: readonly WireMap[]): Promise<WireMap> =>
    ok(client.request(OP.createMessageStream, { definition: { name, strategyOnFull: 1, exportDefinition: { http } } }))
  const append = (name: string): Promise<WireMap> =>
    ok(client.request(OP.appendMessage, { name, payload: Buffer.from('x') }))
  await create(
    'hung',
    ['a', 'b', 'c'].map((identifier) => ({ identifier, uri: `${liar.origin}/`, exportFormat: 1 }))
  )
  await append('hung')
  await create('fine', [{ identifier: 'out', uri: `http://127.0.0.1:${honest.port}/`, exportFormat: 1 }])
  await append('fine')
  // Each hanging one has the slot for five seconds at most; without that it would take three minutes.
  await honest.untilReceived(1)
  for (let count = 2; count <= 5; count += 1) {
    await append('fine')
    await honest.untilReceived(count)
  }
  assert.ok(liar.heard >= 3)
  await client.close()
})
