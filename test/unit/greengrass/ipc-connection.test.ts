import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { Fault } from '../../../component/base/fault.ts'
import { ConnectRefused, NucleusError, type IpcConnection } from '../../../component/greengrass/ipc.ts'
import { openSocketConnection } from '../../../component/greengrass/ipc-connection.ts'
import { nucleusFrame, takeFrames, type NucleusFrame } from '../../helpers/event-stream-frames.ts'

/* What the stand-in for the nucleus never does: single frames, also senseless ones. */

interface Peer {
  readonly socket: Socket
  /** The next frame that the connection sends. */
  next(): Promise<NucleusFrame>
}

const ACCEPTED = nucleusFrame({ ':message-type': 5, ':message-flags': 1, ':stream-id': 0 })
const REQUEST = { operation: 'UpdateState', payload: { state: 'RUNNING' } } as const
const frame = (type: number, flags: number, streamId: number, payload = ''): Buffer =>
  nucleusFrame({ ':message-type': type, ':message-flags': flags, ':stream-id': streamId }, payload)

function createPeer(socket: Socket): Peer {
  const frames: NucleusFrame[] = []
  let received: Buffer = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    const taken = takeFrames(Buffer.concat([received, chunk]), 10_000)
    received = taken.rest
    frames.push(...taken.frames)
    socket.emit('frame')
  })
  socket.on('error', () => undefined)
  return {
    socket,
    async next() {
      while (frames.length === 0) await once(socket, 'frame')
      return frames.shift()!
    }
  }
}

async function withPeer(
  run: (opening: Promise<IpcConnection>, peer: Peer, giveUp: () => void) => Promise<void>
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'ipc-'))
  const socketPath = join(folder, 'socket')
  const server = createServer().listen(socketPath)
  await once(server, 'listening')
  const accepted = once(server, 'connection') as Promise<[Socket]>
  const abort = new AbortController()
  const opening = openSocketConnection(socketPath)({ authToken: 'T' }, abort.signal)
  opening.catch(() => undefined)
  const [socket] = await accepted
  try {
    await run(opening, createPeer(socket), () => abort.abort())
  } finally {
    socket.destroy()
    server.close()
    rmSync(folder, { recursive: true })
  }
}

/** The same after the acknowledgement. */
const withOpen = (run: (connection: IpcConnection, peer: Peer) => Promise<void>): Promise<void> =>
  withPeer(async (opening, peer) => {
    await peer.next()
    peer.socket.write(ACCEPTED)
    await run(await opening, peer)
  })

it('a ping is answered with its payload', () =>
  withOpen(async (_, peer) => {
    peer.socket.write(frame(2, 0, 0, 'hello'))
    const { headers, payload } = await peer.next()
    assert.deepEqual([headers[':message-type'], payload.toString()], [3, 'hello'])
  }))

it('answers may come in any order, and late or unknown ones do no harm', () =>
  withOpen(async (connection, peer) => {
    const first = connection.request(REQUEST)
    const second = connection.request({ operation: 'ValidateAuthorizationToken', payload: { token: 'x' } })
    await peer.next()
    await peer.next()
    peer.socket.write(frame(0, 2, 2, '{"isValid":true}'))
    assert.deepEqual(await second, { isValid: true })
    for (const streamId of [2, 77, -1, 0]) peer.socket.write(frame(0, 0, streamId, '{}'))
    peer.socket.write(frame(1, 2, 77, '{"_errorCode":"ServiceError"}'))
    peer.socket.write(frame(1, 2, 1, '{"_errorCode":"ServiceError"}'))
    await assert.rejects(first, (error) => error instanceof NucleusError && error.code === 'ServiceError')
    void connection.request(REQUEST).catch(() => undefined)
    assert.equal((await peer.next()).headers[':stream-id'], 3)
  }))

it('a stream that the nucleus leaves open is ended', () =>
  withOpen(async (connection, peer) => {
    const response = connection.request(REQUEST)
    await peer.next()
    peer.socket.write(frame(0, 0, 1, '{}'))
    await response
    const { headers } = await peer.next()
    assert.deepEqual([headers[':stream-id'], headers[':message-flags']], [1, 2])
  }))

const fatal: readonly [what: string, bytes: Buffer][] = [
  ['an error of the protocol', frame(6, 0, 0)],
  ['an internal error', frame(7, 0, 0)],
  ['a second acknowledgement', ACCEPTED],
  ['an unknown message', frame(9, 0, 0)],
  ['an answer that is not JSON', frame(0, 2, 1, '{')],
  ['a frame beyond 64 KiB', frame(0, 2, 1, ' '.repeat(65_536))],
  ['a wrong checksum', Buffer.alloc(32, 1)]
]
for (const [what, bytes] of fatal) {
  it(`${what} ends the connection and fails what is in flight`, () =>
    withOpen(async (connection, peer) => {
      const request = connection.request(REQUEST)
      peer.socket.write(bytes)
      const reason = await connection.ended
      assert.ok(reason instanceof Fault)
      await assert.rejects(request, reason)
      await assert.rejects(connection.request(REQUEST), Fault)
    }))
}

it('no more than 64 requests wait for an answer', () =>
  withOpen(async (connection) => {
    const requests = Array.from({ length: 64 }, () => connection.request(REQUEST))
    const all = Promise.allSettled(requests)
    await assert.rejects(connection.request(REQUEST), /too many requests/)
    connection.close()
    assert.ok((await all).every(({ status }) => status === 'rejected'))
  }))

it('a nucleus that closes instead of an acknowledgement refuses', () =>
  withPeer(async (opening, peer) => {
    await peer.next()
    peer.socket.end()
    await assert.rejects(opening, ConnectRefused)
  }))

it('a nucleus that sends nonsense instead of an acknowledgement does not refuse', () =>
  withPeer(async (opening, peer) => {
    await peer.next()
    peer.socket.write(Buffer.alloc(32, 1))
    await assert.rejects(opening, (error) => error instanceof Fault && !(error instanceof ConnectRefused))
  }))

it('giving up closes the socket', () =>
  withPeer(async (opening, peer, giveUp) => {
    await peer.next()
    giveUp()
    await assert.rejects(opening, (error) => error instanceof Fault && !(error instanceof ConnectRefused))
    await once(peer.socket, 'close')
  }))

it('a socket that does not exist cannot be reached', async () => {
  const opening = openSocketConnection('/nowhere/ipc.socket')({ authToken: 'T' }, new AbortController().signal)
  await assert.rejects(opening, (error) => error instanceof Fault && /cannot be reached/.test(error.message))
})
