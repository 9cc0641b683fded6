import assert from 'node:assert/strict'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { PutRecordsCommand } from '@aws-sdk/client-kinesis'
import type { AwsRequestOptions } from '../../../component/aws/index.ts'
import { localKinesisClient } from '../../helpers/kinesis-fixture.ts'
import { answering, startScriptedServer } from '../../helpers/scripted-server.ts'

const TIMEOUT_MS = 200
const HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.1\r\n'

/** A server that answers every request with what `answer` does to its socket. */
async function failureAgainst(t: TestContext, answer: (socket: Socket) => void): Promise<Error> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('data', () => answer(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const client = localKinesisClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, undefined, TIMEOUT_MS)
  const command = new PutRecordsCommand({ StreamName: 's', Records: [{ Data: Buffer.from('x'), PartitionKey: 'p' }] })
  return client.send(command).then(
    () => assert.fail('the request fails'),
    (error: unknown) => error as Error
  )
}

/** Writes a text, byte by byte, for as long as the socket lives. */
function drip(socket: Socket, text: string): void {
  let offset = 0
  const timer = setInterval(() => socket.write(text[offset++ % text.length] ?? ''), 20)
  socket.on('close', () => clearInterval(timer))
}

test('a peer that says nothing is given up', async (t) => {
  assert.equal((await failureAgainst(t, () => undefined)).name, 'TimeoutError')
})

test('headers that come byte by byte for ever are given up', async (t) => {
  assert.equal(
    (await failureAgainst(t, (socket) => drip(socket, `HTTP/1.1 200 OK\r\nx-${'a'.repeat(10_000)}`))).name,
    'TimeoutError'
  )
})

test('an answer that changes to another protocol is a failure', async (t) => {
  const error = await failureAgainst(t, (socket) =>
    socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n')
  )
  assert.match(error.message, /changes the protocol/)
})

test('a body that comes byte by byte for ever is given up', async (t) => {
  const error = await failureAgainst(t, (socket) => {
    socket.write(`${HEAD}content-length: 100000\r\n\r\n`)
    drip(socket, ' ')
  })
  assert.match(error.message, /the answer takes too long/)
})

test('a body without end is cut off', async (t) => {
  const error = await failureAgainst(t, (socket) => {
    socket.write(`${HEAD}\r\n`)
    const more = (): void => {
      while (!socket.destroyed && socket.write(Buffer.alloc(65_536, ' ')));
      if (!socket.destroyed) socket.once('drain', more)
    }
    more()
  })
  assert.match(error.message, /the answer is too long/)
})

test('a large body goes out in pieces, each of which is told after its length, and arrives as it is', async (t) => {
  const server = await startScriptedServer()
  t.after(() => server.close())
  server.script = [answering(200, { 'content-type': 'application/x-amz-json-1.1' }, '{"Records":[]}')]
  const client = localKinesisClient(server.origin)
  const data = Buffer.alloc(1024 * 1024, 7)
  const command = new PutRecordsCommand({ StreamName: 's', Records: [{ Data: data, PartitionKey: 'p' }] })
  const told: (number | undefined)[] = []
  const options: AwsRequestOptions = {
    abortSignal: new AbortController().signal,
    onProgress: (bodyBytes) => told.push(bodyBytes)
  }
  await client.send(command, options)
  const { body, headers } = server.requests[0] ?? assert.fail('a request came')
  const { Records } = JSON.parse(body.toString()) as { Records: { Data: string }[] }
  assert.ok(Buffer.from(Records[0]?.Data ?? '', 'base64').equals(data))
  assert.equal(headers['content-length'], String(body.length))
  assert.equal(told[0], body.length)
  assert.ok(told.length >= 20, `${told.length - 1} pieces`)
  assert.ok(told.slice(1).every((bodyBytes) => bodyBytes === undefined))
})
