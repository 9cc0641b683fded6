import { readdirSync } from 'node:fs'
import { cpuSecondsOf } from '../process-usage.ts'

/** CPU time of a server by thread, seconds. */
export interface ThreadCpu {
  readonly main: number
  /** The busiest other thread: the exporter worker, while it works. */
  readonly worker: number
  /** Thread pool, garbage collection and compilers. */
  readonly rest: number
}

/** CPU time used so far, by thread id. */
export function cpuByThread(pid: number): ReadonlyMap<number, number> {
  const threads = readdirSync(`/proc/${pid}/task`)
  return new Map(threads.map((thread) => [Number(thread), cpuSecondsOf(`/proc/${pid}/task/${thread}/stat`)]))
}

/** What was used between two samples of one process. */
export function cpuBetween(
  pid: number,
  before: ReadonlyMap<number, number>,
  after: ReadonlyMap<number, number>
): ThreadCpu {
  const used = [...after].map(([thread, seconds]) => [thread, seconds - (before.get(thread) ?? 0)] as const)
  const main = used.find(([thread]) => thread === pid)?.[1] ?? 0
  const others = used.filter(([thread]) => thread !== pid).map(([, seconds]) => seconds)
  const worker = Math.max(0, ...others)
  return { main, worker, rest: others.reduce((sum, seconds) => sum + seconds, 0) - worker }
}
