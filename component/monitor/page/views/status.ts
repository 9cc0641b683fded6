import { bytesText, countText, durationText } from '../../../base/quantities.ts'
import type { Problem } from '../problems.ts'
import type { PageState } from '../state.ts'
import { h, type ViewElement } from '../view-node.ts'
import { clockText } from '../words.ts'

/** The state of the whole in one line, and the button that holds the page still. */
export function statusView(state: PageState, problems: readonly Problem[]): ViewElement {
  const { snapshot, isPaused } = state
  return h(
    'section',
    { key: 'status', class: 'status', 'aria-label': 'Server' },
    silenceView(state),
    h(
      'p',
      { key: 'verdict', class: 'verdict' },
      verdictOf(state, problems),
      h('button', { type: 'button', 'data-action': 'pause', 'aria-pressed': String(isPaused) }, 'Pause updates')
    ),
    snapshot &&
      h(
        'p',
        { key: 'facts', class: 'small' },
        [
          `Version ${snapshot.version}`,
          `runs for ${durationText(snapshot.uptimeSeconds * 1_000)}`,
          `${bytesText(snapshot.memoryBytes)} of memory`,
          countText(snapshot.connections, 'client connection'),
          `as of ${clockText(snapshot.takenAtMs)}`
        ].join(' · ')
      )
  )
}

function verdictOf({ snapshot }: PageState, problems: readonly Problem[]): ViewElement {
  if (snapshot === undefined) return h('strong', {}, 'Waiting for the first answer of the server …')
  const severe = problems.filter(({ severity }) => severity === 'problem').length
  const warnings = problems.length - severe
  const counts = [
    severe === 0 ? undefined : countText(severe, 'problem'),
    warnings === 0 ? undefined : countText(warnings, 'warning')
  ].filter((text) => text !== undefined)
  const kind = severe > 0 ? 'bad' : warnings > 0 ? 'warn' : 'good'
  const symbol = { bad: '✕ ', warn: '! ', good: '✓ ' }[kind]
  return h('strong', { class: kind }, h('span', { 'aria-hidden': 'true' }, symbol), counts.join(', ') || 'All is well')
}

function silenceView({ silence, nowMs, isPaused }: PageState): ViewElement | undefined {
  if (silence === undefined || isPaused) return undefined
  const since = durationText(nowMs - silence.sinceMs)
  return h(
    'p',
    { key: 'silence', class: 'silence', role: 'alert' },
    h('strong', {}, `No answer from the server for ${since}. `),
    `What is shown is old. ${silence.reason} It is asked again by itself; see whether the server runs, and its log.`
  )
}
