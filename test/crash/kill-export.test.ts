/** SIGKILL while messages are exported: at least once, and never a skip (reliability 1.3, CD19). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openHttpEndpoint } from '../helpers/http-endpoint.ts'
import { createSeededRandom } from '../helpers/seeded-random.ts'
import { ServerLives } from '../helpers/server-lives.ts'
import { createStream, describeStream } from '../helpers/stream-calls.ts'
import { OP, WireClient } from '../helpers/wire-client.ts'

/** STREAM_MANAGER_TEST_SEED replays a run as far as timing allows; STREAM_MANAGER_KILL_CYCLES makes it longer. */
const SEED = Number(process.env['STREAM_MANAGER_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const CYCLES = Math.ceil(Number(process.env['STREAM_MANAGER_KILL_CYCLES'] ?? 25) / 3)
const BURST = 400

/** Numbers and contents of the messages that were acknowledged. */
type Acknowledged = Map<number, string>

/** Appends a burst, sent at once; returns when all are answered or the connection has ended. */
async function appendBurst(client: WireClient, acknowledged: Acknowledged, cycle: number): Promise<void> {
  const appends = Array.from({ length: BURST }, async (_, index) => {
    const text = `${cycle}/${index}`
    const { map } = await client.request(OP.appendMessage, { name: 's', payload: Buffer.from(text) })
    assert.equal(map['status'], 0)
    acknowledged.set(map['sequenceNumber'] as number, text)
  })
  await Promise.allSettled(appends)
}

async function exportedUpTo(client: WireClient): Promise<number> {
  return (await describeStream(client, 's')).exportStatuses[0]!.lastExportedSequenceNumber
}

test('kills during an export lose nothing, reuse no number and move no saved cursor back', async (t) => {
  const random = createSeededRandom(SEED)
  // Long enough that a checkpoint falls into it: a cursor that moved too early would be saved.
  const endpoint = await openHttpEndpoint(() => (random.fraction() < 0.3 ? 700 : 0))
  const servers = new ServerLives()
  t.after(() => Promise.all([servers.dispose(), endpoint.close()]))
  let server = await servers.start()
  const acknowledged: Acknowledged = new Map()
  /** Where the cursor stood before the last orderly stop: it may never fall behind that. */
  let saved = -1
  let client = await WireClient.connect({ port: server.port })
  await createStream(client, 's', {
    streamSegmentSize: 4_096,
    flushOnWrite: random.fraction() < 0.5,
    exportDefinition: {
      http: [{ identifier: 'out', uri: `http://127.0.0.1:${endpoint.port}/`, exportFormat: 1, batchSize: 50 }]
    }
  })
  for (let cycle = 0; cycle < CYCLES; cycle++) {
    const load = appendBurst(client, acknowledged, cycle)
    await new Promise((resolve) => setTimeout(resolve, random.fraction() * 1_500))
    if (random.fraction() < 0.7) await server.kill('SIGKILL')
    else {
      await load
      saved = await exportedUpTo(client)
      client.halfClose()
      assert.deepEqual(await server.kill('SIGTERM'), { code: 0, signal: null })
    }
    await load
    server = await servers.start()
    client = await WireClient.connect({ port: server.port })
    const restarted = await exportedUpTo(client)
    assert.ok(restarted >= saved, `seed ${SEED}: the cursor fell from ${saved} to ${restarted}`)
  }
  const { newestSequenceNumber } = (await describeStream(client, 's')).storageStatus
  await endpoint.untilReceived(newestSequenceNumber + 1)
  for (const [number, text] of acknowledged) {
    assert.equal(endpoint.received.get(number), text, `seed ${SEED}: message ${number}`)
  }
  assert.equal(endpoint.received.size, newestSequenceNumber + 1)
  await client.close()
  t.diagnostic(`seed ${SEED}: ${acknowledged.size} acknowledged, ${endpoint.duplicates} sent twice`)
})
