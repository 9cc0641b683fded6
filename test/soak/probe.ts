import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** What the server process holds at a moment. */
export interface Sample {
  readonly minute: number
  readonly residentMib: number
  readonly heapUsedMib: number
  /** Buffers outside of the JavaScript heap. */
  readonly externalMib: number
  readonly descriptors: number
  readonly threads: number
  readonly storeMib: number
  readonly storeFiles: number
  /** Of the main thread since the sample before, milliseconds. */
  readonly loopDelayP99Ms: number
  readonly loopDelayMaxMs: number
}

const INSIDE_PERIOD_MS = 5_000
const MIB = 1024 * 1024

interface Inside {
  readonly heapUsed: number
  readonly external: number
  readonly p99: number
  readonly max: number
}

/** An argument for node: a module that writes what can be seen from inside only to a file, in the main thread alone. */
export function insideProbe(file: string): string {
  const source = `
    import { monitorEventLoopDelay } from 'node:perf_hooks'
    import { renameSync, writeFileSync } from 'node:fs'
    import { isMainThread } from 'node:worker_threads'
    if (isMainThread) {
      const delay = monitorEventLoopDelay({ resolution: 10 })
      delay.enable()
      setInterval(() => {
        const { heapUsed, external } = process.memoryUsage()
        const inside = { heapUsed, external, p99: delay.percentile(99) / 1e6, max: delay.max / 1e6 }
        delay.reset()
        writeFileSync(${JSON.stringify(`${file}.new`)}, JSON.stringify(inside))
        renameSync(${JSON.stringify(`${file}.new`)}, ${JSON.stringify(file)})
      }, ${INSIDE_PERIOD_MS}).unref()
    }`
  return `--import=data:text/javascript,${encodeURIComponent(source)}`
}

function sizesBelow(folder: string): { readonly bytes: number; readonly files: number } {
  let bytes = 0
  let files = 0
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    // A segment may be dropped between the two calls.
    bytes += 512 * (statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.blocks ?? 0)
    files += 1
  }
  return { bytes, files }
}

/** @param insideFile the file of `insideProbe`, which is there a few seconds after the start */
export function takeSample(pid: number, storeRoot: string, insideFile: string, minute: number): Sample {
  const inside = existsSync(insideFile) ? (JSON.parse(readFileSync(insideFile, 'utf8')) as Inside) : undefined
  const store = sizesBelow(join(storeRoot, 'streams-v1'))
  return {
    minute,
    residentMib: Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024,
    heapUsedMib: (inside?.heapUsed ?? NaN) / MIB,
    externalMib: (inside?.external ?? NaN) / MIB,
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    threads: readdirSync(`/proc/${pid}/task`).length,
    storeMib: store.bytes / MIB,
    storeFiles: store.files,
    loopDelayP99Ms: inside?.p99 ?? NaN,
    loopDelayMaxMs: inside?.max ?? NaN
  }
}

/** Change per minute of the line that fits the samples best (least squares). */
export function slopePerMinute(samples: readonly Sample[], value: (sample: Sample) => number): number {
  const mean = (of: (sample: Sample) => number): number =>
    samples.reduce((sum, sample) => sum + of(sample), 0) / samples.length
  const middle = mean(({ minute }) => minute)
  const average = mean(value)
  const above = mean((sample) => (sample.minute - middle) * (value(sample) - average))
  return above / mean(({ minute }) => (minute - middle) ** 2)
}
