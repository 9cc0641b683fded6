import type { Job, Sample } from '../job.ts'
import { cpuSeconds, peakResidentMib, resetPeak } from '../process-usage.ts'
import { createHistogram } from './histogram.ts'

/** Counts messages and latencies inside the measured time, and what the server uses meanwhile. */
export interface Meter {
  begin(): void
  /** Messages acknowledged or received; before `begin` nothing is counted. */
  add(count: number): void
  addLatency(ms: number): void
  /** Messages of a second kind. */
  addBeside(count: number): void
  /** True once something was counted. */
  readonly hasCounted: boolean
  /** @throws Error when the time was too short or nothing was counted */
  finish(): Sample
}

const SECONDS_PART_MIN = 0.9
/** A first answer may take longer than a short run. */
const EXTRA_RUNS_MAX = 200

/** @param secondsMin undefined: as long as it takes */
export function createMeter(serverPid: number | undefined, secondsMin: number | undefined): Meter {
  const latencies = createHistogram()
  let isMeasuring = false
  let messages = 0
  let messagesBeside = 0
  let fromMs = 0
  let serverFrom = 0
  let generatorFrom = process.cpuUsage()
  const serverCpu = (): number => (serverPid === undefined ? 0 : cpuSeconds(serverPid))
  return {
    begin() {
      if (serverPid !== undefined) resetPeak(serverPid)
      serverFrom = serverCpu()
      generatorFrom = process.cpuUsage()
      fromMs = performance.now()
      isMeasuring = true
    },
    add(count) {
      if (isMeasuring) messages += count
    },
    addLatency(ms) {
      if (isMeasuring) latencies.add(ms * 1000)
    },
    addBeside(count) {
      if (isMeasuring) messagesBeside += count
    },
    get hasCounted() {
      return messages > 0
    },
    finish() {
      const seconds = (performance.now() - fromMs) / 1000
      const serverCpuSeconds = serverCpu() - serverFrom
      const { user, system } = process.cpuUsage(generatorFrom)
      isMeasuring = false
      if (messages === 0) throw new Error('nothing was answered in the measured time')
      if (seconds < (secondsMin ?? 0) * SECONDS_PART_MIN) throw new Error('the run measured too little')
      return {
        messages,
        seconds,
        serverCpuSeconds,
        peakMib: serverPid === undefined ? 0 : peakResidentMib(serverPid),
        generatorCpuSeconds: (user + system) / 1e6,
        latencies: latencies.sparse(),
        messagesBeside
      }
    }
  }
}

/** Measures what is already under way, after the warm-up. */
export async function measureFor(meter: Meter, { warmUpSeconds, seconds }: Job): Promise<Sample> {
  await new Promise((resolve) => setTimeout(resolve, warmUpSeconds * 1000))
  meter.begin()
  let runs = 0
  do {
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
    runs += 1
  } while (!meter.hasCounted && runs < EXTRA_RUNS_MAX)
  return meter.finish()
}
