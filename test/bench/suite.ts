import { type Fleet, type Measurement, runFleet } from './compare.ts'
import { type CompareScenario, compareScenarios } from './compare-scenarios.ts'
import { EXPORT_SCENARIOS, type ExportScenario } from './exports/scenarios.ts'
import { runMicro } from './micro/run.ts'
import type { Options } from './options.ts'
import type { ScenarioResult } from './results.ts'
import { growth } from './special/growth.ts'
import type { SpecialScenario } from './special/special.ts'
import { start } from './special/start.ts'

/** Something to measure and to show as one section. */
export interface Scenario {
  readonly name: string
  /** Other names that choose it too. */
  readonly groups: readonly string[]
  readonly isInDefault: boolean
  /** @param earlier what the same run of the suite has measured so far */
  run(options: Options, report: (line: string) => void, earlier: readonly ScenarioResult[]): Promise<ScenarioResult>
}

const roundsOf = ({ rounds, seconds }: Options): string =>
  `Medians of ${rounds} ${rounds === 1 ? 'round' : 'rounds'} of ${seconds} s.`

/** What another scenario has measured of this fleet, under the fleet's own label. */
function knownMeasurements(fleet: Fleet, earlier: readonly ScenarioResult[]): readonly Measurement[] | undefined {
  const data = earlier.find(({ name }) => name === fleet.sameAs)?.data
  if (data?.kind !== 'comparison') return undefined
  return data.measurements.map((measurement) => ({ ...measurement, load: fleet.loads[0]?.label ?? '' }))
}

function comparison(scenario: CompareScenario): Scenario {
  const { name, title, note, shape, axis, fleets } = scenario
  return {
    name,
    groups: [],
    isInDefault: true,
    async run(options, report, earlier) {
      const measurements: Measurement[] = []
      for (const fleet of fleets) {
        const known = knownMeasurements(fleet, earlier)
        measurements.push(...(known ?? (await runFleet(fleet, { ...options, report }))))
      }
      return { name, title, note, method: roundsOf(options), data: { kind: 'comparison', shape, axis, measurements } }
    }
  }
}

function special({ name, title, note, run }: SpecialScenario, method: (options: Options) => string): Scenario {
  return {
    name,
    groups: [],
    isInDefault: true,
    async run(options, report) {
      const rows = await run({ ...options, report })
      return { name, title, note, method: method(options), data: { kind: 'table', rows } }
    }
  }
}

function exporting({ name, title, note, hasRounds = false, run }: ExportScenario, isInDefault: boolean): Scenario {
  return {
    name,
    groups: ['exports'],
    isInDefault,
    async run({ messages, profiles, rounds }, report) {
      report(title)
      const rows = await run({ messages, profiles, rounds })
      const method = hasRounds ? `Medians of ${rounds} ${rounds === 1 ? 'round' : 'rounds'}.` : 'Measured once.'
      return { name, title, note, method, data: { kind: 'table', rows } }
    }
  }
}

const DEFAULT_EXPORT = 'append-while-exporting'

const micro: Scenario = {
  name: 'micro',
  groups: [],
  isInDefault: false,
  async run({ rounds, seconds }) {
    const rows = await runMicro({ rounds, seconds })
    const title = 'Single parts, in one process without a server'
    return { name: 'micro', title, note: undefined, method: '', data: { kind: 'table', rows } }
  }
}

/** Everything there is, in the order of the document. */
export const makeSuite = ({ storedMessages }: Pick<Options, 'storedMessages'>): readonly Scenario[] => [
  ...compareScenarios(storedMessages).map(comparison),
  ...EXPORT_SCENARIOS.map((scenario) => exporting(scenario, scenario.name === DEFAULT_EXPORT)),
  special(growth, roundsOf),
  special(start, ({ rounds }) => `Medians of ${rounds} ${rounds === 1 ? 'start' : 'starts'}.`),
  micro
]

/** @throws Error that lists all names when one is unknown */
export function chooseScenarios(options: Options): readonly Scenario[] {
  const { names, isFull } = options
  const suite = makeSuite(options)
  if (names.length === 0) {
    return suite.filter(({ isInDefault, groups }) => isInDefault || (isFull && groups.includes('exports')))
  }
  const known = new Set(suite.flatMap(({ name, groups }) => [name, ...groups]))
  const unknown = names.filter((name) => !known.has(name))
  if (unknown.length > 0) throw new Error(`no scenario ${unknown.join(', ')}; there are ${[...known].join(', ')}`)
  return suite.filter(({ name, groups }) => [name, ...groups].some((word) => names.includes(word)))
}
