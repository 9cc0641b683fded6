/** The commands of the built program on stores of the built server. */
import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test, type TestContext } from 'node:test'
import { FILE_STREAMS, makeSampleStore, MEMORY_STREAM, type SampleStore } from '../helpers/damage-fixture.ts'
import { createSeededRandom } from '../helpers/seeded-random.ts'
import { BUNDLE, startServer } from '../helpers/server-process.ts'
import { filesBelow, hitNumbers, inflict, randomDamage, readSegment } from '../helpers/store-damage.ts'
import { append, appendAll, createStream } from '../helpers/stream-calls.ts'
import { WireClient } from '../helpers/wire-client.ts'

const SEED = Number(process.env['STREAM_MANAGER_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const random = createSeededRandom(SEED)
let stores: SampleStore[] = []

before(async () => {
  stores = [await makeSampleStore(true), await makeSampleStore(false)]
})

after(() => {
  for (const { root } of stores) rmSync(root, { recursive: true, force: true })
})

interface Outcome {
  readonly code: number
  readonly out: string
  readonly err: string
}

function runTool(...args: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(process.execPath, [BUNDLE, ...args], { maxBuffer: 64 * 1024 * 1024 }, (error, out, err) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err })
    )
  })
}

interface Report {
  readonly runningServer: number | null
  readonly catalogue: { readonly state: string; readonly source: string }
  readonly streams: readonly {
    readonly name: string
    readonly messages: number
    readonly oldest: number
    readonly next: number
    readonly definition: { readonly maxSize: number }
    readonly problems: readonly {
      readonly kind: string
      readonly lost?: { readonly from: number; readonly to: number }
    }[]
  }[]
}

async function checkJson(root: string): Promise<{ code: number; report: Report }> {
  const { code, out, err } = await runTool('check', root, '--json')
  assert.equal(err, '')
  return { code, report: JSON.parse(out) as Report }
}

function temporary(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'stream-manager-tools-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** Content, size and times of every file and folder. */
function stateOf(root: string): unknown[] {
  const paths = readdirSync(root, { recursive: true, encoding: 'utf8' }).sort()
  return paths.map((path) => {
    const { size, mtimeMs, ctimeMs } = statSync(join(root, path))
    return [path, size, mtimeMs, ctimeMs]
  })
}

/** `[number, text]` of a file of JSON lines. */
function linesOf(path: string): [number, string][] {
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
  return lines.map((line) => {
    const { sequence, payload } = JSON.parse(line) as { sequence: number; payload: string }
    return [sequence, Buffer.from(payload, 'base64').toString()]
  })
}

const savedFile = (folder: string, name: string): string | undefined =>
  readdirSync(folder).find((file) => file.startsWith(`${name}-`))

test('check and salvage find all of a sound store, and leave every file as it was', async (t) => {
  for (const store of stores) {
    const before = stateOf(store.root)
    const { code, report } = await checkJson(store.root)
    assert.deepEqual([code, report.runningServer, report.catalogue.state], [0, null, 'sound'])
    assert.deepEqual(
      report.streams.map(({ name }) => name),
      [...FILE_STREAMS, MEMORY_STREAM].sort()
    )
    for (const { name, messages, next, definition } of report.streams.filter(({ name }) => name !== MEMORY_STREAM)) {
      assert.deepEqual([messages, next], [store.messages.get(name)?.length, 70])
      assert.equal(definition.maxSize, store.definitions.get(name)?.['maxSize'])
    }
    const text = await runTool('check', join(store.root, 'streams-v1'))
    assert.match(text.out, /^9 streams, 560 messages: no damage$/m)
    const target = join(temporary(t), 'saved')
    const saved = await runTool('salvage', store.root, '--to', target)
    assert.deepEqual([saved.code, saved.err], [0, ''])
    for (const name of FILE_STREAMS)
      assert.deepEqual(linesOf(join(target, savedFile(target, name) ?? '')), store.messages.get(name))
    assert.deepEqual(stateOf(store.root), before)
  }
})

test('whatever is damaged, check names the lost numbers and salvage saves all others', async (t) => {
  t.diagnostic(`seed ${SEED}`)
  for (let round = 0; round < 6; round++) {
    const store = stores[round % 2]!
    const root = temporary(t)
    cpSync(store.root, root, { recursive: true })
    const lost = new Map<string, readonly number[]>()
    for (const name of FILE_STREAMS) {
      const paths = filesBelow(root).filter((path) => path.includes(`/${name}-`) && /\/\d{19}\.log$/.test(path))
      const path = paths[Math.floor(random.fraction() * paths.length)]!
      const kinds = ['flip', 'invert', 'truncate', 'empty', 'delete'] as const
      const kind = kinds[Math.floor(random.fraction() * kinds.length)]!
      const damage = randomDamage(random, path, kind, statSync(join(root, path)).size)
      lost.set(name, hitNumbers(readSegment(join(root, path)), damage))
      inflict(root, damage)
    }
    const target = join(root, 'saved')
    const { code, report } = await checkJson(root)
    const saved = await runTool('salvage', root, '--to', target)
    assert.deepEqual([code, saved.code], [1, 1])
    for (const name of FILE_STREAMS) {
      const kept = (store.messages.get(name) ?? []).filter(([number]) => !lost.get(name)?.includes(number))
      const file = savedFile(target, name)
      assert.deepEqual(file === undefined ? [] : linesOf(join(target, file)), kept, name)
      const stream = report.streams.find((found) => found.name === name)
      assert.equal(stream?.messages, kept.length)
      const told = stream.problems.flatMap(({ lost: range }) =>
        range === undefined ? [] : Array.from({ length: range.to - range.from }, (_, index) => range.from + index)
      )
      const known = told.filter((number) => number < 70)
      // The end of a killed server's log may be younger than the catalogue.
      const expected = (lost.get(name) ?? []).filter((number) => store.isOrderly || known.includes(number))
      assert.deepEqual(
        known.sort((left, right) => left - right),
        expected,
        name
      )
    }
  }
})

test('check looks at a store while a server writes to it, and says so', async (t) => {
  const server = await startServer()
  t.after(() => server.dispose())
  const client = await WireClient.connect({ port: server.port })
  const shape = { maxSize: 65_536, streamSegmentSize: 4_096, strategyOnFull: 1 }
  for (const name of ['moving', 'still']) await createStream(client, name, shape)
  assert.equal(await append(client, 'still', 'x'), 0)
  const writing = new AbortController()
  const load = (async () => {
    let written = 0
    for (; !writing.signal.aborted; written += 50)
      await appendAll(
        client,
        'moving',
        Array.from({ length: 50 }, () => 'y'.repeat(200))
      )
    return written
  })()
  for (let round = 0; round < 5; round++) {
    const { code, report } = await checkJson(server.storeRoot)
    assert.deepEqual(
      [code, report.runningServer],
      [0, server.pid],
      JSON.stringify(report.streams.map(({ problems }) => problems))
    )
    assert.notEqual(report.catalogue.state, 'missing')
    assert.equal(report.streams.find(({ name }) => name === 'still')?.messages, 1)
    assert.ok((report.streams.find(({ name }) => name === 'moving')?.messages ?? 0) > 0)
  }
  const copy = temporary(t)
  writing.abort()
  assert.ok((await load) > 0)
  // A copy has the lock file of the server, but no server. Files that are removed meanwhile are none of the copy's.
  spawnSync('cp', ['-a', `${server.storeRoot}/.`, copy])
  assert.equal((await checkJson(copy)).report.runningServer, null)
  client.halfClose()
})

test('salvage writes chosen streams, raw if asked, and never into the store or over anything', async (t) => {
  const [store] = stores
  assert.ok(store !== undefined)
  const target = join(temporary(t), 'saved')
  const raw = await runTool('salvage', store.root, '--to', target, '--stream', 'two', '--raw', '--json')
  assert.equal(raw.code, 0)
  assert.deepEqual(readdirSync(target).length, 2)
  const folder = join(target, savedFile(target, 'two') ?? '')
  assert.deepEqual(
    readdirSync(folder).map((name): [number, string] => [parseInt(name, 10), readFileSync(join(folder, name), 'utf8')]),
    store.messages.get('two')
  )
  const summary = JSON.parse(readFileSync(join(target, 'salvage.json'), 'utf8')) as { streams: { messages: number }[] }
  assert.deepEqual(JSON.parse(raw.out), summary)
  assert.deepEqual(
    summary.streams.map(({ messages }) => messages),
    [70]
  )
  for (const [to, why] of [
    [target, /is not empty/],
    [join(store.root, 'streams-v1', 'x'), /lies in the store itself/]
  ] as const) {
    const refused = await runTool('salvage', store.root, '--to', to)
    assert.equal(refused.code, 2)
    assert.match(refused.err, why)
  }
  const unknown = await runTool('salvage', store.root, '--to', `${target}2`, '--stream', 'nine')
  assert.deepEqual([unknown.code, unknown.err], [2, 'salvage: there is no stream "nine"\n'])
})
