import type { PageAssets } from './page-assets.ts'
import type { Answer, Route } from './routes.ts'
import { SHOWN_MESSAGES_MAX, type RecentMessages, type RecentMessagesAnswer } from './recent-messages.ts'

/** The routes of the page, to be served beside those of `ROUTES`. */
export type PageRoutes = Readonly<Record<string, Route>>

/**
 * Nothing of the page comes from elsewhere, nothing in it runs that was not in its files, and no other page may hold it in
 * a frame.
 */
const SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'"
].join('; ')

const FILE_HEADERS = {
  'Content-Security-Policy': SECURITY_POLICY,
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer'
}
const JSON_TYPE = 'application/json; charset=utf-8'

/** The files of the page, by path. */
export function fileRoutes({ html, css, script, icon }: PageAssets): PageRoutes {
  const file = (type: string, body: string): Route => {
    const answer = { status: 200, contentType: `${type}; charset=utf-8`, headers: FILE_HEADERS, body }
    return () => answer
  }
  return {
    '/': file('text/html', html),
    '/page.css': file('text/css', css),
    '/page.js': file('text/javascript', script),
    '/icon.svg': file('image/svg+xml', icon)
  }
}

const jsonAnswer = (status: number, value: object): Answer => ({
  status,
  contentType: JSON_TYPE,
  body: `${JSON.stringify(value)}\n`
})

function answerOf(answer: RecentMessagesAnswer): Answer {
  switch (answer.kind) {
    case 'read':
      return jsonAnswer(200, { messages: answer.messages, countMax: SHOWN_MESSAGES_MAX })
    case 'forbidden':
      return jsonAnswer(403, {
        error:
          'Everybody on this device could read them here, so STREAM_MANAGER_MONITOR_MESSAGES must allow it; ' +
          '`stream-manager tail` shows them to those who may read.'
      })
    case 'missing':
      return jsonAnswer(404, { error: 'There is no such stream.' })
    case 'busy':
      return jsonAnswer(429, { error: 'Messages are just being read for somebody else: ask again.' })
    case 'unreadable':
      return jsonAnswer(500, { error: `The messages cannot be read: ${answer.reason}.` })
  }
}

/** `/messages?stream=<name>`: the newest messages, for the page itself and for whoever asks without one. */
export function messagesRoute(recent: RecentMessages): Route {
  return async ({ query, fetchSite }) => {
    // A browser says for which page it asks: others than ours get nothing, not even to measure how long it takes.
    if (fetchSite !== undefined && fetchSite !== 'same-origin' && fetchSite !== 'none')
      return jsonAnswer(403, { error: 'Another page asks.' })
    return answerOf(await recent(query.get('stream') ?? ''))
  }
}
