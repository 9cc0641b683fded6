import type { PageEvent } from '../events.ts'
import { h, type ViewElement } from '../view-node.ts'
import { clockText } from '../words.ts'

/** What happened while the page was open; the newest is read out by screen readers. */
export function eventsView(events: readonly PageEvent[]): ViewElement {
  const [newest] = events
  return h(
    'section',
    { key: 'events', 'aria-labelledby': 'events' },
    h('h2', { id: 'events' }, 'Since this page was opened'),
    h('p', { class: 'hidden', role: 'status' }, newest === undefined ? '' : newest.text),
    events.length === 0
      ? h('p', { class: 'small' }, 'No export has begun to fail or recovered, and nothing was lost.')
      : h(
          'ol',
          { class: 'events', role: 'list' },
          events.map(({ atMs, text }, index) =>
            h('li', { key: `${atMs}/${events.length - index}` }, h('time', {}, clockText(atMs)), ` ${text}`)
          )
        )
  )
}
