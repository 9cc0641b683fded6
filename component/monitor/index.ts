import process from 'node:process'
import { watchEventLoop } from '../base/event-loop.ts'
import { Fault } from '../base/fault.ts'
import type { Logger } from '../base/log.ts'
import { limitRepeats } from '../base/log-repeats.ts'
import { listenForMonitoring } from './listener.ts'
import { PAGE_ASSETS } from './page-assets.ts'
import { fileRoutes, messagesRoute, type PageRoutes } from './page-routes.ts'
import { createRecentMessages } from './recent-messages.ts'
import type { MonitorSources, ProcessNumbers } from './sources.ts'
import { createStatusMaker } from './status.ts'

export type { StatusReport } from './report.ts'
export type { MonitorSources } from './sources.ts'

/** The running monitor. */
export interface Monitor {
  /** Undefined when the port could not be opened: the server goes on without. */
  readonly port: number | undefined
  stop(): Promise<void>
}

const PROCESS: ProcessNumbers = {
  pid: process.pid,
  nodeVersion: process.version,
  uptimeSeconds: () => process.uptime(),
  residentBytes: () => process.memoryUsage.rss(),
  cpuSeconds() {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1e6
  }
}

/** The page and what it asks for beyond the status. */
function pageRoutes(registry: MonitorSources['registry'], showsMessages: boolean): PageRoutes {
  const files = PAGE_ASSETS === undefined ? {} : fileRoutes(PAGE_ASSETS)
  return { ...files, '/messages': messagesRoute(createRecentMessages(registry, showsMessages)) }
}

/**
 * Serves the page, metrics, health and status on the loopback address. Trouble with it never touches what the server is for.
 * @param showsMessages whether stored messages may be shown to everybody who reaches the port
 */
export async function startMonitor(
  port: number,
  sources: Omit<MonitorSources, 'eventLoop' | 'process'>,
  logger: Logger,
  showsMessages: boolean
): Promise<Monitor> {
  const status = createStatusMaker({ ...sources, eventLoop: watchEventLoop(), process: PROCESS })
  try {
    const listener = await listenForMonitoring(
      port,
      () => status.report(),
      limitRepeats(logger, sources.clock),
      pageRoutes(sources.registry, showsMessages)
    )
    logger.info('Metrics, health and status are served', { port: listener.port })
    return {
      port: listener.port,
      async stop() {
        status.stop()
        await listener.stop()
      }
    }
  } catch (error) {
    status.stop()
    if (!(error instanceof Fault)) throw error
    logger.warn('Metrics, health and status cannot be served', { reason: error.message })
    return { port: undefined, stop: () => Promise.resolve() }
  }
}
