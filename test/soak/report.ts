import type { ShakyEndpoint } from './endpoint.ts'
import { type Sample, slopePerMinute } from './probe.ts'
import type { Traffic } from './traffic.ts'

export interface SoakFigures {
  readonly samples: readonly Sample[]
  readonly traffic: readonly Traffic[]
  readonly visitors: number
  readonly endpoint: ShakyEndpoint
  /** Everything that the server wrote. */
  readonly log: string
}

/** Before that caches fill and streams grow to their size: no part of any slope. */
const WARM_UP_SHARE = 0.25

/** Prints what the server held at the start of the steady state, at the end, at most, and how that changed by the hour. */
export function printReport({ samples, traffic, visitors, endpoint, log }: SoakFigures): void {
  const steady = samples.slice(Math.floor(samples.length * WARM_UP_SHARE))
  const line = (name: string, unit: string, value: (sample: Sample) => number): void => {
    const seen = steady.filter((sample) => !Number.isNaN(value(sample)))
    const all = seen.map(value)
    if (all.length === 0) return
    const slope = slopePerMinute(seen, value) * 60
    const figures = [all[0]!, all.at(-1)!, Math.max(...all)].map((figure) => figure.toFixed(1).padStart(8))
    console.log(`${name.padEnd(20)} ${figures.join(' ')} ${unit.padEnd(4)} ${slope.toFixed(2).padStart(8)} per hour`)
  }
  console.log(`\n${''.padEnd(20)}    first     last     most, from minute ${steady[0]?.minute.toFixed(0) ?? '-'} on`)
  line('resident', 'MiB', ({ residentMib }) => residentMib)
  line('JavaScript heap', 'MiB', ({ heapUsedMib }) => heapUsedMib)
  line('other buffers', 'MiB', ({ externalMib }) => externalMib)
  line('descriptors', '', ({ descriptors }) => descriptors)
  line('threads', '', ({ threads }) => threads)
  line('store', 'MiB', ({ storeMib }) => storeMib)
  line('files', '', ({ storeFiles }) => storeFiles)
  line('loop delay, p99', 'ms', ({ loopDelayP99Ms }) => loopDelayP99Ms)
  line('loop delay, longest', 'ms', ({ loopDelayMaxMs }) => loopDelayMaxMs)
  for (const { name, acknowledged, refused, read } of traffic)
    console.log(`${name.padEnd(12)} ${acknowledged} acknowledged, ${refused} refused for lack of space, ${read} read`)
  console.log(`${visitors} visitors; exports: ${endpoint.refusals} bad answers, ${endpoint.duplicates} sent twice`)
  const levels = ['WARN', 'ERROR'].map((level) => `${log.split(`[${level}]`).length - 1} ${level}`)
  console.log(`server log: ${log.length} bytes, ${levels.join(', ')}`)
}
