/**
 * Hours of mixed load with faults, and what the server holds meanwhile:
 *
 *     npm run soak -- [--minutes N] [--rate N] [--seed S] [--samples FILE]
 *
 * About 2,000 messages a second in six streams, all read and checked, one of them exported to a destination that fails;
 * visitors with bad manners; a disk that is full for a while; a machine that sleeps. Ends with status 1 when the server did
 * anything wrong. Its figures are for the reader to judge.
 */
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { makeOwnBuild } from '../helpers/own-build.ts'
import { createSeededRandom } from '../helpers/seeded-random.ts'
import { startServer } from '../helpers/server-process.ts'
import { openSmallDisk } from '../helpers/small-disk.ts'
import { describeStream, readAll } from '../helpers/stream-calls.ts'
import { WireClient } from '../helpers/wire-client.ts'
import { openShakyEndpoint } from './endpoint.ts'
import { insideProbe, type Sample, takeSample } from './probe.ts'
import { printReport } from './report.ts'
import { startTraffic, type Traffic, type TrafficPlan } from './traffic.ts'
import { startVisitors } from './visitors.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    rate: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '1' },
    samples: { type: 'string' }
  }
})
const MIB = 1024 * 1024
const SAMPLE_PERIOD_MS = 10_000
const DISK_BYTES = 192 * MIB
/** Every so many minutes, for so long. */
const FULL_DISK = { everyMinutes: 6, ms: 15_000, freeBytes: 4 * MIB }
const OUTAGE = { everyMinutes: 4, ms: 20_000 }
const SLEEP = { everyMinutes: 7, ms: 3_000 }

const problems: string[] = []
function fail(problem: string): void {
  problems.push(problem)
  if (problems.length <= 20) console.log(`PROBLEM ${problem}`)
}

function plans(endpointPort: number): TrafficPlan[] {
  const share = Number(values.rate) / 100
  const out = { identifier: 'out', uri: `http://127.0.0.1:${endpointPort}/`, exportFormat: 1, batchSize: 200 }
  const exported = { maxSize: 48 * MIB, streamSegmentSize: MIB, exportDefinition: { http: [out] } }
  return [
    { name: 'exported', perSecond: 40 * share, definition: exported },
    { name: 'kept', perSecond: 30 * share, definition: { maxSize: 8 * MIB, streamSegmentSize: 256 * 1024 } },
    { name: 'memory', perSecond: 20 * share, definition: { maxSize: 4 * MIB, streamSegmentSize: MIB, persistence: 1 } },
    { name: 'flushed', perSecond: 5 * share, definition: { maxSize: 4 * MIB, flushOnWrite: true } },
    { name: 'aging', perSecond: 4 * share, definition: { timeToLiveMillis: 60_000, streamSegmentSize: 128 * 1024 } },
    { name: 'slow', perSecond: share, definition: { maxSize: MIB, streamSegmentSize: 64 * 1024 } }
  ]
}

/** After the load: every message that was acknowledged and not dropped is there, also after a restart. */
async function verifyStore(port: number, traffic: readonly Traffic[], hasMemory: boolean): Promise<void> {
  const client = await WireClient.connect({ port })
  for (const { name, acknowledged } of traffic) {
    if (name === 'memory' && !hasMemory) continue
    const { newestSequenceNumber, oldestSequenceNumber } = (await describeStream(client, name)).storageStatus
    if (newestSequenceNumber !== acknowledged - 1)
      fail(`${name} ends with ${newestSequenceNumber}, not ${acknowledged - 1}`)
    const found = (await readAll(client, name)).length
    if (found !== acknowledged - oldestSequenceNumber)
      fail(`${name}: ${found} messages from ${oldestSequenceNumber} on`)
  }
  await client.close()
}

async function run(): Promise<void> {
  const random = createSeededRandom(Number(values.seed))
  const build = await makeOwnBuild()
  const disk = openSmallDisk({ bytes: DISK_BYTES })
  const scratch = mkdtempSync(join(tmpdir(), 'soak-'))
  const storeRoot = disk?.folder ?? join(scratch)
  const insideFile = join(scratch, 'inside.json')
  const endpoint = await openShakyEndpoint(random, fail)
  const start = { storeRoot, bundle: build.path, nodeArguments: [insideProbe(insideFile)] }
  const server = await startServer(start)
  const traffic = await Promise.all(plans(endpoint.port).map((plan) => startTraffic(server.port, plan, fail)))
  const stopVisitors = await startVisitors(server.port, random, fail)
  console.log(`pid ${server.pid}, ${disk?.kind ?? 'no small disk'}, seed ${values.seed}, ${values.minutes} minutes`)

  const minutes = Number(values.minutes)
  const started = performance.now()
  const minuteNow = (): number => (performance.now() - started) / 60_000
  /** The last fault ends a while before the load does. */
  const faultMinutes = minutes - 1
  const isFaulty = ({ everyMinutes, ms }: { everyMinutes: number; ms: number }, phase: number): boolean => {
    const minute = minuteNow() + phase
    return minuteNow() < faultMinutes && minute > everyMinutes && (minute % everyMinutes) * 60_000 < ms
  }
  const samples: Sample[] = []
  let isAsleep = false
  let nextSampleMs = SAMPLE_PERIOD_MS
  let slowestMs = 0
  while (minuteNow() < minutes && problems.length < 1_000) {
    await sleep(250)
    endpoint.isDown = isFaulty(OUTAGE, 0)
    if (isFaulty(FULL_DISK, 1)) disk?.fill(FULL_DISK.freeBytes)
    else disk?.empty()
    if (isFaulty(SLEEP, 2) !== isAsleep) {
      isAsleep = !isAsleep
      process.kill(server.pid, isAsleep ? 'SIGSTOP' : 'SIGCONT')
    }
    if (minuteNow() * 60_000 < nextSampleMs || isAsleep) continue
    nextSampleMs += SAMPLE_PERIOD_MS
    const sample = takeSample(server.pid, storeRoot, insideFile, minuteNow())
    samples.push(sample)
    slowestMs = Math.max(slowestMs, ...traffic.map((stream) => stream.takeSlowestMs()))
    if (values.samples !== undefined) appendFileSync(values.samples, `${JSON.stringify({ ...sample, slowestMs })}\n`)
    if (samples.length % 6 === 0) {
      const acknowledged = traffic.reduce((sum, stream) => sum + stream.acknowledged, 0)
      const refused = traffic.reduce((sum, stream) => sum + stream.refused, 0)
      const { residentMib, descriptors, storeMib } = sample
      console.log(
        `${sample.minute.toFixed(0)} min: ${residentMib.toFixed(0)} MiB, ${descriptors} descriptors, store ${storeMib.toFixed(0)} MiB, ` +
          `${acknowledged} acknowledged, ${refused} refused, exported up to ${endpoint.next}, slowest ${slowestMs.toFixed(0)} ms`
      )
      slowestMs = 0
    }
  }
  endpoint.heal()
  const visitors = await stopVisitors()
  await Promise.all(traffic.map((stream) => stream.stop()))
  const exported = traffic[0]!.acknowledged
  for (let patience = 600; endpoint.next < exported && patience > 0; patience--) await sleep(500)
  if (endpoint.next !== exported) fail(`exported up to ${endpoint.next} of ${exported}`)
  await verifyStore(server.port, traffic, true)
  const end = await server.kill('SIGTERM')
  if (end.code !== 0) fail(`the server ended with ${String(end.code)} ${String(end.signal)}`)
  const again = await startServer(start)
  await verifyStore(again.port, traffic, false)
  await again.kill('SIGTERM')

  printReport({ samples, traffic, visitors, endpoint, log: server.output() })
  console.log(`${problems.length} problems`)
  await endpoint.close()
  disk?.dispose()
  rmSync(scratch, { recursive: true })
  build.remove()
}

await run()
process.exit(problems.length === 0 ? 0 : 1)
