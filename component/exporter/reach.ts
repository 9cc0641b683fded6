import http from 'node:http'
import https from 'node:https'
import net from 'node:net'
import tls from 'node:tls'
import type { AwsEnvironment } from '../aws/index.ts'
import { proxyFor } from '../aws/proxy.ts'
import { ProxyAgent } from '../aws/proxy-agent.ts'
import { trustedOptions, type Trust } from '../aws/trust.ts'
import type { Clock } from '../base/clock.ts'
import { failureText } from '../sinks/failure-text.ts'
import { hostOf, portOf, RefusedTarget, type TargetPolicy } from '../sinks/http/target.ts'

/** How far one came on the way to a host. */
export interface Reached {
  /** `<ErrorName>: <message>`; undefined when there was an answer. */
  readonly failure: string | undefined
  readonly tookMs: number
  /** How far the clock of this device is ahead of the other's, by its Date header: exact to a second. */
  readonly skewMs: number | undefined
  /** The proxy in between, without user and password. */
  readonly proxy: string | undefined
}

const HALF_A_SECOND_MS = 500

/** @param date of the answer, which tells whole seconds */
function skewOf(date: string | undefined, sentMs: number, receivedMs: number): number | undefined {
  const theirsMs = date === undefined ? NaN : Date.parse(date)
  return Number.isNaN(theirsMs) ? undefined : Math.round((sentMs + receivedMs) / 2 - (theirsMs + HALF_A_SECOND_MS))
}

class Silence extends Error {
  override readonly name = 'TimeoutError'
}

/** Asks a host for anything at all, as the AWS clients would reach it. */
export function createReach(
  clock: Clock,
  environment: AwsEnvironment,
  timeoutMs: number
): (url: URL) => Promise<Reached> {
  return (url) =>
    new Promise((resolve) => {
      const isSecure = url.protocol === 'https:'
      const via = isSecure ? proxyFor(environment, hostOf(url), portOf(url)) : undefined
      const proxy = via === undefined ? undefined : `${via.protocol}//${via.host}`
      const [sentMs, startMs] = [clock.wallMs(), clock.monotonicMs()]
      const agent = isSecure ? new ProxyAgent(environment) : new http.Agent()
      const end = (failure: string | undefined, date?: string): void => {
        timer.cancel()
        request.destroy()
        agent.destroy()
        const tookMs = clock.monotonicMs() - startMs
        resolve({ failure, tookMs, proxy, skewMs: skewOf(date, sentMs, clock.wallMs()) })
      }
      const request = (isSecure ? https : http).request(url, { method: 'HEAD', agent })
      const timer = clock.after(timeoutMs, () => end(failureText(new Silence('no answer in time'))))
      request.on('error', (error) => end(failureText(error)))
      request.on('response', ({ headers }) => end(undefined, headers.date))
      request.end()
    })
}

/** Connects, and says nothing. */
export function connectTo(
  clock: Clock,
  url: URL,
  policy: TargetPolicy,
  trust: Trust,
  timeoutMs: number
): Promise<Reached> {
  const startMs = clock.monotonicMs()
  const reached = (failure: string | undefined): Reached => ({
    failure,
    tookMs: clock.monotonicMs() - startMs,
    skewMs: undefined,
    proxy: undefined
  })
  const refusal = policy.refusal(url)
  if (refusal !== undefined) return Promise.resolve(reached(failureText(new RefusedTarget(refusal))))
  return new Promise((resolve) => {
    const [host, port] = [hostOf(url), portOf(url)]
    const options = { host, port, lookup: policy.lookupFor(port) }
    const isSecure = url.protocol === 'https:'
    const servername = net.isIP(host) === 0 ? { servername: host } : {}
    const socket = isSecure ? tls.connect(trustedOptions({ ...options, ...servername }, trust)) : net.connect(options)
    const end = (failure: string | undefined): void => {
      timer.cancel()
      socket.destroy()
      resolve(reached(failure))
    }
    const timer = clock.after(timeoutMs, () => end(failureText(new Silence('no connection in time'))))
    socket.on('error', (error) => end(failureText(error)))
    socket.on(isSecure ? 'secureConnect' : 'connect', () => end(undefined))
  })
}
