import type { MonitorSources } from '../../component/monitor/sources.ts'

/** What a monitor sees of a server that is well, beside its streams. */
export const CALM_SOURCES: Omit<MonitorSources, 'clock' | 'registry' | 'engine'> = {
  version: '2.4.0',
  eventLoop: { p99Seconds: 0.01, maxSeconds: 0.02, reset: () => undefined, stop: () => undefined },
  process: {
    pid: 1,
    nodeVersion: 'v20',
    uptimeSeconds: () => 60,
    residentBytes: () => 1_000,
    cpuSeconds: () => 2
  },
  connectionCount: () => 3,
  spaceProblem: () => undefined,
  isCatalogueFailing: () => false,
  isStopping: () => false
}
