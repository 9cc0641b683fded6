/** SIGKILL at random moments under load: reliability 1.1, 1.2, 5.1, 5.2 PR1 and 8.1.2. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { runLoad } from '../helpers/kill-load.ts'
import { settleNames, type Slot } from '../helpers/kill-oracle.ts'
import { createSeededRandom } from '../helpers/seeded-random.ts'
import { ServerLives } from '../helpers/server-lives.ts'
import { spawnServer, type ServerProcess } from '../helpers/server-process.ts'
import { describeStream, listStreams, readAll } from '../helpers/stream-calls.ts'
import { WireClient } from '../helpers/wire-client.ts'

/** STREAM_MANAGER_TEST_SEED replays a run as far as timing allows; STREAM_MANAGER_KILL_CYCLES makes it longer. */
const SEED = Number(process.env['STREAM_MANAGER_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const CYCLES = Number(process.env['STREAM_MANAGER_KILL_CYCLES'] ?? 25)
const KILL_AFTER_MS_MAX = 500
const START_MS = 300
/** The last one is kept in memory. */
const NAMES = ['plain', 'a.log', 'A.LOG', '..', 'blank ', 'memory'] as const

const random = createSeededRandom(SEED)
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** A few starts that are killed before they are ready, then one that is not. */
async function restart(servers: ServerLives): Promise<ServerProcess> {
  while (random.fraction() < 0.35) {
    const server = spawnServer({ storeRoot: servers.storeRoot })
    await sleep(random.fraction() * START_MS)
    await server.kill('SIGKILL')
  }
  return servers.start()
}

async function endServer(server: ServerProcess): Promise<void> {
  await sleep(random.fraction() * KILL_AFTER_MS_MAX)
  if (random.fraction() < 0.7) {
    await server.kill('SIGKILL')
    return
  }
  const orderly = server.kill('SIGTERM')
  if (random.fraction() < 0.7) {
    await sleep(random.fraction() * 40)
    await server.kill('SIGKILL')
    return
  }
  assert.deepEqual(await orderly, { code: 0, signal: null }, server.output())
}

/** Lets every name be worked on until the server's end. */
async function runUnderLoad(server: ServerProcess, slots: readonly Slot[]): Promise<void> {
  const problems: unknown[] = []
  const clients = await Promise.all(slots.map(() => WireClient.connect({ port: server.port })))
  const loads = slots.map((slot, index) => {
    const persistence = slot.name === 'memory' ? 1 : 0
    const client = clients[index]!
    return runLoad(client, slot, random, persistence, (problem) => problems.push(problem)).finally(() =>
      client.halfClose()
    )
  })
  await endServer(server)
  await Promise.all(loads)
  for (const problem of problems) throw problem
}

/** Returns how many messages were read. */
async function verify(server: ServerProcess, slots: readonly Slot[]): Promise<number> {
  const client = await WireClient.connect({ port: server.port })
  settleNames(slots, await listStreams(client))
  let count = 0
  for (const { current } of slots) {
    if (current === undefined) continue
    const messages = await readAll(client, current.name)
    current.restarted(await describeStream(client, current.name), messages)
    count += messages.length
  }
  await client.close()
  return count
}

/** A killed server leaves no file that its successor does not use or remove. */
function assertNoLeftovers(storeRoot: string, slots: readonly Slot[]): void {
  const root = join(storeRoot, 'streams-v1')
  const known = /^(catalogue-\d+(-lock)?|catalogue\.snapshot(\.old|\.new)?|store\.lock|streams)$/
  assert.deepEqual(
    readdirSync(root).filter((name) => !known.test(name)),
    []
  )
  const folders = readdirSync(join(root, 'streams'))
  const fileStreams = slots.filter(({ current }) => current?.shape.persistence === 0)
  assert.equal(folders.length, fileStreams.length, `folders: ${folders.join(', ')}`)
  for (const folder of folders) {
    const strangers = readdirSync(join(root, 'streams', folder)).filter(
      (name) => !/^((\d{19}|spare)\.log|definition)$/.test(name)
    )
    assert.deepEqual(strangers, [])
  }
}

async function runCycles(t: TestContext): Promise<void> {
  const slots: Slot[] = NAMES.map((name) => ({ name, current: undefined, pending: undefined }))
  const servers = new ServerLives()
  t.after(() => servers.dispose())
  let server = await servers.start()
  let verified = 0
  for (let cycle = 0; cycle < CYCLES; cycle++) {
    try {
      await runUnderLoad(server, slots)
      server = await restart(servers)
      verified += await verify(server, slots)
      assertNoLeftovers(servers.storeRoot, slots)
    } catch (error) {
      throw new Error(`cycle ${cycle} of seed ${SEED}: ${String(error)}\n${server.output()}`, { cause: error })
    }
  }
  t.diagnostic(`seed ${SEED}, ${CYCLES} cycles, ${verified} messages verified`)
  assert.ok(verified > CYCLES * 10, 'the load has stored messages')
}

test('nothing acknowledged is lost, changed or renumbered by kills at any moment', runCycles)
