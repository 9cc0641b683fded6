import { durationText, numberText } from '../../base/quantities.ts'
import { HISTORY_MS, type Sample, type Series } from './history.ts'
import { STATE_TEXT, type ExportState } from './snapshot.ts'
import { h, type ViewElement } from './view-node.ts'

/** A chart in words, for those who do not see it. */
interface ChartText {
  /** What is drawn: `Messages per second of sensor`. */
  readonly title: string
  /** `message per second`. */
  readonly unit: string
}

const WIDTH = 300
const HEIGHT = 60
/** The strip of states below an export's line. */
const STRIP_HEIGHT = 8
/** The least that is drawn: the first samples are not pressed into a corner. */
const SPAN_MS_MIN = 60_000
/** A longer silence is a gap: the page was paused, or the server away. */
const GAP_MS = 12_000

/** How much of the strip's height each state fills, so that colour is not all that tells them apart. */
const STRIP_SHARE: Readonly<Record<ExportState, number>> = {
  failing: 1,
  unavailable: 1,
  waiting: 0.6,
  sending: 0.6,
  idle: 0.25,
  disabled: 0.25
}

const round = (value: number): number => Math.round(value * 10) / 10

/**
 * A line up to `nowMs` over what is known, at most five minutes, from zero to the highest value; with a strip of states
 * where the samples have any.
 */
export function chart(series: Series, nowMs: number, text: ChartText): ViewElement {
  const top = Math.max(1, ...series.map(({ value }) => value))
  const spanMs = Math.min(HISTORY_MS, Math.max(SPAN_MS_MIN, nowMs - (series[0]?.atMs ?? nowMs)))
  const x = (atMs: number): number => round(Math.max(0, WIDTH - ((nowMs - atMs) / spanMs) * WIDTH))
  const y = (value: number): number => round(HEIGHT - 2 - (value / top) * (HEIGHT - 6))
  const pieces = piecesOf(series)
  const point = ({ atMs, value }: Sample): string => `${x(atMs)} ${y(value)}`
  const line = pieces.map((piece) => `M${piece.map(point).join('L')}`).join('')
  const area = pieces.map(
    (piece) =>
      `M${x(piece[0]?.atMs ?? 0)} ${HEIGHT}L${piece.map(point).join('L')}L${x(piece.at(-1)?.atMs ?? 0)} ${HEIGHT}Z`
  )
  const strip = series.some(({ state }) => state !== undefined) ? stripOf(series, nowMs, x) : []
  const height = HEIGHT + (strip.length > 0 ? STRIP_HEIGHT + 2 : 0)
  return h(
    'figure',
    { class: 'chart' },
    h('span', { class: 'scale', 'aria-hidden': 'true' }, `${numberText(top)} · ${spanText(spanMs)}`),
    h(
      'svg',
      {
        role: 'img',
        viewBox: `0 0 ${WIDTH} ${height}`,
        preserveAspectRatio: 'none',
        'aria-label': inWords(series, text)
      },
      h('path', { class: 'base', d: `M0 ${HEIGHT - 0.5}H${WIDTH}` }),
      h('path', { class: 'area', d: area.join('') }),
      h('path', { class: 'line', d: line }),
      strip
    )
  )
}

/** How far back the left edge is, in steps of half a minute. */
const spanText = (spanMs: number): string => `last ${durationText(Math.floor(spanMs / 30_000) * 30_000)}`

/** Stretches without a gap. */
function piecesOf(series: Series): Sample[][] {
  const pieces: Sample[][] = []
  for (const sample of series) {
    const last = pieces.at(-1)
    const lastMs = last?.at(-1)?.atMs
    if (last !== undefined && lastMs !== undefined && sample.atMs - lastMs < GAP_MS) last.push(sample)
    else pieces.push([sample])
  }
  return pieces
}

/** Neighbours of one state are one bar. */
function stripOf(series: Series, nowMs: number, x: (atMs: number) => number): ViewElement[] {
  const bars: { state: ExportState; fromMs: number; toMs: number }[] = []
  for (const { atMs, state } of series) {
    if (state === undefined) continue
    const last = bars.at(-1)
    const isNear = last !== undefined && atMs - last.toMs < GAP_MS
    if (isNear) last.toMs = atMs
    if (!isNear || last.state !== state) bars.push({ state, fromMs: atMs, toMs: atMs })
  }
  const last = bars.at(-1)
  if (last !== undefined && nowMs - last.toMs < GAP_MS) last.toMs = nowMs
  return bars.map(({ state, fromMs, toMs }) => {
    const height = STRIP_HEIGHT * STRIP_SHARE[state]
    const left = x(fromMs)
    const [top, width] = [round(HEIGHT + 2 + STRIP_HEIGHT - height), round(Math.max(1, x(toMs) - left))]
    return h('rect', { class: `state-${state}`, x: left, y: top, width, height: round(height) })
  })
}

/** `Messages per second of sensor over the last 2 min: now 12, highest 40, rising.` */
function inWords(series: Series, { title, unit }: ChartText): string {
  const [first, last] = [series[0], series.at(-1)]
  if (first === undefined || last === undefined) return `${title}: nothing known yet.`
  const top = Math.max(...series.map(({ value }) => value))
  const parts = [`now ${numberText(last.value)} ${unit}`, `highest ${numberText(top)}`, trendOf(series)]
  const since = durationText(last.atMs - first.atMs)
  const state = last.state === undefined ? '' : ` ${stateInWords(series, last.state)}`
  return `${title} over the last ${since}: ${parts.join(', ')}.${state}`
}

/** A tenth of the highest value, up or down, between the first and the last quarter. */
function trendOf(series: Series): string {
  const quarter = Math.ceil(series.length / 4)
  const mean = (samples: Series): number => samples.reduce((sum, { value }) => sum + value, 0) / samples.length
  const change = mean(series.slice(-quarter)) - mean(series.slice(0, quarter))
  const top = Math.max(...series.map(({ value }) => value))
  if (Math.abs(change) <= top / 10) return 'steady'
  return change > 0 ? 'rising' : 'falling'
}

function stateInWords(series: Series, state: ExportState): string {
  const changed = series.findLastIndex((sample) => sample.state !== state)
  const [since, last] = [series[changed + 1], series.at(-1)]
  const ms = (last?.atMs ?? 0) - (since?.atMs ?? 0)
  return `It is ${STATE_TEXT[state]}, for ${durationText(ms)}${changed === -1 ? ' or longer' : ''}.`
}
