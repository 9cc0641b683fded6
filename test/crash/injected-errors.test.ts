/** System calls of the built server fail or take long: reliability 8.5, ST7 to ST12. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { openHttpEndpoint, type HttpEndpoint } from '../helpers/http-endpoint.ts'
import { ServerLives } from '../helpers/server-lives.ts'
import { canInject, injectInto, type Injection } from '../helpers/strace.ts'
import { createStream, defining, describeStream, readAll, STATUS } from '../helpers/stream-calls.ts'
import { OP, WireClient, type WireMap } from '../helpers/wire-client.ts'

/** STREAM_MANAGER_INJECTIONS_STEP=1 takes each N from 1 to 200; by default only a few. */
const STEP = Number(process.env['STREAM_MANAGER_INJECTIONS_STEP'] ?? 97)
const EVERY_MAX = 200
/**
 * LMDB may end the process after writes failed: it writes the text about that, which may have 116 bytes, into 100. That is
 * a kill like any other.
 */
const KINDS: readonly (Omit<Injection, 'every'> & { readonly mayKill?: true })[] = [
  { calls: 'fdatasync,fsync', effect: 'error=EIO' },
  { calls: 'pwrite64,pwritev', effect: 'error=ENOSPC', mayKill: true },
  { calls: 'pwrite64,pwritev', effect: 'error=EIO', mayKill: true },
  { calls: 'openat', effect: 'error=EIO' },
  { calls: 'fdatasync', effect: 'delay_enter=30ms' }
]

/** What a stream may hold. */
interface Known {
  /** Texts by number, as acknowledged. */
  readonly acknowledged: Map<number, string>
  /** Texts that were refused: those of a failed sync may be there all the same. */
  readonly refused: Set<string>
  /** Texts that were sent to a server that died. */
  readonly unanswered: Set<string>
}

const NAMES = ['plain', 'flushed', 'overwriting'] as const
let count = 0

async function append(
  client: WireClient,
  name: string,
  { acknowledged, refused, unanswered }: Known
): Promise<boolean> {
  const text = `${count++} `.padEnd((count * 131) % 700, name)
  unanswered.add(text)
  const { map } = await client.request(OP.appendMessage, { name, payload: Buffer.from(text) })
  unanswered.delete(text)
  if (map['status'] === STATUS.success) {
    const number = map['sequenceNumber'] as number
    assert.ok(!acknowledged.has(number), `${name} gave the number ${number} twice`)
    acknowledged.set(number, text)
    return true
  }
  assert.match(String(map['errorMessage']), /EIO|ENOSPC|no space|error|cannot/i)
  refused.add(text)
  return false
}

/**
 * Does a bit of everything; whatever is refused must be refused in words.
 * @returns the appends that wait for a sync, which they do for as long as syncs fail
 */
async function work(
  client: WireClient,
  streams: ReadonlyMap<string, Known>,
  every: number
): Promise<Promise<boolean>[]> {
  const unsynced: Promise<boolean>[] = []
  const settle = async (operation: number, request: WireMap): Promise<void> => {
    const { map } = await client.request(operation, request)
    if (map['status'] !== STATUS.success) assert.ok(String(map['errorMessage']).length > 10, JSON.stringify(map))
  }
  const passing = `passing ${every}`
  await settle(OP.createMessageStream, defining(passing))
  for (let burst = 0; burst < 6; burst++) {
    for (const [name, known] of streams) {
      const appends = Array.from({ length: 4 }, () => append(client, name, known))
      if (name === 'flushed') unsynced.push(...appends)
      else await Promise.all(appends)
    }
    await append(client, 'plain', streams.get('plain')!)
  }
  await settle(OP.updateMessageStream, defining('overwriting', { maxSize: 40_000 + every, streamSegmentSize: 4_096 }))
  await settle(OP.readMessages, { streamName: 'plain', readMessagesOptions: { maxMessageCount: 100 } })
  await settle(OP.deleteMessageStream, { name: passing })
  return unsynced
}

async function verify(client: WireClient, streams: ReadonlyMap<string, Known>): Promise<void> {
  for (const [name, { acknowledged, refused, unanswered }] of streams) {
    const { oldestSequenceNumber: oldest } = (await describeStream(client, name)).storageStatus
    const found = new Map<number, string>()
    for (const { sequenceNumber, payload } of await readAll(client, name, oldest)) {
      assert.ok(!found.has(sequenceNumber))
      found.set(sequenceNumber, payload.toString())
    }
    if (name !== 'overwriting') assert.equal(oldest, 0)
    for (const [number, text] of acknowledged) {
      if (number >= oldest) assert.equal(found.get(number), text, `message ${number} of ${name}`)
    }
    for (const [number, text] of found) {
      if (acknowledged.has(number)) continue
      const mayBeThere = unanswered.has(text) || (name === 'flushed' && refused.has(text))
      assert.ok(mayBeThere, `message ${number} of ${name} was refused, or is foreign, and is there`)
      // It has its number for good.
      refused.delete(text)
      unanswered.delete(text)
      acknowledged.set(number, text)
    }
  }
}

async function untilAppendsWork(client: WireClient, streams: ReadonlyMap<string, Known>): Promise<void> {
  for (const [name, known] of streams) {
    for (let attempt = 0; !(await append(client, name, known)); attempt++) {
      assert.ok(attempt < 200, `${name} refuses messages although nothing fails any more`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

async function prepare(t: TestContext, endpoint: HttpEndpoint): Promise<[ServerLives, Map<string, Known>]> {
  const servers = new ServerLives()
  t.after(() => servers.dispose())
  const server = await servers.start()
  const client = await WireClient.connect({ port: server.port })
  const http = [{ identifier: 'out', uri: `http://127.0.0.1:${endpoint.port}/`, exportFormat: 1 }]
  await createStream(client, 'plain', { streamSegmentSize: 4_096, exportDefinition: { http } })
  await createStream(client, 'flushed', { streamSegmentSize: 4_096, flushOnWrite: true })
  await createStream(client, 'overwriting', { maxSize: 40_000, streamSegmentSize: 4_096 })
  client.halfClose()
  await server.kill('SIGTERM')
  return [
    servers,
    new Map(NAMES.map((name) => [name, { acknowledged: new Map(), refused: new Set(), unanswered: new Set() }]))
  ]
}

for (const kind of KINDS) {
  test(`${kind.calls} with ${kind.effect} now and then`, async (t) => {
    if (!canInject()) {
      t.diagnostic(
        'there is no strace here, or it may not be used: errors of the injected disk have to do (unit/store)'
      )
      return
    }
    const endpoint = await openHttpEndpoint()
    t.after(() => endpoint.close())
    const [servers, streams] = await prepare(t, endpoint)
    let injected = 0
    let deaths = 0
    let rounds = 0
    for (let every = 1; every <= EVERY_MAX; every += STEP, rounds++) {
      const server = await servers.start()
      try {
        const client = await WireClient.connect({ port: server.port })
        const injection = await injectInto(server.pid, { ...kind, every })
        const isAlive = await work(client, streams, every).then(
          async (unsynced) => {
            injected += await injection.stop()
            await Promise.all(unsynced)
            return true
          },
          async (error: unknown) => {
            injected += await injection.stop()
            if (error instanceof assert.AssertionError || kind.mayKill !== true) throw error
            return false
          }
        )
        if (isAlive) {
          await untilAppendsWork(client, streams)
          await verify(client, streams)
          client.halfClose()
          await server.kill(every % 2 === 0 ? 'SIGTERM' : 'SIGKILL')
        } else {
          // LMDB: see KINDS.
          assert.match(String((await server.untilExit()).signal), /SIG(SEGV|ABRT|BUS)/)
          deaths += 1
        }
        const again = await servers.start()
        const reader = await WireClient.connect({ port: again.port })
        await verify(reader, streams)
        await endpoint.untilReceived(streams.get('plain')!.acknowledged.size)
        reader.halfClose()
        await again.kill('SIGKILL')
      } catch (error) {
        throw new Error(`every ${every}: ${String(error)}\n${server.output()}`, { cause: error })
      }
    }
    t.diagnostic(`${rounds} rounds, ${injected} calls tampered with, ${deaths} servers died`)
    assert.ok(injected > 0)
  })
}

test('the server survives writes that fail in one database and in those that replace it', async (t) => {
  if (!canInject()) {
    t.diagnostic('there is no strace here, or it may not be used: LMDB is not let near a file that is to be made')
    return
  }
  const servers = new ServerLives()
  t.after(() => servers.dispose())
  const server = await servers.start()
  const client = await WireClient.connect({ port: server.port })
  await createStream(client, 'before')
  const injection = await injectInto(server.pid, { calls: 'pwrite64,pwritev', effect: 'error=EIO', every: 2 })
  for (let attempt = 0; attempt < 4; attempt++) {
    const { map } = await client.request(OP.createMessageStream, defining(`during ${attempt}`))
    assert.match(String(map['errorMessage']), /EIO|Input\/output error/)
  }
  assert.ok((await injection.stop()) > 0)
  assert.equal((await client.request(OP.appendMessage, { name: 'before', payload: Buffer.from('1') })).map['status'], 0)
  await server.kill('SIGTERM')
  const again = await servers.start()
  const reader = await WireClient.connect({ port: again.port })
  assert.equal((await readAll(reader, 'before')).length, 1)
  reader.halfClose()
})
