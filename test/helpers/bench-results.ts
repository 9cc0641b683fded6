import type { Measurement } from '../bench/compare.ts'
import type { Machine } from '../bench/machine.ts'
import type { Results, ScenarioResult } from '../bench/results.ts'

export const MACHINE: Machine = {
  date: '2026-01-02',
  processor: 'A Processor',
  cores: 2,
  memoryGib: 8,
  system: 'A System',
  fileSystem: 'ext4',
  node: 'v20.0.0',
  streamManager: '1.2.3 (commit abc)',
  nats: '2.9.10',
  redis: undefined
}

/** A row of a comparison with plausible numbers. */
export function measurement(changes: Partial<Measurement> = {}): Measurement {
  return {
    load: '',
    server: 'stream-manager',
    payloadBytes: 1024,
    rate: { median: 120_000, min: 108_000, max: 126_000 },
    cpuUs: { median: 6, min: 5, max: 7 },
    p50Us: 1_234,
    p99Us: 4_321,
    p999Us: 9_876,
    peakMib: 99.6,
    generatorShare: 0.42,
    besideRate: undefined,
    ...changes
  }
}

export function comparison(name: string, measurements: readonly Measurement[], axis?: string): ScenarioResult {
  return {
    name,
    title: `Title of ${name}`,
    note: undefined,
    method: 'Medians of 3 rounds of 2 s.',
    data: { kind: 'comparison', shape: 'throughput', axis, measurements }
  }
}

export function resultsOf(...scenarios: readonly ScenarioResult[]): Results {
  return { machine: MACHINE, scenarios }
}
