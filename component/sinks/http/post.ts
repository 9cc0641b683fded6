import http from 'node:http'
import https from 'node:https'
import { createTrust, TrustingAgent, type Trust } from '../../aws/trust.ts'
import type { Clock } from '../../base/clock.ts'
import type { OnProgress } from '../../export/sink.ts'
import type { HttpExportRequest } from './request.ts'
import { hostOf, portOf, type TargetPolicy } from './target.ts'

/** What matters of an answer. */
export interface HttpAnswer {
  readonly status: number
  readonly location: string | undefined
  readonly retryAfter: string | undefined
  /** When it was made, by the server's clock. */
  readonly date: string | undefined
}

/** A connection that makes no progress for this long is given up (behaviour 6.5). */
const STALL_MS = 60_000
/** The body is written in pieces of this size, each of which counts as progress. */
const PIECE_BYTES = 64 * 1024
/** Of an answer's body, which nobody needs, no more than this is read (reliability 5.4 CD18). */
const ANSWER_BYTES_MAX = 1024 * 1024

/**
 * A peer that takes the body, or gives its answer, byte by byte makes progress for ever: everything has to be over a
 * time-out after the body could have been sent at this rate, which the slowest line has.
 */
const UPLOAD_BYTES_PER_MS_MIN = 1

/** The longest time that a request with such a body, and all that it is redirected to, may take, in milliseconds. */
export function requestMsMax(bodyBytes: number): number {
  return STALL_MS + Math.ceil(bodyBytes / UPLOAD_BYTES_PER_MS_MIN)
}

/** Keeps connections open between requests. One for all HTTP exports. */
export interface HttpAgents {
  readonly http: http.Agent
  readonly https: https.Agent
}

/** @param trust whose certificates servers may show */
export function createHttpAgents(trust: Trust = createTrust(undefined)): HttpAgents {
  const options = { keepAlive: true, maxFreeSockets: 4, timeout: STALL_MS }
  return { http: new http.Agent(options), https: new TrustingAgent(trust, options) }
}

/** The request did not get an answer in time. */
export class TimeoutError extends Error {
  override readonly name = 'TimeoutError'
}

export interface PostContext {
  readonly agents: HttpAgents
  readonly policy: TargetPolicy
  readonly clock: Clock
  /** When the request has to be over at the latest, on the monotonic clock. */
  readonly endMs: number
  /** Called whenever the connection has taken a piece of the body. */
  readonly onProgress: OnProgress | undefined
}

/**
 * Sends one POST and waits for the answer's status; its body is read to the end, or up to a limit of bytes and time, only
 * to keep the connection usable: a body that is cut, too long or too slow changes nothing about a status that was given
 * (behaviour 7 asks for no more than a 2xx). Redirects are not followed.
 * @throws the error of the connection, RefusedTarget, TimeoutError, or the reason of `signal`
 */
export function post(
  url: URL,
  { headers, body }: HttpExportRequest,
  context: PostContext,
  signal: AbortSignal
): Promise<HttpAnswer> {
  const secure = url.protocol === 'https:'
  const attempt = (): Promise<HttpAnswer> =>
    new Promise((resolve, reject) => {
      const request = (secure ? https : http).request(url, {
        method: 'POST',
        host: hostOf(url),
        agent: secure ? context.agents.https : context.agents.http,
        headers: { ...headers, 'content-length': String(body.length) },
        lookup: context.policy.lookupFor(portOf(url)),
        signal
      })
      const { clock, endMs } = context
      const stall = createStallTimer(clock, () => request.destroy(new TimeoutError('no progress for 60 s')))
      const end = clock.after(endMs - clock.monotonicMs(), () => request.destroy(new TimeoutError('no answer in time')))
      request.on('close', () => {
        stall.cancel()
        end.cancel()
      })
      let answer: HttpAnswer | undefined
      const progressed = (): void => {
        // Time and bytes of the answer's body are bounded together: progress does not count any more.
        if (answer !== undefined) return
        stall.restart()
        context.onProgress?.()
      }
      request.on('error', (error) => {
        // Once the status has been given it counts, whatever becomes of the body.
        if (answer === undefined) reject(Object.assign(error, { reused: request.reusedSocket }))
        else resolve(answer)
      })
      request.on('socket', (socket) => {
        if (!request.reusedSocket) socket.once(secure ? 'secureConnect' : 'connect', progressed)
      })
      // Without a listener the request would end with neither an answer nor an error.
      request.on('upgrade', ({ statusCode = 0 }, socket) => {
        socket.destroy()
        resolve({ status: statusCode, location: undefined, retryAfter: undefined, date: undefined })
      })
      request.on('response', (response) => {
        const given = {
          status: response.statusCode ?? 0,
          location: response.headers.location,
          retryAfter: response.headers['retry-after'],
          date: response.headers.date
        }
        answer = given
        let bytes = 0
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length
          if (bytes > ANSWER_BYTES_MAX) request.destroy()
        })
        response.on('error', () => resolve(given))
        response.on('close', () => resolve(given))
      })
      context.onProgress?.(body.length)
      writeInPieces(request, body, progressed)
    })
  return attempt().catch((error: unknown) => {
    // The server had closed the idle connection just when it was used again: not a failure of the destination.
    if (isStaleConnection(error) && !signal.aborted) return attempt()
    throw error
  })
}

function isStaleConnection(error: unknown): boolean {
  return (
    error instanceof Error &&
    'reused' in error &&
    error.reused === true &&
    'code' in error &&
    error.code === 'ECONNRESET'
  )
}

function createStallTimer(clock: Clock, onStall: () => void): { restart(): void; cancel(): void } {
  let timer = clock.after(STALL_MS, onStall)
  let ended = false
  return {
    restart() {
      timer.cancel()
      if (!ended) timer = clock.after(STALL_MS, onStall)
    },
    cancel() {
      ended = true
      timer.cancel()
    }
  }
}

/** Writes the body piece by piece, so that a slow line is told from a dead one. */
function writeInPieces(request: http.ClientRequest, body: Buffer, onProgress: () => void): void {
  let offset = 0
  const next = (): void => {
    onProgress()
    if (request.destroyed) return
    const piece = body.subarray(offset, offset + PIECE_BYTES)
    offset += piece.length
    if (offset >= body.length) request.end(piece, onProgress)
    else request.write(piece, next)
  }
  next()
}
