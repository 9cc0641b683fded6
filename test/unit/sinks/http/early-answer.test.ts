import assert from 'node:assert/strict'
import net, { type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { test } from 'node:test'
import { createHttpAgents } from '../../../../component/sinks/http/post.ts'
import { createHttpSink } from '../../../../component/sinks/http/sink.ts'
import { createTargetPolicy } from '../../../../component/sinks/http/target.ts'
import { httpExport } from '../../../helpers/export-harness.ts'
import { createFakeClock } from '../../../helpers/fake-clock.ts'

/** More than connection and peer hold between them. */
const BODY_BYTES = 16 * 1024 * 1024

test('the memory of a batch may be used again once there is an answer, while the rest of the body is still being sent', async (t) => {
  let received = Buffer.alloc(0)
  const server = net.createServer((socket) => {
    socket.on('error', () => undefined)
    // Answers the headers, and takes the body when everything else is over.
    socket.once('data', (first) => {
      received = first
      socket.pause()
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const agents = createHttpAgents()
  const connected = once(server, 'connection') as Promise<[net.Socket]>
  t.after(() => {
    agents.http.destroy()
    server.close()
  })
  const definition = httpExport({
    uri: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    exportFormat: 'rawNotBatched'
  })
  const sink = createHttpSink(
    { clock: createFakeClock(), agents, policy: createTargetPolicy(undefined), userAgent: 'test/1' },
    definition
  )
  const payload = Buffer.alloc(BODY_BYTES, 'x')
  const messages = [{ sequenceNumber: 1, ingestTimeMs: 2, payload }]
  const { signal } = new AbortController()
  assert.deepEqual(await sink.send({ streamName: 's', definition, messages }, signal), { kind: 'delivered' })
  payload.fill('!')
  const [socket] = await connected
  const pieces: Buffer[] = [received]
  let bytes = received.length
  socket.on('data', (piece: Buffer) => {
    pieces.push(piece)
    bytes += piece.length
    if (bytes >= BODY_BYTES) socket.destroy()
  })
  socket.resume()
  await once(socket, 'close')
  assert.equal(Buffer.concat(pieces).includes('!'), false)
})
