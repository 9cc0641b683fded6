import type { Clock } from '../base/clock.ts'
import type { EventLoopWatch } from '../base/event-loop.ts'
import type { ExportEngine } from '../export/index.ts'
import type { Registry } from '../stream/index.ts'

/** Where the monitor looks. All of it is numbers that exist anyway: nothing is counted for the monitor alone. */
export interface MonitorSources {
  readonly clock: Clock
  readonly version: string
  readonly registry: Pick<Registry, 'list' | 'get' | 'whyAbsent'>
  readonly engine: Pick<ExportEngine, 'observe'>
  readonly eventLoop: EventLoopWatch
  readonly process: ProcessNumbers
  connectionCount(): number
  /** Why appends to file streams are refused; undefined when there is room. */
  spaceProblem(): string | undefined
  isCatalogueFailing(): boolean
  isStopping(): boolean
}

export interface ProcessNumbers {
  readonly pid: number
  readonly nodeVersion: string
  uptimeSeconds(): number
  residentBytes(): number
  cpuSeconds(): number
}
