import { median, readable } from '../statistics.ts'
import { CODEC_BENCHMARKS } from './codec.ts'
import type { MicroBenchmark, PreparedBenchmark } from './micro.ts'
import { WRITER_BENCHMARKS } from './segment-writer.ts'

export const MICRO_BENCHMARKS: readonly MicroBenchmark[] = [...CODEC_BENCHMARKS, ...WRITER_BENCHMARKS]

const FIRST_ITERATIONS = 1_000

async function timeMs(run: PreparedBenchmark['run'], iterations: number): Promise<number> {
  const fromMs = performance.now()
  await run(iterations)
  return performance.now() - fromMs
}

/** Nanoseconds per iteration, from a run that takes about the given time. */
async function measure({ run }: PreparedBenchmark, seconds: number): Promise<number> {
  // The number is doubled until a run is long enough; that one has warmed the compilers up, and the next one counts.
  let iterations = FIRST_ITERATIONS
  while ((await timeMs(run, iterations)) < (seconds * 1000) / 2) iterations *= 2
  return ((await timeMs(run, iterations)) * 1e6) / iterations
}

/** Measures all parts; the first row is the heading of the table. */
export async function runMicro(settings: { readonly rounds: number; readonly seconds: number }): Promise<string[][]> {
  const rows = [['', 'ns', 'per second']]
  for (const benchmark of MICRO_BENCHMARKS) {
    const prepared = await benchmark.prepare()
    try {
      const runs: number[] = []
      for (let round = 0; round < settings.rounds; round += 1) runs.push(await measure(prepared, settings.seconds))
      rows.push([benchmark.name, ...[median(runs), 1e9 / median(runs)].map(readable)])
    } finally {
      prepared.close()
    }
  }
  return rows
}
