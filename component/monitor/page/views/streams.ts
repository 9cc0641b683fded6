import { bytesText, countText, numberText } from '../../../base/quantities.ts'
import { chart } from '../chart.ts'
import { EXPORT_STATES, STATE_TEXT, type StreamSnapshot } from '../snapshot.ts'
import { linkTo, type PageState } from '../state.ts'
import { h, type ViewElement, type ViewNode } from '../view-node.ts'
import { percentText } from '../words.ts'
import { badge, fillBar, small } from './parts.ts'
import { table } from './table.ts'

/** More are found by the filter. */
export const STREAMS_SHOWN_MAX = 50

const COLUMNS = ['Stream', 'Throughput', 'Fill level', 'Stored', 'Exports']

/** All streams, or those that the filter leaves. @param streams those that are to be shown */
export function streamsView(state: PageState, streams: readonly StreamSnapshot[]): ViewElement {
  const total = (state.snapshot?.streams.length ?? 0) + (state.snapshot?.omittedStreams ?? 0)
  return h(
    'section',
    { key: 'streams', 'aria-labelledby': 'streams' },
    h('h2', { id: 'streams' }, 'Streams'),
    total === 0
      ? h('p', { key: 'none' }, 'There are no streams. Programs create them; a deployment can declare them.')
      : undefined,
    total > 5 || state.filter !== ''
      ? h(
          'p',
          { key: 'filter' },
          h('label', { for: 'filter' }, 'Show only names with '),
          h('input', { id: 'filter', type: 'search', autocomplete: 'off' }),
          small(streams.length < total ? ` ${numberText(streams.length)} of ${numberText(total)} are shown` : '')
        )
      : undefined,
    streams.length > 0
      ? table(
          'Streams',
          COLUMNS,
          streams.map((stream) => rowOf(stream, state))
        )
      : undefined
  )
}

function rowOf(stream: StreamSnapshot, { history, nowMs, selected }: PageState): Parameters<typeof table>[2][number] {
  const { name, messagesPerSecond, bytesPerSecond, totalBytes, maxSizeBytes, oldest, next } = stream
  const series = history.throughput(name)
  const live = series.at(-1)?.value ?? messagesPerSecond
  return {
    key: name,
    isSelected: name === selected,
    cells: [
      [h('a', { href: linkTo(name) }, name), small(stream.persistence === 'memory' ? 'in memory' : '')],
      [
        `${numberText(live)} messages/s`,
        small(`${bytesText(bytesPerSecond)}/s`),
        chart(series, nowMs, { title: `Messages per second of ${name}`, unit: 'per second' })
      ],
      [
        fillBar(totalBytes / maxSizeBytes),
        percentText(totalBytes / maxSizeBytes),
        small(`${bytesText(totalBytes)} of ${bytesText(maxSizeBytes)}`)
      ],
      [
        countText(next - oldest, 'message'),
        small(next > oldest ? `${numberText(oldest)} to ${numberText(next - 1)}` : '')
      ],
      summaryOf(stream)
    ]
  }
}

/** How many exports are in each state, worst first. */
function summaryOf({ exports }: StreamSnapshot): ViewNode[] {
  if (exports.length === 0) return [small('none')]
  return EXPORT_STATES.flatMap((state) => {
    const count = exports.filter((of) => of.state === state).length
    return count === 0 ? [] : [badge(state, count === 1 ? STATE_TEXT[state] : `${count} ${STATE_TEXT[state]}`)]
  })
}
