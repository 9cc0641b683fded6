import http from 'node:http'
import type { AddressInfo } from 'node:net'

export interface ReceivedRequest {
  readonly method: string
  readonly url: string
  readonly headers: http.IncomingHttpHeaders
  readonly body: Buffer
}

/** A local HTTP server that does what a test tells it, request by request. */
export interface ScriptedServer {
  readonly port: number
  readonly origin: string
  readonly requests: ReceivedRequest[]
  /** Connections accepted so far. */
  readonly connections: number
  /** Answers the next request without an answer of its own; the last one stays for all later requests. */
  script: ((request: ReceivedRequest, response: http.ServerResponse) => void)[]
  /** Resolves when the n-th request (from 1) has arrived. */
  received(count: number): Promise<void>
  close(): Promise<void>
}

export async function startScriptedServer(): Promise<ScriptedServer> {
  const waiting = new Set<() => void>()
  let connections = 0
  const requests: ReceivedRequest[] = []
  const httpServer = http.createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('error', () => undefined)
    request.on('end', () => {
      const received = {
        method: request.method ?? '',
        url: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(chunks)
      }
      requests.push(received)
      const action = server.script.length > 1 ? server.script.shift() : server.script[0]
      action?.(received, response)
      for (const check of waiting) check()
    })
  })
  httpServer.on('connection', () => (connections += 1))
  await new Promise<void>((resolve) => httpServer.listen(0, '127.0.0.1', resolve))
  const { port } = httpServer.address() as AddressInfo
  const server: ScriptedServer = {
    port,
    origin: `http://127.0.0.1:${port}`,
    requests,
    get connections() {
      return connections
    },
    script: [(_request, response) => void response.end()],
    received: (count) =>
      new Promise((resolve) => {
        const check = (): void => {
          if (requests.length < count) return
          waiting.delete(check)
          resolve()
        }
        waiting.add(check)
        check()
      }),
    close: () =>
      new Promise((resolve) => {
        httpServer.close(() => resolve())
        httpServer.closeAllConnections()
      })
  }
  return server
}

/** Answers with a status, and headers if given. */
export function answering(
  status: number,
  headers: http.OutgoingHttpHeaders = {},
  body = ''
): (request: ReceivedRequest, response: http.ServerResponse) => void {
  return (_request, response) => void response.writeHead(status, headers).end(body)
}
