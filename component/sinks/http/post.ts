import http from 'node:http'
import https from 'node:https'
import type { Clock } from '../../base/clock.ts'
import type { HttpExportRequest } from './request.ts'
import { hostOf, portOf, type TargetPolicy } from './target.ts'

/** What matters of an answer. */
export interface HttpAnswer {
  readonly status: number
  readonly location: string | undefined
  readonly retryAfter: string | undefined
}

/** A connection that makes no progress for this long is given up (behaviour 6.5). */
const STALL_MS = 60_000
/** The body is written in pieces of this size, each of which counts as progress. */
const PIECE_BYTES = 64 * 1024
/** Of an answer's body, which nobody needs, no more than this is read (reliability 5.4 CD18). */
const ANSWER_BYTES_MAX = 1024 * 1024

/** Keeps connections open between requests. One for all HTTP exports. */
export interface HttpAgents {
  readonly http: http.Agent
  readonly https: https.Agent
}

export function createHttpAgents(): HttpAgents {
  const options = { keepAlive: true, maxFreeSockets: 4, timeout: STALL_MS }
  return { http: new http.Agent(options), https: new https.Agent(options) }
}

/** The request did not get an answer in time. */
export class TimeoutError extends Error {
  override readonly name = 'TimeoutError'
}

/**
 * Sends one POST and waits for the answer's status; its body is read to the end, or up to a limit of bytes and time, only
 * to keep the connection usable. Redirects are not followed.
 * @throws the error of the connection, RefusedTarget, TimeoutError, or the reason of `signal`
 */
export function post(
  url: URL,
  { headers, body }: HttpExportRequest,
  context: { readonly agents: HttpAgents; readonly policy: TargetPolicy; readonly clock: Clock },
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
      const stall = createStallTimer(context.clock, () => request.destroy(new TimeoutError('no progress for 60 s')))
      request.on('close', () => stall.cancel())
      let answer: HttpAnswer | undefined
      request.on('error', (error) => {
        // Once the status has been given it counts, whatever becomes of the body.
        if (answer === undefined) reject(Object.assign(error, { reused: request.reusedSocket }))
        else resolve(answer)
      })
      request.on('socket', (socket) => {
        if (!request.reusedSocket) socket.once(secure ? 'secureConnect' : 'connect', () => stall.restart())
      })
      request.on('response', (response) => {
        // Time and bytes of the body are bounded together: progress does not count any more.
        stall.restart()
        const given = {
          status: response.statusCode ?? 0,
          location: response.headers.location,
          retryAfter: response.headers['retry-after']
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
      writeInPieces(request, body, () => stall.restart())
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
