import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { startServer, type ServerProcess } from '../helpers/server-process.ts'
import { succeed } from '../helpers/stream-calls.ts'
import { OP, WireClient, type WireMap } from '../helpers/wire-client.ts'

/** A real HTTP endpoint that remembers the messages it accepted. */
class Endpoint {
  /** Payloads by sequence number. */
  readonly received = new Map<number, string>()
  duplicates = 0
  isFailing = false
  readonly #server: Server

  constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        if (!this.isFailing) this.#accept(Buffer.concat(chunks).toString())
        response.writeHead(this.isFailing ? 503 : 200).end()
      })
    })
  }

  #accept(body: string): void {
    const messages = JSON.parse(body) as { sequenceNumber: number; payload: string }[]
    for (const { sequenceNumber, payload } of messages) {
      if (this.received.has(sequenceNumber)) this.duplicates += 1
      this.received.set(sequenceNumber, Buffer.from(payload, 'base64').toString())
    }
  }

  /** @param port 0 for any */
  async listen(port = 0): Promise<number> {
    this.#server.listen(port, '127.0.0.1')
    await once(this.#server, 'listening')
    return (this.#server.address() as AddressInfo).port
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  async untilReceived(count: number): Promise<void> {
    for (let attempt = 0; this.received.size < count; attempt++) {
      assert.ok(attempt < 600, `${this.received.size} of ${count} messages arrived`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

const definitionWith = (name: string, exportDefinition: WireMap): WireMap => ({
  definition: { name, strategyOnFull: 1, exportDefinition }
})

const httpExport = (port: number, fields: WireMap = {}): WireMap => ({
  http: [{ identifier: 'out', uri: `http://127.0.0.1:${port}/messages`, exportFormat: 1, batchSize: 50, ...fields }]
})

async function appendMany(client: WireClient, name: string, from: number, count: number): Promise<void> {
  await Promise.all(
    Array.from({ length: count }, (_, index) =>
      succeed(client, OP.appendMessage, { name, payload: Buffer.from(`message ${from + index}`) })
    )
  )
}

interface ExportStatus {
  readonly lastExportedSequenceNumber: number
  readonly exportedMessagesCount: number
  readonly exportedBytesFromStream: number
  readonly errorMessage?: string
}

async function statusOf(client: WireClient, name: string): Promise<ExportStatus> {
  const { messageStreamInfo } = await succeed(client, OP.describeMessageStream, { name })
  return (messageStreamInfo as { exportStatuses: ExportStatus[] }).exportStatuses[0]!
}

async function untilStatus(
  client: WireClient,
  name: string,
  isReached: (status: ExportStatus) => boolean
): Promise<ExportStatus> {
  for (let attempt = 0; ; attempt++) {
    const status = await statusOf(client, name)
    if (isReached(status)) return status
    assert.ok(attempt < 600, JSON.stringify(status))
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

function assertComplete(endpoint: Endpoint, count: number): void {
  assert.deepEqual(
    [...endpoint.received].sort(([left], [right]) => left - right),
    Array.from({ length: count }, (_, index) => [index, `message ${index}`])
  )
}

test('messages arrive at an HTTP endpoint in batches, and describe counts them', async (t) => {
  const endpoint = new Endpoint()
  const port = await endpoint.listen()
  const server = await startServer()
  t.after(() => Promise.all([server.dispose(), endpoint.close()]))
  const client = await WireClient.connect({ port: server.port })
  await succeed(client, OP.createMessageStream, definitionWith('s', httpExport(port)))
  await appendMany(client, 's', 0, 1_000)
  await endpoint.untilReceived(1_000)
  assertComplete(endpoint, 1_000)
  assert.equal(endpoint.duplicates, 0)
  const status = await untilStatus(client, 's', ({ exportedMessagesCount }) => exportedMessagesCount === 1_000)
  assert.equal(status.lastExportedSequenceNumber, 999)
  assert.equal(status.errorMessage, undefined)
  assert.ok(status.exportedBytesFromStream > 9_000)
  await client.close()
})

test('nothing is lost when the endpoint is down at first and fails for a while', async (t) => {
  const endpoint = new Endpoint()
  const port = await endpoint.listen()
  await endpoint.close()
  const server = await startServer()
  const later = new Endpoint()
  t.after(() => Promise.all([server.dispose(), later.close()]))
  const client = await WireClient.connect({ port: server.port })
  await succeed(client, OP.createMessageStream, definitionWith('s', httpExport(port)))
  await appendMany(client, 's', 0, 100)
  await untilStatus(client, 's', ({ errorMessage }) => errorMessage?.includes('ECONNREFUSED') === true)
  later.isFailing = true
  await later.listen(port)
  await untilStatus(client, 's', ({ errorMessage }) => errorMessage?.includes('503') === true)
  later.isFailing = false
  await later.untilReceived(100)
  assertComplete(later, 100)
  await untilStatus(client, 's', ({ errorMessage }) => errorMessage === undefined)
  await client.close()
})

test('a broker that is killed during the export sends everything after its restart', async (t) => {
  const endpoint = new Endpoint()
  const port = await endpoint.listen()
  let server: ServerProcess = await startServer()
  const { storeRoot } = server
  const first = server
  t.after(() => Promise.all([server.dispose().then(() => first.dispose()), endpoint.close()]))
  let client = await WireClient.connect({ port: server.port })
  await succeed(client, OP.createMessageStream, definitionWith('s', httpExport(port, { batchSize: 5 })))
  for (let round = 0; round < 3; round++) {
    await appendMany(client, 's', round * 500, 500)
    await endpoint.untilReceived(round * 500 + 50)
    await server.kill('SIGKILL')
    server = await startServer({ storeRoot })
    client = await WireClient.connect({ port: server.port })
  }
  await endpoint.untilReceived(1_500)
  assertComplete(endpoint, 1_500)
  await untilStatus(client, 's', ({ lastExportedSequenceNumber }) => lastExportedSequenceNumber === 1_499)
  await client.close()
})

test('disabled pauses, enabling resumes, and a changed startSequenceNumber replays', async (t) => {
  const endpoint = new Endpoint()
  const port = await endpoint.listen()
  const server = await startServer()
  t.after(() => Promise.all([server.dispose(), endpoint.close()]))
  const client = await WireClient.connect({ port: server.port })
  const update = (fields: WireMap): Promise<WireMap> =>
    succeed(client, OP.updateMessageStream, definitionWith('s', httpExport(port, fields)))
  await succeed(client, OP.createMessageStream, definitionWith('s', httpExport(port)))
  await appendMany(client, 's', 0, 100)
  await endpoint.untilReceived(100)
  await untilStatus(client, 's', ({ lastExportedSequenceNumber }) => lastExportedSequenceNumber === 99)
  await update({ disabled: true })
  await appendMany(client, 's', 100, 100)
  assert.equal((await statusOf(client, 's')).lastExportedSequenceNumber, 99)
  assert.equal(endpoint.received.size, 100)
  await update({ disabled: false })
  await endpoint.untilReceived(200)
  await untilStatus(client, 's', ({ lastExportedSequenceNumber }) => lastExportedSequenceNumber === 199)
  assert.equal(endpoint.duplicates, 0)
  await update({ startSequenceNumber: 150 })
  await untilStatus(client, 's', ({ exportedMessagesCount }) => exportedMessagesCount === 250)
  assert.equal(endpoint.duplicates, 50)
  await update({ startSequenceNumber: 150 })
  await appendMany(client, 's', 200, 1)
  await endpoint.untilReceived(201)
  assert.equal(endpoint.duplicates, 50)
  await client.close()
})
