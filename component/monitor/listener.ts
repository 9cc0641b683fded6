import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { describeError, Fault } from '../base/fault.ts'
import type { Logger } from '../base/log.ts'
import type { StatusReport } from './report.ts'
import { NOT_FOUND, ROUTES, type Answer, type Route } from './routes.ts'

/*
 * The HTTP side of the monitor. It reads and never changes anything, and only this machine reaches it: the address is the
 * loopback one, and the names that requests and pages give for it must be loopback names, or a page from elsewhere could
 * read it by having its own name resolve to 127.0.0.1 (reliability 6.2 N5).
 */

export interface MonitorListener {
  readonly port: number
  stop(): Promise<void>
}

const ADDRESS = '127.0.0.1'
/** Connections at a time: scrapers and a page, not clients. */
export const MONITOR_CONNECTIONS_MAX = 32
/** Bytes of a request's line and headers. */
export const MONITOR_HEADER_BYTES_MAX = 8_192
/** Time for a request to arrive, and for an answer to make progress. */
export const MONITOR_TIMEOUT_MS = 10_000
const KEEP_ALIVE_MS = 5_000
const REQUESTS_PER_CONNECTION_MAX = 1_000
const LOOPBACK_NAMES = new Set(['localhost', '127.0.0.1', '[::1]'])

const refusal = (status: number, error: string): Answer => ({
  status,
  contentType: 'application/json; charset=utf-8',
  body: `${JSON.stringify({ error })}\n`
})

/** Whether a Host header, or the end of an Origin, names this machine. */
export function isLoopbackHost(host: string | undefined): boolean {
  const name = /^(\[[0-9a-f:]+\]|[a-z0-9.-]+)(?::\d{1,5})?$/i.exec(host ?? '')?.[1]
  return name !== undefined && LOOPBACK_NAMES.has(name.toLowerCase())
}

function isLoopbackOrigin(origin: string | undefined): boolean {
  return origin === undefined || (origin.startsWith('http://') && isLoopbackHost(origin.slice('http://'.length)))
}

async function answerTo(
  request: IncomingMessage,
  report: () => Promise<StatusReport>,
  routes: Readonly<Record<string, Route>>
): Promise<Answer> {
  const { method, headers, url = '/' } = request
  if (!isLoopbackHost(headers.host)) return refusal(403, 'the Host header must be localhost, 127.0.0.1 or [::1]')
  if (!isLoopbackOrigin(headers.origin)) return refusal(403, 'pages from elsewhere are not served')
  if (method !== 'GET' && method !== 'HEAD') return refusal(405, 'only GET and HEAD are allowed')
  const [path = '', query = ''] = url.split('?', 2)
  const route = Object.hasOwn(routes, path) ? routes[path] : undefined
  if (route === undefined) return NOT_FOUND
  const fetchSite = headers['sec-fetch-site']
  const asked = { accept: headers.accept, query: new URLSearchParams(query), fetchSite: fetchSite?.toString() }
  return route(asked, report)
}

function write(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  const { status, contentType } = answer
  const body = typeof answer.body === 'string' ? [Buffer.from(answer.body)] : answer.body
  response.writeHead(status, {
    'Content-Type': contentType,
    'Content-Length': body.reduce((bytes, slice) => bytes + slice.length, 0),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    ...answer.headers,
    ...(status === 405 ? { Allow: 'GET, HEAD' } : {}),
    // The body of a request that is not read must not be taken for the next request.
    ...(status >= 400 && status !== 503 ? { Connection: 'close' } : {})
  })
  if (request.method !== 'HEAD') for (const slice of body) response.write(slice)
  response.end()
}

/**
 * @param furtherRoutes beside those of `ROUTES`, or in their place
 * @throws Fault when the port cannot be bound
 */
export async function listenForMonitoring(
  port: number,
  report: () => Promise<StatusReport>,
  logger: Logger,
  furtherRoutes: Readonly<Record<string, Route>> = {}
): Promise<MonitorListener> {
  const routes = { ...ROUTES, ...furtherRoutes }
  const server = createServer({
    maxHeaderSize: MONITOR_HEADER_BYTES_MAX,
    headersTimeout: MONITOR_TIMEOUT_MS,
    requestTimeout: MONITOR_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: 1_000
  })
  server.maxConnections = MONITOR_CONNECTIONS_MAX
  server.maxRequestsPerSocket = REQUESTS_PER_CONNECTION_MAX
  server.timeout = MONITOR_TIMEOUT_MS
  server.on('request', (request, response) => {
    response.on('error', () => undefined)
    void answerTo(request, report, routes).then((answer) => write(request, response, answer))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(new Fault(`the port ${port} of ${ADDRESS} cannot be opened`, error)))
    server.listen({ host: ADDRESS, port }, resolve)
  })
  server.removeAllListeners('error')
  server.on('error', (error) =>
    logger.warn('A request for metrics could not be taken', { error: describeError(error) })
  )
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
  }
}
