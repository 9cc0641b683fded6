import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type BarChart, describeChart, drawBarChart } from '../../bench/report/bar-chart.ts'

const bar = (label: string, value: number) => ({ label, value, range: [value, value * 1.5] as const, series: 0 })

function chart(changes: Partial<BarChart> = {}): BarChart {
  return {
    title: 'Rates & <more>',
    subtitle: 'per second',
    groups: [
      { label: 'small', bars: [bar('a', 10), bar('b', 20)] },
      { label: 'large', bars: [bar('a', 1_000)] }
    ],
    hasOwnScales: false,
    format: String,
    ...changes
  }
}

/** Widths of all bars, in their order. */
const widths = (svg: string): number[] =>
  [...svg.matchAll(/<rect [^>]*width="([\d.]+)"/g)].map(([, text]) => Number(text))

describe('bar charts', () => {
  it('draw bars in proportion', () => {
    const [a, b, c] = widths(drawBarChart(chart()))
    assert.ok(Math.abs(b! - 2 * a!) <= 0.2 && Math.abs(c! - 100 * a!) <= 10)
  })

  it('draw each group to its own largest bar when asked', () => {
    const [, b, c] = widths(drawBarChart(chart({ hasOwnScales: true })))
    assert.equal(b, c)
  })

  it('leave room for the label of the longest bar', () => {
    const svg = drawBarChart(chart())
    const xs = [...svg.matchAll(/<text x="([\d.]+)"/g)].map(([, text]) => Number(text))
    assert.ok(Math.max(...xs) < 700)
  })

  it('say their numbers in words, and mark up nothing of them', () => {
    assert.equal(describeChart(chart()), 'Rates & <more>, per second. small: a 10, b 20; large: a 1000.')
    const svg = drawBarChart(chart())
    assert.match(svg, /<title id="title">Rates &amp; &lt;more&gt;<\/title>/)
    assert.match(svg, /<desc id="description">[^<]*small: a 10, b 20; large: a 1000\.<\/desc>/)
  })

  it('follow the reader’s colour scheme', () => {
    assert.match(drawBarChart(chart()), /prefers-color-scheme: dark/)
  })
})
