/**
 * Measures what the built server needs: time from its start until it is ready, and resident memory while it has nothing to
 * do. Prints a Markdown table.
 *   npm run footprint -- [--bundle artifacts/stream-manager.cjs] [--node /usr/bin/node] [--starts 5]
 */
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { startFakeNucleus } from '../test/helpers/fake-nucleus.ts'
import { startScriptedServer } from '../test/helpers/scripted-server.ts'
import { BUNDLE, startServer, type ServerOptions, type ServerProcess } from '../test/helpers/server-process.ts'
import { append, createStream } from '../test/helpers/stream-calls.ts'
import { WireClient, type WireMap } from '../test/helpers/wire-client.ts'

/** Until the memory is measured: Node.js gives some of what the start needed back. */
const SETTLE_MS = 3_000

interface Sample {
  readonly readyMs: number
  /** CPU time until it was ready, of all threads; unlike the time it does not depend on what else runs. */
  readonly cpuMs: number
  readonly residentBytes: number
  /** Pages that other processes map too count in part. */
  readonly proportionalBytes: number
}

interface Scenario {
  readonly name: string
  readonly options: (
    folder: string
  ) => Promise<{ readonly options: ServerOptions; readonly close: () => Promise<void> }>
  /** Brings the server into the state that is measured. */
  readonly prepare?: (server: ServerProcess) => Promise<void>
}

const { values: settings } = parseArgs({
  options: {
    bundle: { type: 'string', default: BUNDLE },
    node: { type: 'string', default: process.execPath },
    starts: { type: 'string', default: '5' }
  }
})

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0

/** A field of smaps_rollup, in bytes. */
function mappedBytes(pid: number, field: 'Rss' | 'Pss'): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  return Number(new RegExp(`^${field}: +(\\d+) kB$`, 'm').exec(text)?.[1]) * 1024
}

/** CPU time of all threads so far. */
function cpuMs(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`)
  const nanoseconds = threads.map((id) =>
    Number(readFileSync(`/proc/${pid}/task/${id}/schedstat`, 'utf8').split(' ')[0])
  )
  return nanoseconds.reduce((sum, value) => sum + value, 0) / 1e6
}

const nothing = (): Promise<{ options: ServerOptions; close: () => Promise<void> }> =>
  Promise.resolve({ options: {}, close: () => Promise.resolve() })

/** Under a stand-in for the nucleus, through the AWS IoT Device SDK or without it. */
const underNucleus = (withSdk: boolean) => async (folder: string) => {
  const nucleus = await startFakeNucleus('classic')
  const environment = {
    SVCUID: nucleus.ownToken,
    AWS_GG_NUCLEUS_DOMAIN_SOCKET_FILEPATH_FOR_COMPONENT: nucleus.socketPath,
    STREAM_MANAGER_AUTHENTICATE_CLIENT: 'false'
  }
  let { bundle } = settings
  if (!withSdk) {
    bundle = join(folder, basename(settings.bundle))
    for (const file of [basename(settings.bundle), `lmdb-linux-${process.arch}.node`])
      copyFileSync(join(dirname(settings.bundle), file), join(folder, file))
  }
  return { options: { environment, bundle }, close: () => nucleus.dispose() }
}

/** A server that has exported a message to an endpoint which takes everything. */
const exporting = (exportDefinition: (origin: string) => WireMap): Omit<Scenario, 'name'> => {
  let origin = ''
  let arrived: Promise<void> | undefined
  return {
    async options() {
      const endpoint = await startScriptedServer()
      origin = endpoint.origin
      arrived = endpoint.received(1)
      const environment = {
        AWS_REGION: 'eu-central-1',
        AWS_ENDPOINT_URL_KINESIS: origin,
        AWS_ACCESS_KEY_ID: 'id',
        AWS_SECRET_ACCESS_KEY: 'secret'
      }
      return { options: { environment }, close: () => endpoint.close() }
    },
    async prepare(server) {
      const client = await WireClient.connect({ port: server.port })
      await createStream(client, 's', { exportDefinition: exportDefinition(origin) })
      await append(client, 's', 'message')
      await arrived
      await client.close()
    }
  }
}

const SCENARIOS: readonly Scenario[] = [
  { name: 'alone', options: nothing },
  { name: 'with a nucleus, without the SDK', options: underNucleus(false) },
  { name: 'with a nucleus, through the SDK', options: underNucleus(true) },
  {
    name: 'alone, after an HTTP export',
    ...exporting((origin) => ({ http: [{ identifier: 'e', uri: `${origin}/` }] }))
  },
  {
    name: 'alone, after a Kinesis export',
    ...exporting(() => ({ kinesis: [{ identifier: 'e', kinesisStreamName: 'target' }] }))
  }
]

async function measure(scenario: Scenario, settleMs: number): Promise<Sample> {
  const folder = mkdtempSync(join(tmpdir(), 'stream-manager-footprint-'))
  const { options, close } = await scenario.options(folder)
  const startMs = performance.now()
  const server = await startServer({ bundle: settings.bundle, node: settings.node, ...options })
  const readyMs = performance.now() - startMs
  const startCpuMs = cpuMs(server.pid)
  try {
    await scenario.prepare?.(server)
    await new Promise((resolve) => setTimeout(resolve, settleMs))
    const [residentBytes, proportionalBytes] = [mappedBytes(server.pid, 'Rss'), mappedBytes(server.pid, 'Pss')]
    return { readyMs, cpuMs: startCpuMs, residentBytes, proportionalBytes }
  } finally {
    await server.dispose()
    await close()
    rmSync(folder, { recursive: true })
  }
}

const mib = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MiB`

console.log('| server | ready after | CPU time until then | resident | proportional |\n| --- | --- | --- | --- | --- |')
for (const scenario of SCENARIOS) {
  const samples: Sample[] = []
  for (let start = 0; start < Number(settings.starts); start += 1) samples.push(await measure(scenario, SETTLE_MS))
  const [readyMs = 0, startCpuMs = 0, resident = 0, proportional = 0] = (
    ['readyMs', 'cpuMs', 'residentBytes', 'proportionalBytes'] as const
  ).map((field) => median(samples.map((sample) => sample[field])))
  console.log(
    `| ${scenario.name} | ${readyMs.toFixed(0)} ms | ${startCpuMs.toFixed(0)} ms | ${mib(resident)} | ${mib(proportional)} |`
  )
}
