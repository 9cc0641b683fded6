import { bytesText, durationText, numberText } from '../../../base/quantities.ts'
import type { Sample } from '../history.ts'
import { STATE_TEXT, type ExportSnapshot, type Range, type StreamSnapshot } from '../snapshot.ts'
import type { PageState } from '../state.ts'
import { h, type ViewElement } from '../view-node.ts'
import { rangeText } from '../words.ts'
import { messagesView } from './messages.ts'
import { table } from './table.ts'

/** A row of figures for so much time. */
const FIGURE_MS = 30_000
const STRATEGIES: Readonly<Record<string, string>> = {
  rejectNewData: 'rejects new messages when full',
  overwriteOldestData: 'overwrites its oldest messages when full'
}

/** More of the selected stream. */
export function detailView(state: PageState): ViewElement | undefined {
  const { selected, snapshot } = state
  if (selected === undefined || snapshot === undefined) return undefined
  const stream = snapshot.streams.find(({ name }) => name === selected)
  return h(
    'section',
    { key: `detail/${selected}`, class: 'detail', 'aria-labelledby': 'detail' },
    h('h2', { id: 'detail', tabindex: '-1' }, `Stream ${selected}`),
    h('p', {}, h('a', { href: '#' }, 'Close')),
    stream === undefined
      ? h('p', {}, 'There is no such stream any more.')
      : [
          h(
            'p',
            {},
            `It ${STRATEGIES[stream.strategyOnFull] ?? stream.strategyOnFull}, and is kept ${stream.persistence === 'memory' ? 'in memory' : 'on disk'}.`
          ),
          stream.exports.map((of) => lossesView(stream, of)),
          figuresView(stream, state),
          messagesView(stream, state)
        ]
  )
}

function lossesView({ name }: StreamSnapshot, of: ExportSnapshot): ViewElement | undefined {
  const rows = [
    ...of.skippedRanges.map((range) => lossRow('skipped', range)),
    ...of.droppedRanges.map((range) => lossRow('lost', range))
  ]
  if (rows.length === 0) return undefined
  return h(
    'div',
    { key: `losses/${of.identifier}` },
    h('h3', {}, `What did not get to ${of.identifier}`),
    table(`Messages of ${name} that did not get to ${of.identifier}`, ['Numbers', 'Messages', 'Fate', 'Reason'], rows)
  )
}

function lossRow(fate: 'skipped' | 'lost', range: Range): Parameters<typeof table>[2][number] {
  const text = fate === 'skipped' ? 'skipped' : 'lost before it was sent'
  return { key: `${fate}${range.first}`, cells: [rangeText(range), numberText(range.count), text, range.reason] }
}

/** The charts as numbers, newest first. */
function figuresView({ name, exports, bytesPerSecond }: StreamSnapshot, { history, nowMs }: PageState): ViewElement {
  const throughput = history.throughput(name)
  const last = (series: readonly Sample[], untilMs: number): Sample | undefined =>
    series.findLast(({ atMs }) => atMs <= untilMs && atMs > untilMs - FIGURE_MS)
  const ages = Array.from({ length: 10 }, (_, index) => index * FIGURE_MS)
  const rows = ages
    .filter((ageMs) => last(throughput, nowMs - ageMs) !== undefined)
    .map((ageMs) => {
      const lags = exports.map(({ identifier }) => last(history.lag(name, identifier), nowMs - ageMs))
      return {
        key: String(ageMs),
        cells: [
          ageMs === 0 ? 'now' : `${durationText(ageMs)} ago`,
          numberText(last(throughput, nowMs - ageMs)?.value ?? 0),
          ...lags.map((lag) => (lag?.state === undefined ? '' : `${numberText(lag.value)}, ${STATE_TEXT[lag.state]}`))
        ]
      }
    })
  const columns = ['Time', 'Messages per second', ...exports.map(({ identifier }) => `Waiting for ${identifier}`)]
  return h(
    'details',
    { key: 'figures' },
    h('summary', {}, 'The charts as numbers'),
    h('p', { class: 'small' }, `At present ${bytesText(bytesPerSecond)} per second.`),
    table(`Throughput and waiting messages of ${name}`, columns, rows)
  )
}
