import { Worker } from 'node:worker_threads'

/** Looks after a thread that may be caught in an endless loop, which no timer of its own can tell. */
export interface Watchdog {
  /** The input that begins now. */
  watch(target: string, inputSeed: number): void
  stop(): Promise<void>
}

const PATIENCE_MS = 30_000
const NAME_BYTES = 60

/** Runs beside the watched thread: kills the process when the counter stands still. */
const SOURCE = `
const { workerData } = require('node:worker_threads')
const { writeSync } = require('node:fs')
const words = new Uint32Array(workerData, 0, 2)
const name = new Uint8Array(workerData, 8)
let last = -1
setInterval(() => {
  const now = Atomics.load(words, 0)
  if (now === last) {
    const target = Buffer.from(name).toString().replaceAll('\\0', '')
    const seed = Atomics.load(words, 1)
    writeSync(2, target + ': seed ' + seed + ' never ends\\nagain: npm run fuzz -- --seed ' + seed + ' --count 1 ' + target + '\\n')
    process.kill(process.pid, 'SIGKILL')
  }
  last = now
}, ${PATIENCE_MS})
`

/** Starts the watchdog; an input may take 30 seconds at least. */
export function startWatchdog(): Watchdog {
  const memory = new SharedArrayBuffer(8 + NAME_BYTES + 4)
  const words = new Uint32Array(memory, 0, 2)
  const name = Buffer.from(memory, 8)
  const worker = new Worker(SOURCE, { eval: true, workerData: memory })
  worker.unref()
  return {
    watch(target, inputSeed) {
      name.fill(0)
      name.write(target.slice(0, NAME_BYTES))
      Atomics.store(words, 1, inputSeed)
      Atomics.add(words, 0, 1)
    },
    async stop() {
      await worker.terminate()
    }
  }
}
