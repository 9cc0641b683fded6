import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fileRoutes, messagesRoute } from '../../../component/monitor/page-routes.ts'
import type { Answer } from '../../../component/monitor/routes.ts'
import type { RecentMessagesAnswer } from '../../../component/monitor/recent-messages.ts'

const noReport = (): never => assert.fail('no report is needed')
const ASSETS = { html: '<p>', css: 'p{}', script: 'f()', icon: '<svg>' }

async function ask(
  answer: RecentMessagesAnswer,
  fetchSite?: string
): Promise<Answer & { readonly asked: readonly string[] }> {
  const asked: string[] = []
  const route = messagesRoute((stream) => {
    asked.push(stream)
    return Promise.resolve(answer)
  })
  return {
    ...(await route({ accept: undefined, query: new URLSearchParams('stream=a%20b'), fetchSite }, noReport)),
    asked
  }
}

describe('the routes of the page', () => {
  it('give its files, each with its type and a policy that forbids whatever is not in them', async () => {
    const question = { accept: undefined, query: new URLSearchParams(), fetchSite: undefined }
    const routes = fileRoutes(ASSETS)
    const types: string[] = []
    for (const path of ['/', '/page.css', '/page.js', '/icon.svg']) {
      const { status, contentType, headers = {} } = await routes[path]!(question, noReport)
      assert.equal(status, 200)
      assert.match(headers['Content-Security-Policy'] ?? '', /default-src 'none'/)
      assert.doesNotMatch(headers['Content-Security-Policy'] ?? '', /unsafe|\*|http/)
      types.push(contentType)
    }
    assert.deepEqual(
      types.map((type) => type.split(';')[0]),
      ['text/html', 'text/css', 'text/javascript', 'image/svg+xml']
    )
  })

  it('give messages of the stream that is asked for', async () => {
    const message = { sequenceNumber: 1, ingestTime: 2, sizeBytes: 3, payload: 'YQ==' }
    const { status, body, asked } = await ask({ kind: 'read', messages: [message] })
    assert.equal(status, 200)
    assert.deepEqual(asked, ['a b'])
    assert.deepEqual(JSON.parse(String(body)), { messages: [message], countMax: 20 })
  })

  it('say why there are no messages', async () => {
    const statuses: number[] = []
    for (const kind of ['forbidden', 'missing', 'busy'] as const) {
      const { status, body } = await ask({ kind })
      assert.match((JSON.parse(String(body)) as { error: string }).error, /\.$/)
      statuses.push(status)
    }
    const { status, body } = await ask({ kind: 'unreadable', reason: 'the disk is gone' })
    assert.deepEqual([...statuses, status], [403, 404, 429, 500])
    assert.match(String(body), /the disk is gone/)
  })

  it('read no messages for another page', async () => {
    const answer = { kind: 'read', messages: [] } as const
    for (const site of ['cross-site', 'same-site']) {
      const { status, asked } = await ask(answer, site)
      assert.deepEqual([status, asked], [403, []])
    }
    for (const site of ['same-origin', 'none']) assert.equal((await ask(answer, site)).status, 200)
  })
})
