import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startServer, type ServerProcess } from './server-process.ts'
import {
  append,
  appendAll,
  createStream,
  describeStream,
  listStreams,
  numbered,
  readAll,
  statusOfStorage
} from './stream-calls.ts'
import { WireClient, type WireMap } from './wire-client.ts'

/** A store with known content, as a server left it. */
export interface SampleStore {
  readonly root: string
  /** `[number, text]` of every message, by stream. */
  readonly messages: ReadonlyMap<string, readonly [number, string][]>
  readonly definitions: ReadonlyMap<string, WireMap>
  /** False when the server was killed: the catalogue may be a second behind then. */
  readonly isOrderly: boolean
}

export const FILE_STREAMS = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight'] as const
export const MEMORY_STREAM = 'volatile'
const MESSAGES = 70

/** Fills a store with eight streams of several small segments and a memory stream, and ends its server. */
export async function makeSampleStore(isOrderly: boolean): Promise<SampleStore> {
  const root = mkdtempSync(join(tmpdir(), 'stream-manager-damage-'))
  const server = await startServer({ storeRoot: root })
  const client = await WireClient.connect({ port: server.port })
  const messages = new Map<string, [number, string][]>()
  const definitions = new Map<string, WireMap>()
  for (const [index, name] of FILE_STREAMS.entries()) {
    // Not exported: it is there to be remembered.
    const http = [{ identifier: name, uri: 'http://127.0.0.1:9/', exportFormat: 1, disabled: true }]
    const maxSize = 1_000_000 + index
    await createStream(client, name, {
      maxSize,
      streamSegmentSize: 1_024,
      flushOnWrite: index % 2 === 1,
      exportDefinition: { http }
    })
    // In parts: what arrives together is stored together.
    for (let part = 0; part < MESSAGES; part += 10) {
      const texts = Array.from({ length: 10 }, (_, at) => `${name} ${part + at} ${'x'.repeat((part * at) % 50)}`)
      await appendAll(client, name, texts)
    }
    messages.set(name, numbered(await readAll(client, name)))
    assert.equal(messages.get(name)?.length, MESSAGES)
  }
  await createStream(client, MEMORY_STREAM, { persistence: 1 })
  for (const name of [...FILE_STREAMS, MEMORY_STREAM])
    definitions.set(name, (await describeStream(client, name)).definition)
  await untilSnapshotHolds(root, MEMORY_STREAM)
  client.halfClose()
  await server.kill(isOrderly ? 'SIGTERM' : 'SIGKILL')
  return { root, messages, definitions, isOrderly }
}

/** The snapshot follows a new definition at once, but after the answer. */
async function untilSnapshotHolds(root: string, name: string): Promise<void> {
  const path = join(root, 'streams-v1', 'catalogue.snapshot')
  const isThere = (): boolean => existsSync(path) && readFileSync(path, 'latin1').includes(name)
  for (let attempt = 0; !isThere(); attempt++) {
    assert.ok(attempt < 500, 'the snapshot was not written')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Numbers that are lost, by stream. */
export type Losses = ReadonlyMap<string, readonly number[]>

export interface DamageCase {
  readonly what: string
  readonly store: SampleStore
  /** Damages a copy of the store. */
  readonly inflict: (root: string) => void
  readonly losses: Losses
  /** Streams that must not be there any more. */
  readonly goneStreams?: readonly string[]
  /** The server is killed and started once more. */
  readonly restarts?: boolean
}

async function verify(port: number, { store, losses, goneStreams = [] }: DamageCase, added: string): Promise<void> {
  const client = await WireClient.connect({ port })
  const expected = [...store.definitions.keys()].filter((name) => !goneStreams.includes(name))
  assert.deepEqual(await listStreams(client), expected.sort())
  for (const name of expected) {
    assert.deepEqual((await describeStream(client, name)).definition, store.definitions.get(name))
    if (name === MEMORY_STREAM) continue
    const all = store.messages.get(name) ?? []
    const lost = losses.get(name) ?? []
    const found = numbered(await readAll(client, name))
    const kept = all.filter(([number]) => !lost.includes(number))
    assert.deepEqual(found.slice(0, kept.length), kept, `the messages of ${name}`)
    assert.deepEqual(
      found.slice(kept.length).map(([, text]) => text),
      added === '' ? [] : [added]
    )
    const isEndLost = lost.includes(all.length - 1)
    const { newestSequenceNumber } = await statusOfStorage(client, name)
    const atLeast = isEndLost && !store.isOrderly ? (kept.at(-1)?.[0] ?? -1) : all.length - 1
    assert.ok(newestSequenceNumber >= atLeast, `${name} would give the number ${newestSequenceNumber + 1} again`)
  }
  await client.close()
}

/** Starts a server on a damaged copy: it serves what is left, and goes on with fresh numbers. */
export async function runDamageCase(damaged: DamageCase): Promise<void> {
  const { store, goneStreams = [] } = damaged
  const root = mkdtempSync(join(tmpdir(), 'stream-manager-damaged-'))
  cpSync(store.root, root, { recursive: true })
  damaged.inflict(root)
  let server: ServerProcess | undefined
  try {
    server = await startServer({ storeRoot: root })
    await verify(server.port, damaged, '')
    const client = await WireClient.connect({ port: server.port })
    for (const name of FILE_STREAMS) {
      if (goneStreams.includes(name)) continue
      const before = await statusOfStorage(client, name)
      assert.ok((await append(client, name, 'fresh')) > before.newestSequenceNumber)
    }
    await client.close()
    if (damaged.restarts === true) {
      await server.kill('SIGKILL')
      server = await startServer({ storeRoot: root })
    }
    await verify(server.port, damaged, 'fresh')
  } catch (error) {
    throw new Error(`${damaged.what}: ${String(error)}\n${server?.output() ?? ''}`, { cause: error })
  } finally {
    await server?.dispose()
    rmSync(root, { recursive: true, force: true })
  }
}
