import { execFile } from 'node:child_process'
import { rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import type { Job, Sample, Work } from './job.ts'

const execute = promisify(execFile)

const ROOT = dirname(dirname(import.meta.dirname))
/** Below the root, so that packages are found from there. */
const OUTPUT = join(ROOT, '.local', 'bench', `load-${process.pid}.mjs`)
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024
/** Server and first generator have a core each, and something is left for the system. */
const CORES_FOR_SECOND_GENERATOR = 4

let building: Promise<string> | undefined

/** Compiled once: a start through the TypeScript loader would take most of a second of both cores. */
function compiled(): Promise<string> {
  if (building === undefined) process.on('exit', () => rmSync(OUTPUT, { force: true }))
  building ??= build({
    entryPoints: [join(import.meta.dirname, 'load', 'main.ts')],
    outfile: OUTPUT,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'error'
  }).then(() => OUTPUT)
  return building
}

async function runProcess(job: Job): Promise<Sample> {
  const { stdout } = await execute(process.execPath, [await compiled(), JSON.stringify(job)], {
    maxBuffer: OUTPUT_BYTES_MAX
  })
  return JSON.parse(stdout) as Sample
}

/** The work of each generator process. */
export function shareWork(work: Work, cores: number): readonly Work[] {
  if (work.kind !== 'append' || work.connections < 2 || cores < CORES_FOR_SECOND_GENERATOR) return [work]
  const half = Math.floor(work.connections / 2)
  return [
    { ...work, connections: work.connections - half },
    { ...work, connections: half }
  ]
}

/** What several generators saw at the same time, as one. The share of CPU is that of the busiest. */
export function mergeSamples(samples: readonly Sample[]): Sample {
  const sum = (of: (sample: Sample) => number): number => samples.reduce((total, sample) => total + of(sample), 0)
  const seconds = sum((sample) => sample.seconds) / samples.length
  const busiest = Math.max(...samples.map((sample) => sample.generatorCpuSeconds / sample.seconds))
  return {
    messages: sum((sample) => sample.messages),
    seconds,
    serverCpuSeconds: sum((sample) => sample.serverCpuSeconds) / samples.length,
    peakMib: Math.max(...samples.map((sample) => sample.peakMib)),
    generatorCpuSeconds: busiest * seconds,
    latencies: samples.flatMap((sample) => sample.latencies),
    messagesBeside: sum((sample) => sample.messagesBeside)
  }
}

/** Runs the load generator, as two processes where there are cores for it. */
export async function runLoad(job: Job): Promise<Sample> {
  const works = shareWork(job.work, availableParallelism())
  return mergeSamples(await Promise.all(works.map((work) => runProcess({ ...job, work }))))
}
