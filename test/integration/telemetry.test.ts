import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startFakeNucleus, type FakeNucleus, type NucleusFlavour } from '../helpers/fake-nucleus.ts'
import { openHttpEndpoint } from '../helpers/http-endpoint.ts'
import { startServer } from '../helpers/server-process.ts'
import { append, createStream, refuse, STATUS } from '../helpers/stream-calls.ts'
import { OP, WireClient } from '../helpers/wire-client.ts'

/* The built server tells the nucleus at its end what it has stored and exported (behaviour 12.1). */

const PAYLOADS = ['a', 'bc', 'def']

/** A server that stores and exports some messages and ends; returns what it wrote. */
async function runUnder(nucleus: FakeNucleus): Promise<string> {
  const endpoint = await openHttpEndpoint()
  const environment = {
    LOG_LEVEL: 'DEBUG',
    SVCUID: nucleus.ownToken,
    AWS_GG_NUCLEUS_DOMAIN_SOCKET_FILEPATH_FOR_COMPONENT: nucleus.socketPath
  }
  const server = await startServer({ environment })
  try {
    const client = await WireClient.connect({ port: server.port })
    const http = [{ identifier: 'h', uri: `http://127.0.0.1:${endpoint.port}/`, exportFormat: 1 }]
    await createStream(client, 'exported', { exportDefinition: { http } })
    await createStream(client, 'kept', { persistence: 1, flushOnWrite: true })
    for (const payload of PAYLOADS) await append(client, 'exported', payload)
    await append(client, 'kept', 'x'.repeat(100))
    await refuse(client, OP.appendMessage, { name: 'none', payload: Buffer.alloc(9) }, STATUS.resourceNotFound, /./)
    await endpoint.untilReceived(PAYLOADS.length)
    await client.close()
    assert.deepEqual(await server.kill(), { code: 0, signal: null })
    return server.output()
  } finally {
    await server.dispose()
    await endpoint.close()
  }
}

async function nucleusFor(
  t: { after(action: () => Promise<void>): void },
  flavour: NucleusFlavour
): Promise<FakeNucleus> {
  const nucleus = await startFakeNucleus(flavour)
  t.after(() => nucleus.dispose())
  return nucleus
}

test('the classic nucleus gets the bytes of messages that were stored and exported', async (t) => {
  const nucleus = await nucleusFor(t, 'classic')
  await runUnder(nucleus)
  assert.deepEqual([...nucleus.metrics].sort(), [
    ['BytesAppended', 106],
    ['BytesUploadedToHTTP', 6]
  ])
  assert.deepEqual(nucleus.violations, [])
})

test('nucleus lite, which keeps no metrics, is one line in the log', async (t) => {
  const nucleus = await nucleusFor(t, 'lite')
  const output = await runUnder(nucleus)
  assert.equal(nucleus.askedCount('PutComponentMetric'), 1)
  const lines = output.split('\n').filter((line) => line.includes('metrics'))
  assert.equal(lines.length, 1, output)
  assert.match(lines[0]!, /\[INFO\] \(nucleus\) The nucleus does not take metrics/)
  assert.doesNotMatch(output, /\[(WARN|ERROR)\]/)
})

test('a nucleus that is silent about the metrics does not keep the server from ending in order', async (t) => {
  const nucleus = await nucleusFor(t, 'classic')
  const server = await startServer({
    environment: {
      SVCUID: nucleus.ownToken,
      AWS_GG_NUCLEUS_DOMAIN_SOCKET_FILEPATH_FOR_COMPONENT: nucleus.socketPath
    }
  })
  t.after(() => server.dispose())
  const client = await WireClient.connect({ port: server.port })
  await createStream(client, 's')
  await append(client, 's', 'message')
  await client.close()
  nucleus.answers = false
  assert.deepEqual(await server.kill(), { code: 0, signal: null })
  assert.equal(nucleus.askedCount('PutComponentMetric'), 1)
})
