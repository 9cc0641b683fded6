import { randomUUID } from 'node:crypto'
import { createServer } from 'node:net'
import { encodeFrame, OP } from '../../helpers/wire-client.ts'
import { type Appender, openSocket, type Peer } from './peer.ts'

/** A bare TCP echo of the same sizes as our appends and their answers: the least that any server in Node.js can cost. */

const STREAM = 'bench-append'

/** Bytes around the payload in our request, for payloads of 256 bytes to 64 KiB. */
const REQUEST_OVERHEAD_BYTES =
  encodeFrame(OP.appendMessage, { requestId: randomUUID(), name: STREAM, payload: Buffer.alloc(1024) }).length - 1024
/** Of an answer with a sequence number of five digits. */
const ANSWER = encodeFrame(OP.appendMessageResponse, {
  status: 0,
  requestId: randomUUID(),
  errorMessage: '',
  sequenceNumber: 70_000
})

/** Listens on a free port; every whole request for a payload of this size is answered. */
export function serveEcho(payloadBytes: number, onPort: (port: number) => void): void {
  const requestBytes = payloadBytes + REQUEST_OVERHEAD_BYTES
  const server = createServer({ noDelay: true }, (socket) => {
    let received = 0
    socket.on('error', () => socket.destroy())
    socket.on('data', (chunk) => {
      received += chunk.length
      for (; received >= requestBytes; received -= requestBytes) socket.write(ANSWER)
    })
  })
  server.listen(0, '127.0.0.1', () => {
    const address = server.address()
    if (address !== null && typeof address === 'object') onPort(address.port)
  })
}

async function openAppender(port: number, streams: readonly string[], payload: Buffer): Promise<Appender> {
  let received = 0
  return {
    socket: await openSocket(port),
    frames: Buffer.alloc((payload.length + REQUEST_OVERHEAD_BYTES) * streams.length, 'r'),
    frameCount: streams.length,
    countAcknowledgements(chunk) {
      received += chunk.length
      const answers = Math.floor(received / ANSWER.length)
      received -= answers * ANSWER.length
      return answers
    }
  }
}

export const echo: Peer = { createStreams: () => Promise.resolve(), openAppender }
