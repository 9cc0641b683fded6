/** What the classic nucleus says of a PutComponentMetric request (greengrass 5.2). */

export interface PutMetric {
  readonly name: string
  readonly value: number
}

/** As the classic nucleus compares them: without case and punctuation. */
const UNITS = ['BYTES', 'BYTESPERSECOND', 'COUNT', 'COUNTPERSECOND', 'MEGABYTES', 'SECONDS']
const NAME_BYTES_MAX = 32

function problemOf(metric: unknown): string | undefined {
  if (typeof metric !== 'object' || metric === null) return 'a metric that is no object'
  const { name, unit, value, ...others } = metric as Readonly<Record<string, unknown>>
  if (Object.keys(others).length > 0) return `a metric with ${Object.keys(others).join()}`
  if (typeof name !== 'string' || name === '') return 'a metric without a name'
  if (Buffer.byteLength(name) > NAME_BYTES_MAX) return 'a metric with a long name'
  if (typeof unit !== 'string' || !UNITS.includes(unit.toUpperCase().replace(/[^A-Z]/g, ''))) return 'a wrong unit'
  if (typeof value !== 'number' || !(value >= 0)) return 'a metric with a wrong value'
  return undefined
}

/**
 * The metrics of a request.
 * @throws Error when the nucleus would not take them
 */
export function readMetrics({ metrics, ...others }: Readonly<Record<string, unknown>>): readonly PutMetric[] {
  if (!Array.isArray(metrics) || metrics.length === 0) throw new Error('no metrics')
  if (Object.keys(others).length > 0) throw new Error(`metrics with ${Object.keys(others).join()}`)
  const problem = metrics.map(problemOf).find((found) => found !== undefined)
  if (problem !== undefined) throw new Error(problem)
  return metrics as PutMetric[]
}
