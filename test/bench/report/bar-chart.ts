/**
 * Horizontal bars as SVG, readable on light and dark pages and without seeing: title and description hold the numbers,
 * colours follow the reader's scheme, and every bar has its value beside it.
 */

export interface Bar {
  readonly label: string
  readonly value: number
  /** Lowest and highest of the rounds, drawn as a line; undefined when they are not known. */
  readonly range: readonly [number, number] | undefined
  /** Of the colours; the same thing has the same one in all charts. */
  readonly series: number
}

export interface BarGroup {
  /** Empty when there is only one group. */
  readonly label: string
  readonly bars: readonly Bar[]
}

export interface BarChart {
  readonly title: string
  /** Below the title: unit, and which direction is better. */
  readonly subtitle: string
  readonly groups: readonly BarGroup[]
  /** Groups of very different size are each drawn to their own largest bar. */
  readonly hasOwnScales: boolean
  readonly format: (value: number) => string
}

const WIDTH = 760
const LABEL_WIDTH = 230
const VALUE_WIDTH = 90
const BAR_HEIGHT = 18
const BAR_STEP = 24
const GROUP_GAP = 14
const GROUP_LABEL_HEIGHT = 24
const TOP = 58
const BOTTOM = 12
const BAR_WIDTH_MAX = WIDTH - LABEL_WIDTH - VALUE_WIDTH

const STYLE = `
    svg { color: #1f2328; font-family: system-ui, sans-serif; font-size: 13px }
    .title { font-size: 15px; font-weight: 600 }
    .muted { opacity: 0.75 }
    .group { font-weight: 600 }
    .s0 { fill: #2a6fdb } .s1 { fill: #c4661f } .s2 { fill: #2f8f5b } .s3 { fill: #7a7f87 }
    .range { stroke: currentColor; stroke-width: 1.5 }
    @media (prefers-color-scheme: dark) {
      svg { color: #e6edf3 }
      .s0 { fill: #6ea8fe } .s1 { fill: #f0a35e } .s2 { fill: #63c48f } .s3 { fill: #9aa0a8 }
    }
  `

const escape = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

const rounded = (value: number): string => String(Math.round(value * 10) / 10)

function text(x: number, y: number, content: string, attributes: string): string {
  return `<text x="${rounded(x)}" y="${rounded(y)}" ${attributes}>${escape(content)}</text>`
}

function largest(groups: readonly BarGroup[]): number {
  return Math.max(...groups.flatMap(({ bars }) => bars.map(({ value, range }) => Math.max(value, range?.[1] ?? 0))))
}

function drawBar(bar: Bar, y: number, scale: number, format: (value: number) => string): string[] {
  const middle = y + BAR_HEIGHT / 2
  const width = bar.value * scale
  const end = LABEL_WIDTH + Math.max(width, (bar.range?.[1] ?? 0) * scale)
  const parts = [
    text(LABEL_WIDTH - 8, middle, bar.label, 'text-anchor="end" dominant-baseline="central"'),
    `<rect class="s${bar.series}" x="${LABEL_WIDTH}" y="${rounded(y)}" width="${rounded(width)}" height="${BAR_HEIGHT}" rx="2"/>`,
    text(end + 8, middle, format(bar.value), 'dominant-baseline="central"')
  ]
  if (bar.range !== undefined) {
    const [from, to] = bar.range.map((value) => rounded(LABEL_WIDTH + value * scale))
    parts.push(`<line class="range" x1="${from!}" x2="${to!}" y1="${rounded(middle)}" y2="${rounded(middle)}"/>`)
  }
  return parts
}

/** What the chart says, as one text. */
export function describeChart({ title, subtitle, groups, format }: BarChart): string {
  const all = groups.map(({ label, bars }) => {
    const values = bars.map((bar) => `${bar.label} ${format(bar.value)}`).join(', ')
    return label === '' ? values : `${label}: ${values}`
  })
  return `${title}, ${subtitle}. ${all.join('; ')}.`
}

export function drawBarChart(chart: BarChart): string {
  const parts: string[] = []
  let y = TOP
  for (const group of chart.groups) {
    const scale = BAR_WIDTH_MAX / largest(chart.hasOwnScales ? [group] : chart.groups)
    if (group.label !== '') {
      parts.push(text(12, y + GROUP_LABEL_HEIGHT / 2 - 2, group.label, 'class="group" dominant-baseline="central"'))
      y += GROUP_LABEL_HEIGHT
    }
    for (const bar of group.bars) {
      parts.push(...drawBar(bar, y, scale, chart.format))
      y += BAR_STEP
    }
    y += GROUP_GAP
  }
  const height = y - GROUP_GAP + BOTTOM
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="title description">`,
    `  <title id="title">${escape(chart.title)}</title>`,
    `  <desc id="description">${escape(describeChart(chart))}</desc>`,
    `  <style>${STYLE}</style>`,
    `  <g fill="currentColor">`,
    ...[text(12, 22, chart.title, 'class="title"'), text(12, 42, chart.subtitle, 'class="muted"'), ...parts].map(
      (part) => `    ${part}`
    ),
    '  </g>',
    '</svg>',
    ''
  ].join('\n')
}
