import type { DomElement, DomFactory } from './dom.ts'
import { EVENTS_MAX, eventsBetween } from './events.ts'
import { createHistory } from './history.ts'
import { MESSAGE_VIEWS, parseMessages } from './messages.ts'
import { parseSnapshot } from './parse-snapshot.ts'
import { mount } from './patch.ts'
import { linkedStream, type PageState } from './state.ts'
import { pageView } from './view.ts'

/*
 * Where the page begins, in a browser: it asks the server every two seconds and shows what it says. Everything else of the
 * page is functions of values.
 */

interface PageElement extends DomElement {
  readonly dataset: Readonly<Record<string, string | undefined>>
  readonly id: string
  readonly value?: string
  closest(selector: string): PageElement | null
  focus(): void
}

interface PageWindow {
  readonly document: DomFactory & { getElementById(id: string): PageElement | null }
  readonly location: { readonly hash: string }
  addEventListener(kind: string, listener: (event: { readonly target: PageElement }) => void): void
}

const POLL_MS = 2_000
const ANSWER_TIMEOUT_MS = 5_000

const page = globalThis as unknown as PageWindow
const root = page.document.getElementById('content')
if (root === null) throw new Error('the page has no place for its content')
const shown = mount(page.document, root)

let state: PageState = {
  snapshot: undefined,
  history: createHistory(),
  nowMs: performance.now(),
  silence: undefined,
  isPaused: false,
  filter: '',
  selected: linkedStream(page.location.hash),
  events: [],
  messageView: 'text',
  messages: undefined
}

function change(changes: Partial<PageState>): void {
  state = { ...state, ...changes }
  shown.show(pageView(state))
}

/** @throws Error whose message is a sentence for people */
async function ask(path: string): Promise<unknown> {
  const options = { cache: 'no-store', signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) } as const
  const answer = await fetch(path, options).catch(() => {
    throw new Error('It cannot be reached.')
  })
  const json: unknown = await answer.json().catch(() => undefined)
  if (answer.ok && json !== undefined) return json
  const { error } = (json ?? {}) as { readonly error?: unknown }
  throw new Error(typeof error === 'string' ? error : `It answered with status ${answer.status}.`)
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

async function poll(): Promise<void> {
  try {
    const snapshot = parseSnapshot(await ask('status'))
    if (snapshot === undefined) throw new Error('It answered with what this page does not understand.')
    if (state.isPaused) return
    const nowMs = performance.now()
    state.history.add(snapshot, nowMs)
    const news = state.snapshot === undefined ? [] : eventsBetween(state.snapshot, snapshot)
    const events = [...[...news].reverse(), ...state.events].slice(0, EVENTS_MAX)
    change({ snapshot, nowMs, silence: undefined, events })
  } catch (error) {
    const nowMs = performance.now()
    change({ nowMs, silence: { sinceMs: state.silence?.sinceMs ?? nowMs, reason: reasonOf(error) } })
  }
}

/** One question at a time: a slow server is not asked again before it has answered. */
async function pollForEver(): Promise<never> {
  for (;;) {
    if (!state.isPaused) await poll()
    await new Promise((done) => setTimeout(done, POLL_MS))
  }
}

async function readMessages(stream: string): Promise<void> {
  change({ messages: { stream, result: { kind: 'asked' } } })
  try {
    const messages = parseMessages(await ask(`messages?stream=${encodeURIComponent(stream)}`))
    if (messages === undefined) throw new Error('It answered with what this page does not understand.')
    change({ messages: { stream, result: { kind: 'there', messages } } })
  } catch (error) {
    change({
      messages: { stream, result: { kind: 'failed', reason: `The messages are not shown. ${reasonOf(error)}` } }
    })
  }
}

page.addEventListener('click', ({ target }) => {
  const action = target.closest('[data-action]')?.dataset['action']
  if (action === 'pause') change({ isPaused: !state.isPaused })
  if (action === 'messages' && state.selected !== undefined) void readMessages(state.selected)
  const messageView = MESSAGE_VIEWS.find((view) => action === `view-${view}`)
  if (messageView !== undefined) change({ messageView })
})
page.addEventListener('input', ({ target }) => {
  if (target.id === 'filter') change({ filter: target.value ?? '' })
})
page.addEventListener('hashchange', () => {
  change({ selected: linkedStream(page.location.hash), messages: undefined })
  page.document.getElementById('detail')?.focus()
})

shown.show(pageView(state))
void pollForEver()
