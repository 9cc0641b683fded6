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
  readonly series: Iterable<Series>
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

/** The lines, each with its end. Families without series are left out. */
export function* expose(families: Iterable<MetricFamily>, format: ExpositionFormat): Generator<string> {
  for (const { name, type, help, series } of families) {
    // OpenMetrics names the family of a counter without the suffix of its series.
    const family = format === 'openmetrics' && type === 'counter' ? name.replace(/_total$/, '') : name
    let isFirst = true
    for (const { labels, value } of series) {
      if (isFirst) yield `# HELP ${family} ${escapeHelp(help)}\n# TYPE ${family} ${type}\n`
      isFirst = false
      yield `${name}${formatLabels(labels)} ${value}\n`
    }
  }
  if (format === 'openmetrics') yield '# EOF\n'
}
