import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ServerProcess, startServer } from '../../helpers/server-process.ts'
import { createStream } from '../../helpers/stream-calls.ts'
import { WireClient } from '../../helpers/wire-client.ts'
import { fill, fillStreams } from '../exports/appending.ts'
import { APPEND_STREAM, appendStreams, makePayload, PAYLOAD_BYTES } from '../job.ts'
import { streamManager as protocol } from '../peers/stream-manager.ts'
import { cpuSeconds, residentMib } from '../process-usage.ts'
import { dropFromPageCache } from '../servers.ts'
import { median, readable } from '../statistics.ts'
import { GIB, type SpecialScenario, type SpecialSettings } from './special.ts'

const STREAMS = 1_000
const MESSAGES_PER_STREAM = 20
/** Appended right before the process is killed, so that there is something to recover. */
const MESSAGES_BEFORE_KILL = 1_000
const STREAM_GIB_MAX = 64
const HEADING = [
  'store',
  'stopped: ready after ms',
  'CPU ms until then',
  'resident MiB',
  'killed: ready after ms',
  'CPU ms until then',
  'resident MiB'
]

interface Store {
  readonly label: string
  fill(server: ServerProcess): Promise<void>
}

function storesFor(storedGib: number): Store[] {
  const payload = makePayload()
  return [
    { label: 'empty', fill: () => Promise.resolve() },
    {
      label: `${STREAMS.toLocaleString('en-GB')} streams with ${MESSAGES_PER_STREAM} messages each`,
      async fill({ port }) {
        const names = appendStreams(STREAMS)
        await protocol.createStreams(port, names, { flush: false, inMemory: false })
        await fillStreams(port, names, payload, MESSAGES_PER_STREAM)
      }
    },
    {
      label: `${storedGib} GiB in one stream`,
      async fill(server) {
        const client = await WireClient.connect({ port: server.port })
        await createStream(client, APPEND_STREAM, { maxSize: STREAM_GIB_MAX * GIB })
        await client.close()
        await fill(server.port, APPEND_STREAM, payload, Math.ceil((storedGib * GIB) / PAYLOAD_BYTES))
      }
    }
  ]
}

/** One start: milliseconds until it is ready, CPU milliseconds until then, resident MiB then. */
type Start = readonly [readyMs: number, cpuMs: number, residentMib: number]

async function startOver(storeRoot: string): Promise<{ readonly server: ServerProcess; readonly start: Start }> {
  dropFromPageCache(storeRoot)
  const fromMs = performance.now()
  const server = await startServer({ storeRoot })
  return { server, start: [performance.now() - fromMs, cpuSeconds(server.pid) * 1000, residentMib(server.pid)] }
}

const medians = (starts: readonly Start[]): string[] =>
  [0, 1, 2].map((index) => readable(median(starts.map((start) => start[index]!))))

async function measure(store: Store, { rounds, report }: SpecialSettings): Promise<string[]> {
  report(store.label)
  const storeRoot = mkdtempSync(join(tmpdir(), 'stream-manager-bench-'))
  let server = await startServer({ storeRoot })
  try {
    await store.fill(server)
    const stopped: Start[] = []
    const killed: Start[] = []
    for (let round = 0; round < rounds; round += 1) {
      await server.kill('SIGTERM')
      const afterStop = await startOver(storeRoot)
      server = afterStop.server
      stopped.push(afterStop.start)
      const client = await WireClient.connect({ port: server.port })
      if (round === 0) await createStream(client, 'bench-kill', {})
      await client.close()
      await fill(server.port, 'bench-kill', makePayload(), MESSAGES_BEFORE_KILL)
      await server.kill('SIGKILL')
      const afterKill = await startOver(storeRoot)
      server = afterKill.server
      killed.push(afterKill.start)
    }
    return [store.label, ...medians(stopped), ...medians(killed)]
  } finally {
    await server.dispose()
    rmSync(storeRoot, { recursive: true, force: true })
  }
}

export const start: SpecialScenario = {
  name: 'start',
  title: 'Starting over what is stored',
  note: 'With nothing of the store in the page cache; after an orderly stop, and after a kill during appends.',
  async run(settings) {
    const rows = [HEADING]
    for (const store of storesFor(settings.storedGib)) rows.push(await measure(store, settings))
    return rows
  }
}
