import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { chart } from '../../../../component/monitor/page/chart.ts'
import type { Series } from '../../../../component/monitor/page/history.ts'
import type { ExportState } from '../../../../component/monitor/page/snapshot.ts'
import { textOf } from '../../../../component/monitor/page/view-node.ts'
import { findAll } from '../../../helpers/page-state.ts'

const TEXT = { title: 'Messages that wait for export cloud of sensor', unit: 'messages' }

const seriesOf = (values: readonly number[], state?: ExportState, stepMs = 2_000): Series =>
  values.map((value, index) => ({ atMs: index * stepMs, value, ...(state === undefined ? {} : { state }) }))

const lineOf = (series: Series, nowMs: number): string =>
  findAll([chart(series, nowMs, TEXT)], ({ attributes }) => attributes['class'] === 'line')[0]?.attributes['d'] ?? ''

const inWords = (series: Series, nowMs = 0): string =>
  findAll([chart(series, nowMs, TEXT)], ({ tag }) => tag === 'svg')[0]?.attributes['aria-label'] ?? ''

describe('a chart', () => {
  it('draws a minute at least, the newest at its right edge, the highest near its top', () => {
    assert.equal(lineOf(seriesOf([0, 10]), 2_000), 'M290 58L300 4')
  })

  it('presses what is known into its width', () => {
    const line = lineOf(seriesOf(Array.from({ length: 151 }, () => 5)), 300_000)
    assert.match(line, /^M0 4L2 4L4 4/)
    assert.match(line, /L300 4$/)
  })

  it('has a gap where nothing was known', () => {
    const series = [...seriesOf([1, 1]), { atMs: 40_000, value: 1 }, { atMs: 42_000, value: 1 }]
    assert.equal(lineOf(series, 42_000).split('M').length - 1, 2)
  })

  it('tells states by the height of a strip, and not by colour alone', () => {
    const series = [...seriesOf([1, 1, 1], 'sending'), { atMs: 6_000, value: 1, state: 'failing' as const }]
    const bars = findAll([chart(series, 8_000, TEXT)], ({ tag }) => tag === 'rect')
    assert.deepEqual(
      bars.map(({ attributes }) => [attributes['class'], attributes['x'], attributes['width'], attributes['height']]),
      [
        ['state-sending', '260', '30', '4.8'],
        ['state-failing', '290', '10', '8']
      ]
    )
  })

  it('is told in words', () => {
    const growing = seriesOf([0, 10, 20, 30, 40], 'failing')
    assert.equal(
      inWords(growing),
      'Messages that wait for export cloud of sensor over the last 8 s: now 40 messages, highest 40, rising. ' +
        'It is failing, for 8 s or longer.'
    )
    assert.match(inWords(seriesOf([40, 30, 20, 10, 0])), /now 0 messages, highest 40, falling\.$/)
    assert.match(inWords(seriesOf([5, 5, 5, 5])), /steady\.$/)
    assert.equal(inWords([]), 'Messages that wait for export cloud of sensor: nothing known yet.')
  })

  it('shows its scale', () => {
    assert.match(textOf(chart(seriesOf([1_234]), 0, TEXT)), /^1,234 · last 1 min/)
  })
})
