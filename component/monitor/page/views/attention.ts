import { countText } from '../../../base/quantities.ts'
import type { Problem } from '../problems.ts'
import { linkTo } from '../state.ts'
import { h, type ViewElement } from '../view-node.ts'
import { prose } from './prose.ts'

const SHOWN_MAX = 20

/** What a person should look at, with what to do. */
export function attentionView(problems: readonly Problem[]): ViewElement | undefined {
  if (problems.length === 0) return undefined
  const more = problems.length - SHOWN_MAX
  return h(
    'section',
    { key: 'attention', 'aria-labelledby': 'attention' },
    h('h2', { id: 'attention' }, 'Needs attention'),
    h('ul', { class: 'problems', role: 'list' }, problems.slice(0, SHOWN_MAX).map(problemView)),
    more > 0 ? h('p', { class: 'small' }, `${countText(more, 'more')} not shown.`) : undefined
  )
}

function problemView({ key, severity, title, cause, remedy, effect, stream }: Problem): ViewElement {
  const kind = severity === 'problem' ? 'Problem: ' : 'Warning: '
  return h(
    'li',
    { key, class: severity },
    h(
      'h3',
      {},
      h('span', { class: 'hidden' }, kind),
      stream === undefined ? title : h('a', { href: linkTo(stream) }, title)
    ),
    h('p', {}, cause),
    h('p', { class: 'remedy' }, h('strong', {}, 'What to do: '), prose(remedy)),
    effect === undefined ? undefined : h('p', { class: 'small' }, effect)
  )
}
