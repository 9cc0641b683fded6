import { startServer, type ServerProcess } from '../../helpers/server-process.ts'
import { succeed } from '../../helpers/stream-calls.ts'
import { OP, WireClient, type WireMap } from '../../helpers/wire-client.ts'
import { makePayload } from '../job.ts'
import { peakResidentMib, resetPeak } from '../process-usage.ts'
import { startDestination, type Destination, type EndpointKind, type Received } from './destination.ts'
import { cpuBetween, cpuByThread, type ThreadCpu } from './thread-usage.ts'

/** What the measurements are made with. */
export interface BenchSettings {
  /** Messages of the backlogs of 1 KiB. */
  readonly messages: number
  /** Repetitions of what is not measured once. */
  readonly rounds: number
  /** Folder for CPU profiles of the server's threads; undefined for none. */
  readonly profiles: string | undefined
}

/** A built server with one destination. */
export interface Scene {
  readonly server: ServerProcess
  readonly destination: Destination
  readonly client: WireClient
  readonly payload: Buffer
  createStream(name: string, exportDefinition?: WireMap): Promise<void>
  update(name: string, exportDefinition: WireMap): Promise<void>
  stop(): Promise<void>
}

const STREAM_BYTES_MAX = 8 * 1024 ** 3
/** Exports see what is durable: a background sync comes at most a second after a write. */
const DURABLE_MS = 2_500
const POLL_MS = 20
const PATIENCE_MS = 180_000

export const sleepMs = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
export const untilDurable = (): Promise<void> => sleepMs(DURABLE_MS)

export async function startScene(kind: EndpointKind, { profiles }: BenchSettings): Promise<Scene> {
  const destination = await startDestination(kind)
  const server = await startServer({
    environment: {
      AWS_REGION: 'eu-central-1',
      AWS_ENDPOINT_URL_KINESIS: destination.origin,
      AWS_ENDPOINT_URL_S3: destination.origin,
      AWS_ACCESS_KEY_ID: 'id',
      AWS_SECRET_ACCESS_KEY: 'secret'
    },
    nodeArguments: profiles === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profiles}`]
  })
  const client = await WireClient.connect({ port: server.port })
  const define = async (operation: number, name: string, exportDefinition?: WireMap): Promise<void> => {
    const definition = { name, maxSize: STREAM_BYTES_MAX, strategyOnFull: 1, persistence: 0 }
    await succeed(client, operation, {
      definition: exportDefinition === undefined ? definition : { ...definition, exportDefinition }
    })
  }
  return {
    server,
    destination,
    client,
    payload: makePayload(),
    createStream: (name, exportDefinition) => define(OP.createMessageStream, name, exportDefinition),
    update: (name, exportDefinition) => define(OP.updateMessageStream, name, exportDefinition),
    async stop() {
      await client.close()
      // Profiles are written at a proper end.
      if (profiles !== undefined) await server.kill('SIGTERM')
      await server.dispose()
      await destination.stop()
    }
  }
}

/** An export of all messages to the scene's destination. */
export function batchExport(kind: 'kinesis' | 'http', destination: Destination, disabled: boolean): WireMap {
  return kind === 'kinesis'
    ? { kinesis: [{ identifier: 'e', kinesisStreamName: 'target', disabled }] }
    : { http: [{ identifier: 'e', uri: `${destination.origin}/`, exportFormat: 1, disabled }] }
}

/** What a server did between two points of an export. */
export interface Measured {
  readonly seconds: number
  readonly records: number
  readonly bytes: number
  readonly cpu: ThreadCpu
  readonly peakMib: number
}

/** Waits until the destination has received enough. */
export async function untilReceived(scene: Scene, enough: (received: Received) => boolean): Promise<Received> {
  for (const endMs = performance.now() + PATIENCE_MS; performance.now() < endMs;) {
    const received = await scene.destination.received()
    if (enough(received)) return received
    await sleepMs(POLL_MS)
  }
  throw new Error('the export does not end')
}

/** Measures from the moment at which `begun` holds to the one at which `ended` does. */
export async function measureExport(
  scene: Scene,
  begun: (received: Received) => boolean,
  ended: (received: Received) => boolean
): Promise<Measured> {
  const { pid } = scene.server
  const first = await untilReceived(scene, begun)
  const fromMs = performance.now()
  const cpuFrom = cpuByThread(pid)
  resetPeak(pid)
  const last = await untilReceived(scene, ended)
  const seconds = (performance.now() - fromMs) / 1000
  return {
    seconds,
    records: last.records - first.records,
    bytes: last.bytes - first.bytes,
    cpu: cpuBetween(pid, cpuFrom, cpuByThread(pid)),
    peakMib: peakResidentMib(pid)
  }
}
