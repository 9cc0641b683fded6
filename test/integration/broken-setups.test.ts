import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test, type TestContext } from 'node:test'
import {
  ACCESS,
  breakAll,
  openBrokenWorld,
  toKinesis,
  WITHOUT_CREDENTIALS,
  type Broken,
  type BrokenWorld
} from '../helpers/broken-setups.ts'
import { runBuilt } from '../helpers/command-process.ts'
import { freePort } from '../helpers/monitored-server.ts'
import { BUNDLE, startServer, type ServerProcess } from '../helpers/server-process.ts'
import { createStream } from '../helpers/stream-calls.ts'
import { WireClient } from '../helpers/wire-client.ts'

/** Whether a technician is told of cause and remedy of a broken setup on the first screen, wherever he looks. */

/** The answers of one server to whoever looks. */
function look(server: ServerProcess, monitorPort: number, environment: Readonly<Record<string, string>>) {
  const run = (...args: string[]): Promise<string> =>
    new Promise((resolve) => {
      const options = { env: { PATH: process.env['PATH'], ...environment }, maxBuffer: 16 * 1024 * 1024 }
      const all = [BUNDLE, ...args, '--port', String(server.port), '--status-port', String(monitorPort)]
      execFile(process.execPath, all, options, (_error, out, err) => resolve(`${out}${err}`.replaceAll(/\s+/g, ' ')))
    })
  const get = async (path: string): Promise<string> => (await fetch(`http://127.0.0.1:${monitorPort}${path}`)).text()
  return { run, get }
}

async function untilTold(get: (path: string) => Promise<string>, cause: RegExp, name: string): Promise<string> {
  for (let turn = 0; turn < 300; turn += 1) {
    const health = JSON.parse(await get('/health')) as { readonly reasons: readonly { readonly stream?: string }[] }
    const own = JSON.stringify(health.reasons.filter(({ stream }) => stream === undefined || stream === name))
    if (cause.test(own)) return own
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  return get('/health')
}

async function check(t: TestContext, { environment, setups }: BrokenWorld): Promise<void> {
  const monitorPort = await freePort()
  const all = { ...environment, STREAM_MANAGER_MONITOR_PORT: String(monitorPort) }
  const server = await startServer({ environment: all })
  t.after(() => server.dispose())
  const client = await WireClient.connect({ port: server.port })
  await breakAll(client, setups)
  const { run, get } = look(server, monitorPort, environment)
  const health = new Map<string, string>()
  for (const { name, cause } of setups) health.set(name, await untilTold(get, cause, name))
  const [list, doctor, status] = await Promise.all([run('list'), run('doctor'), get('/status')])
  const problems: string[] = []
  for (const { name, cause, remedy } of setups) {
    const described = await run('describe', name)
    const places = { health: health.get(name) ?? '', status, list, doctor, describe: described }
    for (const [place, text] of Object.entries(places)) {
      if (!cause.test(text)) problems.push(`${place} of ${name} has no cause ${cause.source}: ${text}`)
      if (!remedy.test(text)) problems.push(`${place} of ${name} has no remedy ${remedy.source}: ${text}`)
    }
  }
  assert.equal(problems.join('\n'), '')
  await client.close()
}

const one = (environment: BrokenWorld['environment'], setup: Broken): BrokenWorld => ({ environment, setups: [setup] })

test('what a destination refuses is told with cause and remedy', async (t) => {
  await check(t, await openBrokenWorld(t))
})

test('credentials and a region that are missing are told with cause and remedy', async (t) => {
  await check(t, WITHOUT_CREDENTIALS)
  const keys = { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret' }
  await check(t, one(keys, { name: 'nowhere', exports: toKinesis('any'), cause: /region/i, remedy: /AWS_REGION/ }))
})

test('a region that does not exist is told with cause and remedy', async (t) => {
  const environment = { ...ACCESS, AWS_REGION: 'eu-nowhere-1' }
  await check(
    t,
    one(environment, { name: 'astray', exports: toKinesis('any'), cause: /cannot be resolved/, remedy: /region/ })
  )
})

test('a disk without room is told with cause and remedy', async (t) => {
  await check(
    t,
    one(
      { STREAM_MANAGER_STORE_RESERVE_BYTES: '1000000000000000' },
      {
        name: 'full',
        exports: {},
        messages: [],
        cause: /refused for want of space/,
        remedy: /Free space on the file system/
      }
    )
  )
})

interface Json {
  readonly statusMissing: unknown
  readonly live: unknown
  readonly streams: readonly { readonly live: unknown }[]
  readonly findings: readonly { readonly verdict: string; readonly subject: string; readonly remedy?: string }[]
}

test('commands without the status interface say what is missing and how to get it', async (t) => {
  const server = await startServer()
  t.after(() => server.dispose())
  const client = await WireClient.connect({ port: server.port })
  t.after(() => void client.socket.destroy())
  await createStream(client, 'sensor', {})
  const unused = String(await freePort())
  const ways = [
    { flags: [], text: /no port of the status interface is known/, remedy: /set STREAM_MANAGER_MONITOR_PORT/ },
    { flags: ['--status-port', unused], text: /nothing answers on port/, remedy: /compare the port/ }
  ]
  for (const { flags, text, remedy } of ways) {
    const run = async (...args: string[]): Promise<string> => {
      const { code, out, err } = await runBuilt([...args, '--port', String(server.port), ...flags])
      assert.deepEqual([code, err], [0, ''], args.join(' '))
      return out
    }
    const json = async (...args: string[]): Promise<Json> => JSON.parse(await run(...args, '--json')) as Json
    for (const args of [['list'], ['describe', 'sensor'], ['doctor', '--offline']]) {
      const told = (await run(...args)).replaceAll(/\s+/g, ' ')
      assert.match(told, /skipped messages, the reasons of lost ones, exact lags and health are not known here/)
      assert.match(told, text)
      assert.match(told, remedy)
    }
    const [list, described, doctor] = [
      await json('list'),
      await json('describe', 'sensor'),
      await json('doctor', '--offline')
    ]
    assert.deepEqual([list.streams[0]?.live, described.live], [null, null])
    for (const { statusMissing } of [list, described]) {
      const missing = statusMissing as { readonly text: string; readonly remedy: string }
      assert.match(missing.text, text)
      assert.match(missing.remedy, remedy)
    }
    const finding = doctor.findings.find(({ subject }) => subject === 'status')
    assert.equal(finding?.verdict, 'unknown')
    assert.match(finding.remedy ?? '', remedy)
  }
})
