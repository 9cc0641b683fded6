/**
 * One system call of the built server fails, the first, the second and so on, through a whole life: a start with recovery,
 * create, append, update, delete, a stop (reliability 8.5). Needs strace(1).
 */
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { spawnServer, startServer, type ProcessEnd, type ServerProcess } from '../helpers/server-process.ts'
import { canInject } from '../helpers/strace.ts'
import { failNthCall, type SingleFault } from '../helpers/strace-start.ts'
import { append, createStream, defining, describeStream, readAll, STATUS } from '../helpers/stream-calls.ts'
import { OP, WireClient, type WireMap } from '../helpers/wire-client.ts'

/** STREAM_MANAGER_EACH_CALL_STEP=1 takes each call until a life has no more of them; by default only a few. */
const STEP = Number(process.env['STREAM_MANAGER_EACH_CALL_STEP'] ?? 60)
const FIRST = Math.min(STEP, 7)
const KINDS: readonly Omit<SingleFault, 'nth'>[] = [
  { calls: 'openat', error: 'EIO' },
  { calls: 'openat', error: 'EMFILE' },
  { calls: 'pwrite64,pwritev', error: 'EIO' },
  { calls: 'pwrite64,pwritev', error: 'ENOSPC' },
  { calls: 'fdatasync', error: 'EIO' },
  { calls: 'fsync', error: 'EIO' },
  { calls: 'ftruncate,fallocate', error: 'ENOSPC' },
  { calls: '?rename,renameat,?renameat2', error: 'EIO' },
  { calls: '?unlink,unlinkat,?rmdir', error: 'EIO' },
  { calls: '?mkdir,mkdirat', error: 'ENOSPC' },
  { calls: 'pread64,preadv', error: 'EIO' },
  { calls: 'read', error: 'EIO' }
]
/** Orderly end, and the codes of a start that cannot be made. */
const OWN_CODES = [0, 1]
const SEGMENT = { streamSegmentSize: 4_096 }

/** Texts by stream and number that a client was told are stored. */
type Acknowledged = Map<string, Map<number, string>>

let count = 0

function note(known: Acknowledged, name: string, number: number, text: string): void {
  const ofStream = known.get(name) ?? new Map<number, string>()
  known.set(name, ofStream)
  assert.ok(!ofStream.has(number), `${name} gave the number ${number} twice`)
  ofStream.set(number, text)
}

async function appendSome(client: WireClient, name: string, known: Acknowledged): Promise<void> {
  await Promise.all(
    Array.from({ length: 12 }, async () => {
      const text = `${count++} `.padEnd((count * 131) % 900, name)
      const { map } = await client.request(OP.appendMessage, { name, payload: Buffer.from(text) })
      if (map['status'] === STATUS.success) note(known, name, map['sequenceNumber'] as number, text)
      else assert.ok(String(map['errorMessage']).length > 10, 'a refusal says why')
    })
  )
}

/** @returns whether it was done; a refusal has to say why */
async function attempt(client: WireClient, operation: number, request: WireMap): Promise<boolean> {
  const { map } = await client.request(operation, request)
  assert.ok(map['status'] === STATUS.success || String(map['errorMessage']).length > 10, 'a refusal says why')
  return map['status'] === STATUS.success
}

/** A store with a bit of everything, left by a kill, and what is in it. */
async function prepare(): Promise<{ readonly root: string; readonly known: Acknowledged }> {
  const server = await startServer()
  const client = await WireClient.connect({ port: server.port })
  const known: Acknowledged = new Map()
  await createStream(client, 'plain', SEGMENT)
  await createStream(client, 'flushed', { ...SEGMENT, flushOnWrite: true })
  await createStream(client, 'passing', SEGMENT)
  for (const name of ['plain', 'flushed', 'passing']) await appendSome(client, name, known)
  const root = mkdtempSync(join(tmpdir(), 'stream-manager-each-'))
  await server.kill('SIGKILL')
  cpSync(server.storeRoot, root, { recursive: true })
  await server.dispose()
  return { root, known }
}

/** Uses the server as clients would. A connection that ends early is the end of it. */
async function live(port: number, known: Acknowledged): Promise<void> {
  const client = await WireClient.connect({ port })
  if (await attempt(client, OP.createMessageStream, defining('new', { ...SEGMENT, flushOnWrite: true }))) {
    known.set('new', new Map())
  }
  for (let round = 0; round < 3; round++) {
    for (const name of known.keys()) await appendSome(client, name, known)
  }
  await attempt(client, OP.updateMessageStream, defining('plain', { ...SEGMENT, maxSize: 10_000_000 }))
  // Unless it is answered with success, the stream may be there or not.
  known.delete('passing')
  await attempt(client, OP.deleteMessageStream, { name: 'passing' })
  await attempt(client, OP.readMessages, { streamName: 'plain', readMessagesOptions: { maxMessageCount: 100 } })
  client.halfClose()
}

/** Everything that was acknowledged is there, and the store takes more. */
async function verify(storeRoot: string, known: Acknowledged): Promise<void> {
  const server = await startServer({ storeRoot })
  try {
    const client = await WireClient.connect({ port: server.port })
    for (const [name, messages] of known) {
      const { oldestSequenceNumber } = (await describeStream(client, name)).storageStatus
      const found = await readAll(client, name, oldestSequenceNumber)
      const texts = new Map(found.map(({ sequenceNumber, payload }) => [sequenceNumber, payload.toString()]))
      for (const [number, text] of messages) assert.equal(texts.get(number), text, `message ${number} of ${name}`)
      await append(client, name, 'later')
    }
    client.halfClose()
    assert.deepEqual(await server.kill('SIGTERM'), { code: 0, signal: null })
  } finally {
    await server.dispose()
  }
}

interface Life {
  readonly end: ProcessEnd
  readonly output: string
  readonly failedCalls: readonly string[]
}

async function liveWith(fault: SingleFault, storeRoot: string, known: Acknowledged): Promise<Life> {
  const log = join(storeRoot, '..', `${storeRoot.split('/').at(-1)}.strace`)
  const start = failNthCall(fault, log)
  const options = { storeRoot, node: start.command, nodeArguments: [...start.arguments, process.execPath] }
  let server: Omit<ServerProcess, 'port'> | undefined
  try {
    server = spawnServer(options)
    const port = await server.untilOutput('RUNNING').then(
      () => Number(/listening.*\bport"?[=:](\d+)/.exec(server!.output())?.[1]),
      () => undefined
    )
    if (port !== undefined) {
      await live(port, known).catch((error: unknown) => {
        // A connection may fail; what was answered before stands.
        if (error instanceof assert.AssertionError) throw error
      })
    }
    const end = await server.kill('SIGTERM')
    return { end, output: server.output(), failedCalls: start.failedCalls() }
  } finally {
    await server?.dispose()
    rmSync(log, { force: true })
  }
}

for (const kind of KINDS) {
  test(`${kind.calls} fails once with ${kind.error}, at any time of a life`, async (t) => {
    if (!canInject()) {
      t.diagnostic('there is no strace here, or it may not be used')
      return
    }
    const { root, known } = await prepare()
    t.after(() => rmSync(root, { recursive: true, force: true }))
    const ends = new Map<string, number>()
    const problems: string[] = []
    let rounds = 0
    for (let nth = FIRST; ; nth += STEP, rounds++) {
      const storeRoot = mkdtempSync(join(tmpdir(), 'stream-manager-each-'))
      const told: Acknowledged = new Map([...known].map(([name, messages]) => [name, new Map(messages)]))
      let said = ''
      try {
        cpSync(root, storeRoot, { recursive: true })
        const { end, output, failedCalls } = await liveWith({ ...kind, nth }, storeRoot, told)
        if (failedCalls.length === 0) break
        said = `${failedCalls.join('\n')}\n${output}`
        // Node.js itself, and sockets, are not ours to protect.
        const isOurs = failedCalls.every((call) => call.replace(/AT_FDCWD<[^>]*>/, '').includes(storeRoot))
        const how = `${isOurs ? 'store' : 'elsewhere'}: ${end.signal ?? end.code}`
        ends.set(how, (ends.get(how) ?? 0) + 1)
        // LMDB may end the process when its files fail: that is a kill like any other.
        const isLmdbs = end.signal !== null && failedCalls.some((call) => /\/catalogue-\d/.test(call))
        const isOwnEnd = isLmdbs || OWN_CODES.includes(end.code ?? NaN)
        assert.ok(!isOurs || isOwnEnd, `it ended with ${end.code} ${end.signal}`)
        await verify(storeRoot, told)
      } catch (error) {
        problems.push(`call ${nth}: ${String(error)}\n${said}`)
      } finally {
        rmSync(storeRoot, { recursive: true, force: true })
      }
    }
    t.diagnostic(`${rounds} rounds; ${[...ends].map(([how, times]) => `${how} ${times} times`).join(', ')}`)
    assert.equal(problems.length, 0, problems.join('\n\n'))
  })
}
