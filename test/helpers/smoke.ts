import assert from 'node:assert/strict'
import type { Device } from './device.ts'
import { OP, WireClient, type WireMap } from './wire-client.ts'

async function requestOk(client: WireClient, operation: number, map: WireMap): Promise<WireMap> {
  const answer = await client.request(operation, map)
  assert.equal(answer.map['status'], 0, JSON.stringify(answer.map))
  return answer.map
}

/** Installs, starts, appends, reads, stops; then once more, with what is stored. Returns what the server wrote. */
export async function smoke(device: Device): Promise<string> {
  const installed = await device.install()
  assert.deepEqual(installed, { code: 0, text: '' })
  let written = ''
  for (const life of [0, 1]) {
    const server = await device.start()
    const client = await WireClient.connect({ port: server.port })
    if (life === 0) await requestOk(client, OP.createMessageStream, { definition: { name: 's', strategyOnFull: 1 } })
    await requestOk(client, OP.appendMessage, { name: 's', payload: Buffer.from(`life ${life}`) })
    const { messages } = await requestOk(client, OP.readMessages, {
      streamName: 's',
      readMessagesOptions: {
        desiredStartSequenceNumber: 0,
        minMessageCount: life + 1,
        maxMessageCount: 10,
        readTimeoutMillis: 0
      }
    })
    const payloads = (messages as { payload: Uint8Array }[]).map(({ payload }) => Buffer.from(payload).toString())
    assert.deepEqual(payloads, ['life 0', 'life 1'].slice(0, life + 1))
    await client.close()
    const end = await server.stop()
    assert.equal(end.code, 0, end.text)
    written += end.text
  }
  return written
}
