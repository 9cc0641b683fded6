import { createServer } from 'node:net'
import { type Appender, FRAMES, openSocket, type Peer } from './peer.ts'

/** A bare TCP echo of the same sizes: the least that any server in Node.js can cost. */

/** Sizes of our AppendMessage request with a 1 KiB payload, and of its answer. */
export const ANSWER_BYTES = 60

/** Listens on a free port; every whole request is answered with ANSWER_BYTES. */
export function serveEcho(requestBytes: number, onPort: (port: number) => void): void {
  const answer = Buffer.alloc(ANSWER_BYTES, 'a')
  const server = createServer({ noDelay: true }, (socket) => {
    let received = 0
    socket.on('error', () => socket.destroy())
    socket.on('data', (chunk) => {
      received += chunk.length
      for (; received >= requestBytes; received -= requestBytes) socket.write(answer)
    })
  })
  server.listen(0, '127.0.0.1', () => {
    const address = server.address()
    if (address !== null && typeof address === 'object') onPort(address.port)
  })
}

/** Bytes around the payload in our request. */
export const REQUEST_OVERHEAD_BYTES = 51

async function openAppender(port: number, _stream: string, payload: Buffer): Promise<Appender> {
  let received = 0
  return {
    socket: await openSocket(port),
    frames: Buffer.alloc((payload.length + REQUEST_OVERHEAD_BYTES) * FRAMES, 'r'),
    countAcknowledgements(chunk) {
      received += chunk.length
      const answers = Math.floor(received / ANSWER_BYTES)
      received -= answers * ANSWER_BYTES
      return answers
    }
  }
}

export const echo: Peer = { createStream: () => Promise.resolve(), openAppender }
