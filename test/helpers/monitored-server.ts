import { once } from 'node:events'
import { request, type IncomingHttpHeaders } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import type { StatusReport } from '../../component/monitor/index.ts'
import { startServer, type ServerOptions, type ServerProcess } from './server-process.ts'

/** Of waiting for the server to say something. */
const PATIENCE_MS = 30_000
const LOOK_AGAIN_MS = 100

/** A port of the loopback address that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

export interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** The built server with its monitor. */
export interface MonitoredServer extends ServerProcess {
  readonly monitorPort: number
  ask(path: string, headers?: Readonly<Record<string, string>>, method?: string): Promise<Reply>
  report(): Promise<StatusReport>
  /** Asks for reports until one is as wanted; rejects with the last one when none becomes so. */
  untilReport(isWanted: (report: StatusReport) => boolean): Promise<StatusReport>
}

export async function startMonitored(options: ServerOptions = {}): Promise<MonitoredServer> {
  const monitorPort = await freePort()
  const environment = { STREAM_MANAGER_MONITOR_PORT: String(monitorPort), ...options.environment }
  const server = await startServer({ ...options, environment })
  const ask = (path: string, headers: Readonly<Record<string, string>> = {}, method = 'GET'): Promise<Reply> =>
    new Promise((resolve, reject) => {
      const sent = request({ host: '127.0.0.1', port: monitorPort, path, method, headers, agent: false }, (answer) => {
        let body = ''
        answer.setEncoding('utf8')
        answer.on('data', (part: string) => (body += part))
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body }))
        answer.on('error', reject)
      })
      sent.on('error', reject)
      sent.end()
    })
  const report = async (): Promise<StatusReport> => JSON.parse((await ask('/status')).body) as StatusReport
  return {
    ...server,
    monitorPort,
    ask,
    report,
    async untilReport(isWanted) {
      const deadlineMs = performance.now() + PATIENCE_MS
      for (;;) {
        const latest = await report()
        if (isWanted(latest)) return latest
        if (performance.now() > deadlineMs) throw new Error(`not so in time: ${JSON.stringify(latest, undefined, 2)}`)
        await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS))
      }
    }
  }
}
