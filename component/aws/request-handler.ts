import http from 'node:http'
import { pipeline, Transform, type Readable } from 'node:stream'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import type { AwsEnvironment } from './environment.ts'
import { ProxyAgent } from './proxy-agent.ts'

/** Connect and response time-outs (behaviour 6.5). A slow upload that makes progress does not time out. */
const TIMEOUT_MS = 60_000
/** Answers of the services are small; a longer one comes from somebody else (reliability 5.4 CD18). */
const ANSWER_BYTES_MAX = 1024 * 1024

type Handle = NodeHttpHandler['handle']

/** HTTP/1.1 with kept connections, bounded time and bounded answers. One for all AWS clients. */
export class AwsRequestHandler extends NodeHttpHandler {
  /**
   * @param environment names the proxies
   * @param timeoutMs without progress, after which a request fails; a connection is waited for at most a minute
   */
  constructor(environment: AwsEnvironment, timeoutMs = TIMEOUT_MS) {
    super({
      httpAgent: new http.Agent({ keepAlive: true }),
      httpsAgent: new ProxyAgent(environment),
      connectionTimeout: Math.min(timeoutMs, TIMEOUT_MS),
      socketTimeout: timeoutMs
    })
  }

  override async handle(...[request, options]: Parameters<Handle>): ReturnType<Handle> {
    const { response } = await super.handle(request, options)
    response.body = limited(response.body as Readable, ANSWER_BYTES_MAX)
    return { response }
  }
}

/** The same stream, which fails when it gets too long. */
function limited(body: Readable, bytesMax: number): Readable {
  let bytes = 0
  const limiter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length
      if (bytes > bytesMax) done(new Error('the answer is too long'))
      else done(null, chunk)
    }
  })
  // The reader of the limiter hears of errors.
  return pipeline(body, limiter, () => undefined)
}
