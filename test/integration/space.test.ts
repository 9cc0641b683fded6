import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openHttpEndpoint } from '../helpers/http-endpoint.ts'
import { startServer } from '../helpers/server-process.ts'
import { append, createStream, describeStream } from '../helpers/stream-calls.ts'
import { WireClient } from '../helpers/wire-client.ts'

test('exported segments go by themselves, and the rest stays', { timeout: 60_000 }, async (t) => {
  const endpoint = await openHttpEndpoint()
  const server = await startServer({ environment: { STREAM_MANAGER_RECLAIM_EXPORTED_SEGMENTS: 'true' } })
  const client = await WireClient.connect({ port: server.port })
  t.after(async () => {
    await client.close()
    await server.dispose()
    await endpoint.close()
  })
  const uri = `http://127.0.0.1:${endpoint.port}/`
  const sizes = { maxSize: 65_536, streamSegmentSize: 1_024 }
  await createStream(client, 's', {
    ...sizes,
    exportDefinition: { http: [{ identifier: 'e', uri, exportFormat: 1 }] }
  })
  await createStream(client, 'kept', sizes)
  for (let index = 0; index < 9; index += 1) {
    await append(client, 's', Buffer.alloc(488))
    await append(client, 'kept', Buffer.alloc(488))
  }
  await endpoint.untilReceived(9)
  const oldestOf = async (name: string): Promise<number> =>
    (await describeStream(client, name)).storageStatus.oldestSequenceNumber
  // Two messages to a segment, the last one is alone in the active segment. The position moves behind the answer.
  while ((await oldestOf('s')) < 8);
  assert.equal(await oldestOf('s'), 8)
  assert.equal((await describeStream(client, 's')).exportStatuses[0]?.exportedMessagesCount, 9)
  assert.equal(await oldestOf('kept'), 0)
})
