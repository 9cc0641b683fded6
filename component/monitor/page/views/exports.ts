import { bytesText, countText, durationText, numberText } from '../../../base/quantities.ts'
import { chart } from '../chart.ts'
import type { ExportSnapshot, StreamSnapshot } from '../snapshot.ts'
import { linkTo, type PageState } from '../state.ts'
import { h, type ViewElement } from '../view-node.ts'
import { badge, small } from './parts.ts'
import { table, type Row } from './table.ts'

const SHOWN_MAX = 50
const COLUMNS = ['Export', 'State', 'Waiting', 'Waiting over time', 'So far']

/** The exports of the streams that are shown, those with problems first. */
export function exportsView(state: PageState, streams: readonly StreamSnapshot[]): ViewElement | undefined {
  const all = streams.flatMap((stream) => stream.exports.map((of) => ({ stream, of })))
  if (all.length === 0) return undefined
  const isWrong = ({ of }: { of: ExportSnapshot }): boolean => of.state === 'failing' || of.state === 'unavailable'
  const sorted = [...all.filter(isWrong), ...all.filter((pair) => !isWrong(pair))]
  return h(
    'section',
    { key: 'exports', 'aria-labelledby': 'exports' },
    h('h2', { id: 'exports' }, 'Exports'),
    table(
      'Exports',
      COLUMNS,
      sorted.slice(0, SHOWN_MAX).map(({ stream, of }) => rowOf(state, stream, of))
    ),
    h(
      'p',
      { class: 'small legend' },
      'Charts show the last minutes, up to five. Below each a strip shows the state: full height is failing, medium is sending or waiting, low is up to date or ' +
        'disabled.',
      all.length > SHOWN_MAX ? ` ${numberText(SHOWN_MAX)} of ${numberText(all.length)} are shown.` : undefined
    )
  )
}

function rowOf({ history, nowMs, snapshot }: PageState, stream: StreamSnapshot, of: ExportSnapshot): Row {
  const { identifier, waitingMessages, waitingBytes, waitingSeconds } = of
  const age = waitingSeconds === undefined ? undefined : `oldest since ${durationText(waitingSeconds * 1_000)}`
  return {
    key: `${stream.name}/${identifier}`,
    cells: [
      [
        h('a', { href: linkTo(stream.name) }, identifier),
        small(`of ${stream.name}`),
        small(of.destination === '' ? of.kind : `${of.kind}: ${of.destination}`)
      ],
      [badge(of.state), small(nextAttempt(of, snapshot?.takenAtMs ?? 0))],
      [
        countText(waitingMessages, 'message'),
        small([bytesText(waitingBytes), age].filter((text) => text !== undefined).join(', '))
      ],
      chart(history.lag(stream.name, identifier), nowMs, {
        title: `Messages that wait for export ${identifier} of ${stream.name}`,
        unit: 'messages'
      }),
      [
        `${numberText(of.exportedMessages)} exported`,
        small(of.skippedMessages > 0 ? `${numberText(of.skippedMessages)} skipped` : ''),
        small(of.droppedMessages > 0 ? `${numberText(of.droppedMessages)} lost before` : '')
      ]
    ]
  }
}

function nextAttempt({ state, nextAttemptMs }: ExportSnapshot, nowMs: number): string {
  if (state !== 'failing' || nextAttemptMs === undefined) return ''
  return nextAttemptMs <= nowMs ? 'tries again now' : `tries again in ${durationText(nextAttemptMs - nowMs)}`
}
