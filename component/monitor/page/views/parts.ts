import { STATE_TEXT, type ExportState } from '../snapshot.ts'
import { h, type ViewElement } from '../view-node.ts'

/** Before the words, for the eye: no state is told by its colour alone. */
const SYMBOLS: Readonly<Record<ExportState, string>> = {
  failing: '✕',
  unavailable: '✕',
  waiting: '◔',
  sending: '▶',
  idle: '✓',
  disabled: '‖'
}

export function badge(state: ExportState, text = STATE_TEXT[state]): ViewElement {
  return h('span', { class: `badge state-${state}` }, h('span', { 'aria-hidden': 'true' }, `${SYMBOLS[state]} `), text)
}

const BAR_WIDTH = 100
const NEARLY_FULL = 0.9

/** How full something is; the number stands beside it in words. */
export function fillBar(share: number): ViewElement {
  const width = Math.round(Math.min(1, Math.max(0, share)) * BAR_WIDTH * 10) / 10
  return h(
    'svg',
    { class: 'bar', viewBox: `0 0 ${BAR_WIDTH} 8`, preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    h('rect', { class: 'bar-back', width: BAR_WIDTH, height: 8 }),
    h('rect', { class: share >= NEARLY_FULL ? 'bar-full' : 'bar-fill', width, height: 8 })
  )
}

/** A line of less importance. */
export function small(text: string): ViewElement {
  return h('span', { class: 'small' }, text)
}
