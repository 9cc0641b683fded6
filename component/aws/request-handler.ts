import http from 'node:http'
import { pipeline, Readable, Transform } from 'node:stream'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { systemClock, type Clock } from '../base/clock.ts'
import type { AwsEnvironment } from './environment.ts'
import { ProxyAgent } from './proxy-agent.ts'
import { failUpgrades } from './upgrades.ts'

/** Connect and response time-outs (behaviour 6.5). A slow upload that makes progress does not time out. */
const TIMEOUT_MS = 60_000
/** Answers of the services are small; a longer one comes from somebody else (reliability 5.4 CD18). */
const ANSWER_BYTES_MAX = 1024 * 1024
/**
 * A peer that answers byte by byte makes progress for ever: the headers have to be there a time-out after the body could
 * have been sent at this rate, which the slowest line has, and the answer's body a time-out later. Nobody needs more than
 * a minute to end an answer that came while a body is streamed, however long that may take.
 */
const UPLOAD_BYTES_PER_MS_MIN = 1

/** A body is handed to the connection in pieces of this size, each of which counts as progress. */
const PIECE_BYTES = 64 * 1024

/** What a sink says with a request. The client hands it through to the handler. */
export interface AwsRequestOptions {
  readonly abortSignal: AbortSignal
  /** Called whenever the connection has taken a piece of the body, and with its length when it begins to be sent. */
  readonly onProgress?: ((bodyBytes?: number) => void) | undefined
}

type Handle = NodeHttpHandler['handle']

/** HTTP/1.1 with kept connections, bounded time and bounded answers. One for all AWS clients. */
export class AwsRequestHandler extends NodeHttpHandler {
  readonly #timeoutMs: number
  readonly #clock: Clock

  /**
   * @param environment names the proxies
   * @param timeoutMs without progress, after which a request fails; a connection is waited for at most a minute
   */
  constructor(environment: AwsEnvironment, timeoutMs = TIMEOUT_MS, clock = systemClock) {
    super({
      httpAgent: failUpgrades(new http.Agent({ keepAlive: true })),
      httpsAgent: failUpgrades(new ProxyAgent(environment)),
      connectionTimeout: Math.min(timeoutMs, TIMEOUT_MS),
      socketTimeout: timeoutMs,
      throwOnRequestTimeout: true
    })
    this.#timeoutMs = timeoutMs
    this.#clock = clock
  }

  override async handle(...[request, options]: Parameters<Handle>): ReturnType<Handle> {
    const bytes = bytesOf(request.body)
    // Streamed bodies may be paced by ourselves: they have no deadline.
    const deadline =
      bytes === undefined ? {} : { requestTimeout: this.#timeoutMs + Math.ceil(bytes / UPLOAD_BYTES_PER_MS_MIN) }
    const onProgress = (options as AwsRequestOptions | undefined)?.onProgress
    // The request is signed and sent once only, so its body may be replaced.
    if (onProgress !== undefined) {
      onProgress(bytes)
      request.body = inPieces(request.body, onProgress)
    }
    const { response } = await super.handle(request, { ...options, ...deadline })
    response.body = this.#limited(
      response.body as Readable,
      bytes === undefined ? Math.min(this.#timeoutMs, TIMEOUT_MS) : this.#timeoutMs
    )
    return { response }
  }

  /** The same stream, which fails when it gets too long or takes too much time. */
  #limited(body: Readable, timeoutMs: number): Readable {
    let bytes = 0
    const limiter = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        bytes += chunk.length
        if (bytes > ANSWER_BYTES_MAX) done(new Error('the answer is too long'))
        else done(null, chunk)
      }
    })
    const timer = this.#clock.after(timeoutMs, () => limiter.destroy(new Error('the answer takes too long')))
    // The reader of the limiter hears of errors.
    return pipeline(body, limiter, () => timer.cancel())
  }
}

/** Bytes of a body that is held as a whole; undefined for a streamed one. */
function bytesOf(body: unknown): number | undefined {
  if (body === undefined) return 0
  return typeof body === 'string' || body instanceof Uint8Array ? Buffer.byteLength(body) : undefined
}

/** A body that is held as a whole, as a stream of pieces; any other as it is. */
function inPieces(body: unknown, onProgress: () => void): unknown {
  if (typeof body !== 'string' && !(body instanceof Uint8Array)) return body
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  if (bytes.length <= PIECE_BYTES) return body
  let offset = 0
  // A generator behind Readable.from would do, but costs a third of what the whole request does.
  return new Readable({
    highWaterMark: PIECE_BYTES,
    read() {
      if (offset > 0) onProgress()
      this.push(offset < bytes.length ? bytes.subarray(offset, offset + PIECE_BYTES) : null)
      offset += PIECE_BYTES
    }
  })
}
