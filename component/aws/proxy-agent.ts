import { readFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import type { Duplex } from 'node:stream'
import tls from 'node:tls'
import { describeError, Fault } from '../base/fault.ts'
import type { AwsEnvironment } from './environment.ts'
import { proxyFor } from './proxy.ts'

type Connected = (error: Error | null, stream?: Duplex) => void

/** A proxy that opens no tunnel for this long is given up (behaviour 6.5). */
const TUNNEL_TIMEOUT_MS = 60_000
const HTTPS_PORT = 443

/**
 * Keeps TLS connections open like any agent, and makes them through the proxy that the environment names for a host: the
 * TLS session is with the destination, the proxy only forwards it.
 */
export class ProxyAgent extends https.Agent {
  readonly #environment: AwsEnvironment

  constructor(environment: AwsEnvironment) {
    super({ keepAlive: true })
    this.#environment = environment
  }

  override createConnection(
    options: https.RequestOptions,
    connected?: (error: Error | null, stream: Duplex) => void
  ): Duplex | null | undefined {
    const host = options.host ?? ''
    const port = Number(options.port ?? HTTPS_PORT)
    const proxy = proxyFor(this.#environment, host, port)
    if (proxy === undefined) return super.createConnection(options, connected)
    openTunnel(proxy, `${host}:${port}`, this.#environment, (error, socket) => {
      if (error !== null || socket === undefined) (connected as Connected | undefined)?.(error)
      else connected?.(null, tls.connect({ ...(options as tls.ConnectionOptions), socket, servername: host }))
    })
    return undefined
  }
}

/** Asks the proxy for a connection to `target` (RFC 9110, 9.3.6). */
function openTunnel(proxy: URL, target: string, environment: AwsEnvironment, done: Connected): void {
  let request: http.ClientRequest
  try {
    request = connectRequest(proxy, target, environment)
  } catch (error) {
    done(new Fault(`ProxyError: ${describeError(error)}`, error))
    return
  }
  const refused = (response: http.IncomingMessage): void => {
    request.destroy()
    done(new Fault(`ProxyError: the proxy refused the connection with status ${response.statusCode ?? 0}`))
  }
  request.on('timeout', () => request.destroy(new Fault('ProxyError: the proxy does not answer')))
  request.on('error', (error) =>
    done(error instanceof Fault ? error : new Fault(`ProxyError: ${describeError(error)}`, error))
  )
  request.on('response', refused)
  request.on('connect', (response, socket) => {
    if (response.statusCode === 200) done(null, socket)
    else refused(response)
  })
  request.end()
}

/** User and password come from the proxy's URL. @throws when the URL or the certificates cannot be used */
function connectRequest(proxy: URL, target: string, environment: AwsEnvironment): http.ClientRequest {
  const credentials = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`
  const authorization = `Basic ${Buffer.from(credentials).toString('base64')}`
  const options = {
    method: 'CONNECT',
    path: target,
    hostname: proxy.hostname.replace(/^\[(.*)\]$/, '$1'),
    ...(proxy.port === '' ? {} : { port: proxy.port }),
    agent: false,
    timeout: TUNNEL_TIMEOUT_MS,
    headers: { host: target, ...(proxy.username === '' ? {} : { 'proxy-authorization': authorization }) }
  }
  return proxy.protocol === 'https:' ? https.request({ ...options, ca: trustedBy(environment) }) : http.request(options)
}

/** The system's roots and those of the nucleus (behaviour 11). @throws when the file cannot be read */
function trustedBy({ GG_ROOT_CA_PATH: path }: AwsEnvironment): string[] {
  return path === undefined ? [...tls.rootCertificates] : [...tls.rootCertificates, readFileSync(path, 'utf8')]
}
