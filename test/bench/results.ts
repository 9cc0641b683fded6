import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { format, resolveConfig } from 'prettier'
import type { Measurement } from './compare.ts'
import type { Shape } from './compare-scenarios.ts'
import type { Machine } from './machine.ts'

/** One measured scenario, as it is kept for the document. */
export interface ScenarioResult {
  readonly name: string
  readonly title: string
  readonly note: string | undefined
  /** How often and how long, in words. */
  readonly method: string
  readonly data:
    | {
        readonly kind: 'comparison'
        readonly shape: Shape
        readonly axis: string | undefined
        readonly measurements: readonly Measurement[]
      }
    /** The first row is the heading. */
    | { readonly kind: 'table'; readonly rows: readonly (readonly string[])[] }
}

export interface Results {
  /** Undefined before the first measurement. */
  readonly machine: Machine | undefined
  readonly scenarios: readonly ScenarioResult[]
}

const ROOT = dirname(dirname(import.meta.dirname))
export const DOCUMENT_FILE = join(ROOT, 'docs', 'performance.md')
export const CHART_FOLDER = join(ROOT, 'docs', 'performance')
const RESULTS_FILE = join(CHART_FOLDER, 'results.json')

export function readResults(): Results {
  if (!existsSync(RESULTS_FILE)) return { machine: undefined, scenarios: [] }
  return JSON.parse(readFileSync(RESULTS_FILE, 'utf8')) as Results
}

/**
 * The earlier results with newer ones in their places.
 * @param order names of all scenarios as the document shows them
 */
export function mergeResults(
  earlier: Results,
  machine: Machine,
  measured: readonly ScenarioResult[],
  order: readonly string[]
): Results {
  const byName = new Map([...earlier.scenarios, ...measured].map((result) => [result.name, result]))
  const scenarios = order.map((name) => byName.get(name)).filter((result) => result !== undefined)
  return { machine, scenarios }
}

export async function writeResults(results: Results): Promise<void> {
  mkdirSync(CHART_FOLDER, { recursive: true })
  writeFileSync(RESULTS_FILE, await formatted(RESULTS_FILE, JSON.stringify(results)))
}

/** The text as Prettier leaves it, so that it passes the check of the format. */
export async function formatted(file: string, text: string): Promise<string> {
  return format(text, { ...(await resolveConfig(file)), filepath: file })
}
