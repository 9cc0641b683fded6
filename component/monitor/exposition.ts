/** One time series: what it is about, and its value now. */
export interface Series {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** Series of one name (https://prometheus.io/docs/instrumenting/exposition_formats/). */
export interface MetricFamily {
  /** As it is queried: a counter ends in `_total`. */
  readonly name: string
  readonly type: 'gauge' | 'counter'
  /** A sentence without a final dot. */
  readonly help: string
  readonly series: readonly Series[]
}

export type ExpositionFormat = 'prometheus' | 'openmetrics'

export const CONTENT_TYPES: Readonly<Record<ExpositionFormat, string>> = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8'
}

/** The format that a scraper's Accept header asks for; by default that of Prometheus. */
export function formatFor(accept: string | undefined): ExpositionFormat {
  return accept?.includes('application/openmetrics-text') === true ? 'openmetrics' : 'prometheus'
}

const escapeHelp = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
const escapeLabel = (text: string): string => escapeHelp(text).replaceAll('"', '\\"')

function formatLabels(labels: Series['labels']): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

/** Families without series are left out. */
export function expose(families: readonly MetricFamily[], format: ExpositionFormat): string {
  const lines: string[] = []
  for (const { name, type, help, series } of families) {
    if (series.length === 0) continue
    // OpenMetrics names the family of a counter without the suffix of its series.
    const family = format === 'openmetrics' && type === 'counter' ? name.replace(/_total$/, '') : name
    lines.push(`# HELP ${family} ${escapeHelp(help)}`, `# TYPE ${family} ${type}`)
    for (const { labels, value } of series) lines.push(`${name}${formatLabels(labels)} ${value}`)
  }
  if (format === 'openmetrics') lines.push('# EOF')
  return `${lines.join('\n')}\n`
}
