import type { Measurement } from '../compare.ts'
import type { Shape } from '../compare-scenarios.ts'
import { readable, type Spread } from '../statistics.ts'

/** A load generator that is busier than this may be what was measured. */
const SATURATED_SHARE = 0.9

const orDash = (value: number | undefined): string => (value === undefined ? '-' : readable(value))

/** How far the rounds lie from their median, as a part of it. */
function deviation({ median, min, max }: Spread): string {
  return `±${Math.round((Math.max(max - median, median - min) / median) * 100)} %`
}

function generator({ generatorShare }: Measurement): string {
  return `${Math.round(generatorShare * 100)} %, ${generatorShare > SATURATED_SHARE ? 'yes' : 'no'}`
}

type Column = readonly [heading: string, cell: (row: Measurement) => string]

const RATE: readonly Column[] = [
  ['messages/s', ({ rate }) => readable(rate.median)],
  ['spread', ({ rate }) => deviation(rate)],
  ['MB/s', ({ rate, payloadBytes }) => readable((rate.median * payloadBytes) / 1e6)]
]
const LATENCY: readonly Column[] = [
  ['p50 µs', ({ p50Us }) => readable(p50Us)],
  ['p99 µs', ({ p99Us }) => readable(p99Us)],
  ['p99.9 µs', ({ p999Us }) => readable(p999Us)]
]
const REST: readonly Column[] = [
  ['peak MiB', ({ peakMib }) => orDash(peakMib)],
  ['client CPU, saturated', generator]
]
const CPU: Column = ['CPU µs/message', ({ cpuUs }) => orDash(cpuUs?.median)]

const COLUMNS: Readonly<Record<Shape, readonly Column[]>> = {
  throughput: [...RATE, ...LATENCY, CPU, ...REST],
  latency: [
    ['appends/s', ({ rate }) => readable(rate.median)],
    ...LATENCY,
    ['reads/s', ({ besideRate }) => orDash(besideRate)],
    ...REST
  ]
}

/** The table of a comparison; the first row is its heading. */
export function comparisonRows(
  shape: Shape,
  axis: string | undefined,
  measurements: readonly Measurement[]
): string[][] {
  const columns = COLUMNS[shape]
  const labels = (server: string, load: string): string[] => (axis === undefined ? [server] : [server, load])
  const heading = [...labels('', axis ?? ''), ...columns.map(([title]) => title)]
  return [
    heading,
    ...measurements.map((row) => [...labels(row.server, row.load), ...columns.map(([, cell]) => cell(row))])
  ]
}
