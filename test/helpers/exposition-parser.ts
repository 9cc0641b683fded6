import assert from 'node:assert/strict'
import type { ExpositionFormat } from '../../component/monitor/exposition.ts'

/** One family of metrics as a strict scraper reads it. */
export interface ParsedFamily {
  /** Without `_total` for a counter. */
  readonly name: string
  readonly type: 'gauge' | 'counter'
  readonly help: string
  readonly samples: readonly {
    readonly name: string
    readonly labels: Readonly<Record<string, string>>
    readonly value: number
  }[]
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*'
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/y
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(.*)\\})? (\\S+)$`)
const VALUE = /^(?:[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|[+-]Inf|NaN)$/

const unescape = (text: string): string => text.replace(/\\(.)/g, (_, char) => (char === 'n' ? '\n' : String(char)))

function parseLabels(text: string, line: string): Record<string, string> {
  const labels: Record<string, string> = {}
  LABEL.lastIndex = 0
  while (LABEL.lastIndex < text.length) {
    const match = LABEL.exec(text)
    assert.ok(match !== null, `labels of ${line}`)
    const [, name = '', value = ''] = match
    assert.ok(!Object.hasOwn(labels, name), `a label twice: ${line}`)
    labels[name] = unescape(value)
  }
  return labels
}

/**
 * Reads the text format of Prometheus 0.0.4, or that of OpenMetrics 1.0, and refuses everything that a scraper may refuse:
 * https://prometheus.io/docs/instrumenting/exposition_formats/,
 * https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md.
 */
export function parseExposition(text: string, format: ExpositionFormat): ReadonlyMap<string, ParsedFamily> {
  assert.ok(text.endsWith('\n') && !text.includes('\r'), 'lines end with a line feed')
  const lines = text.slice(0, -1).split('\n')
  if (format === 'openmetrics') assert.equal(lines.pop(), '# EOF')
  const families = new Map<string, ParsedFamily>()
  const seen = new Set<string>()
  let current: { name: string; type: 'gauge' | 'counter'; samples: ParsedFamily['samples'][number][] } | undefined
  let help: { name: string; text: string } | undefined
  for (const line of lines) {
    const [, kind, told = '', rest = ''] = new RegExp(`^# (HELP|TYPE) (${NAME}) (.*)$`).exec(line) ?? []
    if (kind === 'HELP') {
      help = { name: told, text: unescape(rest) }
    } else if (kind === 'TYPE') {
      assert.ok(rest === 'gauge' || rest === 'counter', line)
      assert.equal(help?.name, told, `HELP stands before ${line}`)
      const name = rest === 'counter' && format === 'prometheus' ? told.replace(/_total$/, '') : told
      assert.ok(!families.has(name), `a family is one group: ${line}`)
      current = { name, type: rest, samples: [] }
      families.set(name, { ...current, help: help.text })
    } else {
      const [, name = '', labels = '', value = ''] = SAMPLE.exec(line) ?? []
      assert.ok(current !== undefined, line)
      assert.equal(name, current.type === 'counter' ? `${current.name}_total` : current.name, line)
      assert.match(value, VALUE, line)
      const sample = { name, labels: parseLabels(labels, line), value: Number(value.replace('Inf', 'Infinity')) }
      const key = `${name}${JSON.stringify(Object.entries(sample.labels).sort())}`
      assert.ok(!seen.has(key), `a series twice: ${line}`)
      seen.add(key)
      current.samples.push(sample)
    }
  }
  return families
}
