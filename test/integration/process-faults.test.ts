import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { startScriptedServer } from '../helpers/scripted-server.ts'
import { startServer } from '../helpers/server-process.ts'
import { append, createStream, listStreams, numbered, readAll } from '../helpers/stream-calls.ts'
import { OP, WireClient } from '../helpers/wire-client.ts'

/* Faults of the process that need a real one: reliability PR5, PR8, CK2, ST24. */

const BUG = 70
const PATIENCE_TURNS = 400

function makeFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'stream-manager-faults-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Path of a script that node runs before the server. */
function preload(t: TestContext, source: string): string {
  const path = join(makeFolder(t), 'preload.cjs')
  writeFileSync(path, source)
  return path
}

for (const [what, bug] of [
  ['an exception', 'throw new TypeError("a planted bug")'],
  ['a rejection', 'void Promise.reject(new TypeError("a planted bug"))']
] as const) {
  test(`${what} that nobody catches is told once with its stack and ends the process with exit code 70`, async (t) => {
    const storeRoot = makeFolder(t)
    const script = preload(t, `process.on('SIGUSR2', () => { ${bug} })`)
    const server = await startServer({ storeRoot, nodeArguments: ['--require', script] })
    t.after(() => server.dispose())
    const client = await WireClient.connect({ port: server.port })
    await createStream(client, 's')
    assert.equal(await append(client, 's', 'kept'), 0)
    assert.deepEqual(await server.kill('SIGUSR2'), { code: BUG, signal: null })
    assert.equal(server.output().match(/The server ends because of a bug.*a planted bug/g)?.length, 1)
    assert.equal(server.output().match(/^TypeError: a planted bug\n +at /gm)?.length, 1)
    await client.close()
    const next = await startServer({ storeRoot })
    t.after(() => next.dispose())
    const again = await WireClient.connect({ port: next.port })
    assert.deepEqual(numbered(await readAll(again, 's')), [[0, 'kept']])
    await again.close()
  })
}

/** Connects without a handshake until the server takes nobody any more: it closes what it has no descriptor for. */
async function takeAllDescriptors(port: number): Promise<WireClient[]> {
  const taken: WireClient[] = []
  for (let count = 0; count < 200; count += 1) {
    const client = await WireClient.connect({ port, handshake: false })
    const served = client.handshake().then(
      () => true,
      () => false
    )
    if (!(await served)) {
      await client.close()
      return taken
    }
    taken.push(client)
  }
  throw new Error('the server never ran out of descriptors')
}

test('without descriptors open connections and streams go on, new ones are refused, and all is well later', async (t) => {
  const limit = 'ulimit -n 80; exec "$0" "$@"'
  const server = await startServer({ node: '/bin/sh', nodeArguments: ['-c', limit, process.execPath] })
  t.after(() => server.dispose())
  const client = await WireClient.connect({ port: server.port })
  await createStream(client, 's')
  const taken = await takeAllDescriptors(server.port)
  assert.equal(await append(client, 's', 'without descriptors'), 0)
  assert.deepEqual(numbered(await readAll(client, 's')), [[0, 'without descriptors']])
  const refused = await client.request(OP.createMessageStream, { definition: { name: 'new', strategyOnFull: 1 } })
  assert.notEqual(refused.map['status'], 0)
  await Promise.all(taken.map((each) => each.close()))
  for (let turn = 0; ; turn += 1) {
    assert.ok(turn < PATIENCE_TURNS, server.output())
    const { map } = await client.request(OP.createMessageStream, { definition: { name: 'new', strategyOnFull: 1 } })
    if (map['status'] === 0) break
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  const newcomer = await WireClient.connect({ port: server.port })
  assert.deepEqual([...(await listStreams(newcomer))].sort(), ['new', 's'])
  assert.equal(await append(newcomer, 's', 'with descriptors'), 1)
  await newcomer.close()
  await client.close()
  assert.deepEqual(await server.kill('SIGTERM'), { code: 0, signal: null }, server.output())
})

test('with a clock that stands still everything works, exports included', async (t) => {
  const cloud = await startScriptedServer()
  const script = preload(t, 'Date.now = () => 1.7e12; performance.now = () => 5000')
  const server = await startServer({
    nodeArguments: ['--require', script],
    environment: { STREAM_MANAGER_EXPORTER_MAX_BANDWIDTH: '100000' }
  })
  t.after(async () => {
    await server.dispose()
    await cloud.close()
  })
  const client = await WireClient.connect({ port: server.port })
  await createStream(client, 's', {
    timeToLiveMillis: 60_000,
    flushOnWrite: true,
    exportDefinition: { http: [{ identifier: 'h', uri: cloud.origin, exportFormat: 1 }] }
  })
  for (let number = 0; number < 3; number += 1) assert.equal(await append(client, 's', `${number}`), number)
  await cloud.received(1)
  const found = await readAll(client, 's')
  assert.deepEqual(
    found.map(({ ingestTime }) => ingestTime),
    [1.7e12, 1.7e12, 1.7e12]
  )
  await client.close()
  assert.deepEqual(await server.kill('SIGTERM'), { code: 0, signal: null }, server.output())
})

const COPIES = 4

test('a copy of the store of a running server opens, has all that was acknowledged before, and goes on', async (t) => {
  const server = await startServer()
  t.after(() => server.dispose())
  const client = await WireClient.connect({ port: server.port })
  const names = ['flushed', 'plain']
  for (const name of names)
    await createStream(client, name, { streamSegmentSize: 1_024, flushOnWrite: name === 'flushed' })
  const acknowledged = new Map(names.map((name) => [name, 0]))
  const run = { on: true }
  const writers = names.map(async (name) => {
    for (let number = 0; run.on; number += 1) {
      assert.equal(await append(client, name, `${name} ${number} ${'x'.repeat(number % 90)}`), number)
      acknowledged.set(name, number + 1)
    }
  })
  for (let copy = 0; copy < COPIES; copy += 1) {
    const target = makeFolder(t)
    const enough = [...acknowledged.values()].map((count) => count + 50)
    while ([...acknowledged.values()].some((count, at) => count < enough[at]!)) await new Promise(setImmediate)
    const before = new Map(acknowledged)
    // Files that are removed meanwhile are none of the copy's.
    spawnSync('cp', ['-a', `${server.storeRoot}/.`, target])
    // On this machine it would name the owner of the original, who runs.
    rmSync(join(target, 'streams-v1', 'store.lock'))
    const copied = await startServer({ storeRoot: target })
    t.after(() => copied.dispose())
    const reader = await WireClient.connect({ port: copied.port })
    assert.deepEqual([...(await listStreams(reader))].sort(), names, copied.output())
    for (const name of names) {
      const found = numbered(await readAll(reader, name))
      assert.ok(found.length >= before.get(name)!, `${name}: ${found.length} of ${before.get(name)!}`)
      for (const [at, [number, text]] of found.entries())
        assert.deepEqual([number, text.split(' ').slice(0, 2)], [at, [name, `${at}`]])
      assert.ok((await append(reader, name, 'fresh')) >= found.length)
    }
    await reader.close()
    assert.deepEqual(await copied.kill('SIGTERM'), { code: 0, signal: null })
  }
  run.on = false
  await Promise.all(writers)
  for (const name of names) assert.equal((await readAll(client, name)).length, acknowledged.get(name))
  await client.close()
})
