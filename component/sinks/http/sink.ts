import { STATUS_CODES } from 'node:http'
import type { Clock } from '../../base/clock.ts'
import type { SendOutcome, Sink } from '../../export/sink.ts'
import type { HttpExport } from '../../model/export-definition.ts'
import { failureText, reason } from '../failure-text.ts'
import { retryAfterMs } from '../retry-after.ts'
import { post, requestMsMax, type HttpAgents, type HttpAnswer, type PostContext } from './post.ts'
import { httpExportRequest, type HttpExportRequest } from './request.ts'
import { RefusedTarget, type TargetPolicy } from './target.ts'

/** Redirects that keep method and body; all others would lose the data (behaviour 7, reliability 6.2 H2). */
const FOLLOWED_STATUSES: readonly number[] = [307, 308]
const REDIRECTS_MAX = 5

export interface HttpSinkContext {
  readonly clock: Clock
  readonly agents: HttpAgents
  readonly policy: TargetPolicy
  readonly userAgent: string
}

/** Posts batches to the URL of an HTTP export. Any 2xx status is acceptance, everything else is repeated (behaviour 7). */
export function createHttpSink(context: HttpSinkContext, definition: HttpExport): Sink {
  return {
    async send(batch, signal, onProgress) {
      const { headers, body } = httpExportRequest(
        batch.streamName,
        definition.exportFormat ?? 'rawNotBatched',
        batch.messages
      )
      const endMs = context.clock.monotonicMs() + requestMsMax(body.length)
      try {
        const request = { headers: { ...headers, 'user-agent': context.userAgent }, body }
        return outcomeOf(
          await postFollowing({ ...context, endMs, onProgress }, definition.uri, request, signal),
          context.clock.wallMs()
        )
      } catch (error) {
        return { kind: 'retryLater', reason: failureText(error) }
      }
    },
    // The connections are shared by all HTTP exports.
    close: () => undefined
  }
}

/** Posts, and follows redirects that pass the same checks as the first URL. */
async function postFollowing(
  context: PostContext,
  uri: string,
  request: HttpExportRequest,
  signal: AbortSignal
): Promise<HttpAnswer> {
  let url = parseUrl(uri)
  for (let redirects = 0; ; redirects += 1) {
    const refusal = context.policy.refusal(url)
    if (refusal !== undefined) throw new RefusedTarget(refusal)
    const answer = await post(url, request, context, signal)
    if (!FOLLOWED_STATUSES.includes(answer.status) || answer.location === undefined) return answer
    if (redirects === REDIRECTS_MAX) throw new RefusedTarget(`more than ${REDIRECTS_MAX} redirects`)
    const target = parseUrl(answer.location, url)
    if (url.protocol === 'https:' && target.protocol !== 'https:') {
      throw new RefusedTarget('a redirect from https to another scheme is not followed')
    }
    url = target
  }
}

function parseUrl(text: string, base?: URL): URL {
  if (!URL.canParse(text, base?.href)) throw new RefusedTarget('the URL cannot be parsed')
  return new URL(text, base)
}

function outcomeOf({ status, retryAfter, date }: HttpAnswer, wallMs: number): SendOutcome {
  if (status >= 200 && status < 300) return { kind: 'delivered' }
  const waitMs = retryAfter === undefined ? undefined : retryAfterMs(retryAfter, date, wallMs)
  return {
    kind: 'retryLater',
    reason: reason('HttpError', `status ${status} ${STATUS_CODES[status] ?? ''}`),
    ...(waitMs === undefined ? {} : { waitMs })
  }
}
