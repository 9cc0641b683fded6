import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/** Ways in which whatever listens at an address may not be the service. */
export type Lie = 'hang' | 'reset' | 'drip' | 'garbage' | 'hugeBody' | 'portal' | 'cut' | 'emptySuccess'

const HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.1\r\n'
const PORTAL = '<html><body>Please log in to the hotel network</body></html>'

const answers: Record<Lie, (socket: Socket) => void> = {
  hang: () => undefined,
  reset: (socket) => socket.resetAndDestroy(),
  drip: (socket) => drip(socket, `HTTP/1.1 200 OK\r\nx-slow: ${'a'.repeat(10_000)}`),
  garbage: (socket) => void socket.end(Buffer.from([0, 1, 2, 255, 10, 13, 13, 10, 0])),
  hugeBody: (socket) => {
    socket.write(`${HEAD}connection: close\r\n\r\n`)
    pour(socket)
  },
  portal: (socket) =>
    void socket.end(`HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: ${PORTAL.length}\r\n\r\n${PORTAL}`),
  cut: (socket) => void socket.end(`${HEAD}content-length: 500\r\n\r\n{"Records":[`),
  emptySuccess: (socket) => void socket.write(`${HEAD}content-length: 0\r\n\r\n`)
}

function drip(socket: Socket, text: string): void {
  let offset = 0
  const timer = setInterval(() => socket.write(text[offset++ % text.length] ?? ''), 50)
  socket.on('close', () => clearInterval(timer))
}

function pour(socket: Socket): void {
  const chunk = Buffer.alloc(65_536, '[')
  const more = (): void => {
    while (!socket.destroyed && socket.write(chunk));
    if (!socket.destroyed) socket.once('drain', more)
  }
  more()
}

/** A TCP server that lies about everything it is sent. */
export interface LyingEndpoint {
  readonly origin: string
  /** Times that something was sent to it on a connection. */
  readonly heard: number
  close(): Promise<void>
}

export async function openLyingEndpoint(lie: Lie): Promise<LyingEndpoint> {
  const sockets = new Set<Socket>()
  let heard = 0
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
    let isAnswered = false
    socket.on('data', () => {
      heard += 1
      // A connection that is kept gets an answer for each of its requests, others one at all.
      if (isAnswered && lie !== 'portal' && lie !== 'emptySuccess') return
      isAnswered = true
      answers[lie](socket)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get heard() {
      return heard
    },
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resolve())
      })
  }
}
