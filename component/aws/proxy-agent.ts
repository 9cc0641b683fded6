import http from 'node:http'
import https from 'node:https'
import { isIPv6 } from 'node:net'
import type { Duplex } from 'node:stream'
import tls from 'node:tls'
import { systemClock, type Clock } from '../base/clock.ts'
import { describeError, Fault } from '../base/fault.ts'
import type { AwsEnvironment } from './environment.ts'
import { proxyFor } from './proxy.ts'
import { createTrust, trustedOptions, TrustingAgent, type Trust } from './trust.ts'

type Connected = (error: Error | null, stream?: Duplex) => void

/**
 * What connecting may take (behaviour 6.5): for a proxy until it has opened a tunnel, for a destination until TLS is agreed
 * on. It ends also for one that says something now and then.
 */
const CONNECT_TIMEOUT_MS = 60_000
const HTTPS_PORT = 443

/**
 * Keeps TLS connections open like any agent, and makes them through the proxy that the environment names for a host: the
 * TLS session is with the destination, the proxy only forwards it.
 */
export class ProxyAgent extends TrustingAgent {
  readonly #environment: AwsEnvironment
  readonly #tunnel: TunnelContext

  constructor(environment: AwsEnvironment, clock = systemClock) {
    const trust = createTrust(environment.GG_ROOT_CA_PATH)
    super(trust, { keepAlive: true })
    this.#environment = environment
    this.#tunnel = { trust, clock }
  }

  override createConnection(
    options: https.RequestOptions,
    connected?: (error: Error | null, stream: Duplex) => void
  ): Duplex | null | undefined {
    const host = options.host ?? ''
    const port = Number(options.port ?? HTTPS_PORT)
    const { trust, clock } = this.#tunnel
    const proxy = proxyFor(this.#environment, host, port)
    if (proxy === undefined) {
      const direct = super.createConnection(options, connected)
      if (direct) boundHandshake(direct, clock)
      return direct
    }
    const target = `${isIPv6(host) ? `[${host}]` : host}:${port}`
    openTunnel(proxy, target, this.#tunnel, (error, socket) => {
      if (error !== null || socket === undefined) {
        ;(connected as Connected | undefined)?.(error)
        return
      }
      const trusted = trustedOptions(options as tls.ConnectionOptions, trust)
      const secured = tls.connect({ ...trusted, socket })
      boundHandshake(secured, clock)
      connected?.(null, secured)
    })
    return undefined
  }
}

/** Has a TLS socket fail that is not connected in time; from then on the request has a deadline. */
function boundHandshake(socket: Duplex, clock: Clock): void {
  const timer = clock.after(CONNECT_TIMEOUT_MS, () =>
    socket.destroy(new Fault('TimeoutError: no TLS handshake in time'))
  )
  for (const event of ['secureConnect', 'close']) socket.once(event, () => timer.cancel())
}

interface TunnelContext {
  readonly trust: Trust
  readonly clock: Clock
}

/** Asks the proxy for a connection to `target` (RFC 9110, 9.3.6). */
function openTunnel(proxy: URL, target: string, { trust, clock }: TunnelContext, done: Connected): void {
  let request: http.ClientRequest
  try {
    request = connectRequest(proxy, target, trust)
  } catch (error) {
    done(new Fault(`ProxyError: ${describeError(error)}`, error))
    return
  }
  const timer = clock.after(CONNECT_TIMEOUT_MS, () =>
    request.destroy(new Fault('ProxyError: the proxy does not answer'))
  )
  request.on('close', () => timer.cancel())
  request.on('error', (error) =>
    done(error instanceof Fault ? error : new Fault(`ProxyError: ${describeError(error)}`, error))
  )
  request.on('connect', ({ statusCode: status = 0 }, socket) => {
    timer.cancel()
    if (status >= 200 && status < 300) {
      done(null, socket)
      return
    }
    // The request has let go of its connection, whatever the answer was.
    socket.destroy()
    const name = http.STATUS_CODES[status]
    const text = name === undefined ? String(status) : `${status} ${name}`
    done(new Fault(`ProxyError: the proxy refused the connection with status ${text}`))
  })
  request.end()
}

/** User and password come from the proxy's URL. @throws when the URL or the certificates cannot be used */
function connectRequest(proxy: URL, target: string, trust: Trust): http.ClientRequest {
  const credentials = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`
  const authorization = `Basic ${Buffer.from(credentials).toString('base64')}`
  const options = {
    method: 'CONNECT',
    path: target,
    hostname: proxy.hostname.replace(/^\[(.*)\]$/, '$1'),
    ...(proxy.port === '' ? {} : { port: proxy.port }),
    agent: false,
    headers: { host: target, ...(proxy.username === '' ? {} : { 'proxy-authorization': authorization }) }
  }
  if (proxy.protocol !== 'https:') return http.request(options)
  const secureContext = trust()
  return https.request({ ...options, ...(secureContext === undefined ? {} : { secureContext }) })
}
