import type { Measurement } from '../compare.ts'
import { readable, type Spread } from '../statistics.ts'
import type { ScenarioResult } from '../results.ts'
import type { Bar, BarChart, BarGroup } from './bar-chart.ts'

/** Which numbers of which scenario are drawn. */
interface ChartSpec {
  /** Name of the file, without its ending. */
  readonly file: string
  readonly scenario: string
  readonly subtitle: string
  readonly hasOwnScales?: boolean
  readonly value: (row: Measurement) => Spread | number | undefined
}

const MORE_IS_BETTER = 'messages per second, more is better'

const SPECS: readonly ChartSpec[] = [
  { file: 'pipelined-rate', scenario: 'pipelined', subtitle: MORE_IS_BETTER, value: ({ rate }) => rate },
  {
    file: 'pipelined-cpu',
    scenario: 'pipelined',
    subtitle: 'server CPU time per message in µs, less is better',
    value: ({ cpuUs }) => cpuUs
  },
  {
    file: 'synchronous-latency',
    scenario: 'synchronous',
    subtitle: 'median latency in µs, less is better',
    value: ({ p50Us }) => p50Us
  },
  {
    file: 'sizes-rate',
    scenario: 'sizes',
    subtitle: `${MORE_IS_BETTER}; each size has a scale of its own`,
    hasOwnScales: true,
    value: ({ rate }) => rate
  },
  { file: 'connections-rate', scenario: 'connections', subtitle: MORE_IS_BETTER, value: ({ rate }) => rate },
  {
    file: 'flush-rate',
    scenario: 'flush',
    subtitle: `${MORE_IS_BETTER}; each load has a scale of its own`,
    hasOwnScales: true,
    value: ({ rate }) => rate
  },
  {
    file: 'read-rate',
    scenario: 'read',
    subtitle: `${MORE_IS_BETTER}; each batch has a scale of its own`,
    hasOwnScales: true,
    value: ({ rate }) => rate
  }
]

/** Colours by how a server's label begins, so that each keeps its colour in all charts. */
const SERIES: readonly string[] = ['stream-manager', 'nats-server', 'redis-server']

function seriesOf(server: string): number {
  const index = SERIES.findIndex((name) => server.startsWith(name))
  return index === -1 ? SERIES.length : index
}

function barOf(row: Measurement, value: Spread | number): Bar {
  const isSpread = typeof value !== 'number'
  return {
    label: row.server,
    value: isSpread ? value.median : value,
    range: isSpread ? [value.min, value.max] : undefined,
    series: seriesOf(row.server)
  }
}

function groupsOf(spec: ChartSpec, axis: string | undefined, measurements: readonly Measurement[]): BarGroup[] {
  const loads = [...new Set(measurements.map(({ load }) => load))]
  return loads.map((load) => ({
    label: axis === undefined || load === '' ? '' : `${axis}: ${load}`,
    bars: measurements.flatMap((row) => {
      const value = row.load === load ? spec.value(row) : undefined
      return value === undefined ? [] : [barOf(row, value)]
    })
  }))
}

/** The charts of a scenario by file name, without its ending. */
export function chartsOf({ name, title, data }: ScenarioResult): ReadonlyMap<string, BarChart> {
  if (data.kind !== 'comparison') return new Map()
  return new Map(
    SPECS.filter(({ scenario }) => scenario === name).map((spec) => [
      spec.file,
      {
        title,
        subtitle: spec.subtitle,
        groups: groupsOf(spec, data.axis, data.measurements),
        hasOwnScales: spec.hasOwnScales === true,
        format: readable
      }
    ])
  )
}
