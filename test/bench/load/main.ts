/** The load generator: a process of its own, so that its work is not counted as the server's. Prints a Sample as JSON. */
import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { type Job, makePayload, type Sample, type Work } from '../job.ts'
import { runAppend } from './append.ts'
import { createMeter } from './meter.ts'
import { runRead, runSteady } from './read.ts'
import { runSdk } from './sdk.ts'

const WARM_UP_SYNCS = 100

/** One write and one sync per message, in a single file: what a server without group commit could do at best. */
function fdatasync({ folder, delayMs = 0 }: Extract<Work, { kind: 'fdatasync' }>, seconds: number): Sample {
  const meter = createMeter(undefined, seconds)
  const path = join(folder, 'fdatasync')
  const file = openSync(path, 'w')
  const payload = makePayload()
  const nothing = new Int32Array(new SharedArrayBuffer(4))
  const once = (): void => {
    const startMs = performance.now()
    writeSync(file, payload)
    if (delayMs > 0) Atomics.wait(nothing, 0, 0, delayMs)
    fdatasyncSync(file)
    meter.addLatency(performance.now() - startMs)
    meter.add(1)
  }
  for (let index = 0; index < WARM_UP_SYNCS; index += 1) once()
  meter.begin()
  for (const endMs = performance.now() + seconds * 1000; performance.now() < endMs;) once()
  const sample = meter.finish()
  closeSync(file)
  rmSync(path)
  return sample
}

function run(job: Job): Promise<Sample> | Sample {
  const { work, target } = job
  if (work.kind === 'fdatasync') return fdatasync(work, job.seconds)
  if (target === undefined) throw new Error(`${work.kind} needs a server`)
  switch (work.kind) {
    case 'append':
      return runAppend(work, job, target)
    case 'read':
      return runRead(work, job, target)
    case 'steady':
      return runSteady(work, job, target)
    case 'sdk':
      return runSdk(work, job, target)
  }
}

const sample = await run(JSON.parse(process.argv[2]!) as Job)
// Servers close connections in their own ways when the load stops: that is no error.
process.stdout.write(JSON.stringify(sample), () => process.exit(0))
