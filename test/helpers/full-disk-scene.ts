import assert from 'node:assert/strict'
import { rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Random } from '../../component/base/random.ts'
import type { HttpEndpoint } from './http-endpoint.ts'
import { startServer, type ServerProcess } from './server-process.ts'
import type { SmallDisk } from './small-disk.ts'
import { createStream, describeStream, listStreams, numbered, readAll, STATUS } from './stream-calls.ts'
import { OP, WireClient, type WireMap } from './wire-client.ts'

/*
 * A server whose store has a small disk to itself. What was acknowledged is remembered, and must be all that is there:
 * a refused message leaves nothing.
 */

const KIB = 1024
/** Rejects new data, overwrites old data, syncs each append, is exported. */
const DEFINITIONS = (exportPort: number): Readonly<Record<string, WireMap>> => ({
  large: { maxSize: 256 * KIB * KIB, streamSegmentSize: 256 * KIB, strategyOnFull: 0 },
  overwriting: { maxSize: 1024 * KIB, streamSegmentSize: 64 * KIB },
  flushed: { maxSize: 64 * KIB * KIB, streamSegmentSize: 32 * KIB, strategyOnFull: 0, flushOnWrite: true },
  exported: {
    maxSize: 64 * KIB * KIB,
    streamSegmentSize: 32 * KIB,
    strategyOnFull: 0,
    exportDefinition: { http: [{ identifier: 'out', uri: `http://127.0.0.1:${exportPort}/`, exportFormat: 1 }] }
  }
})
const FILE_STREAMS = ['large', 'overwriting', 'flushed', 'exported']
export const NO_SPACE = /no space left on (the )?device/i

export class FullDiskScene {
  readonly #disk: SmallDisk
  readonly #endpoint: HttpEndpoint
  readonly #environment: Readonly<Record<string, string>>
  /** Texts by number. */
  readonly acknowledged = new Map<string, string[]>()
  refused = 0
  #server: ServerProcess | undefined
  #client: WireClient | undefined
  #count = 0
  #inodeFillers = 0

  constructor(disk: SmallDisk, endpoint: HttpEndpoint, reserveBytes: number) {
    this.#disk = disk
    this.#endpoint = endpoint
    this.#environment = { STREAM_MANAGER_STORE_RESERVE_BYTES: String(reserveBytes) }
  }

  get client(): WireClient {
    assert.ok(this.#client !== undefined)
    return this.#client
  }

  output(): string {
    return this.#server?.output() ?? ''
  }

  async start(): Promise<void> {
    this.#server = await startServer({ storeRoot: this.#disk.folder, environment: this.#environment })
    this.#client = await WireClient.connect({ port: this.#server.port })
  }

  /** Ends the server, and checks what it said. */
  async stop(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    this.#client?.halfClose()
    const end = await this.#server?.kill(signal)
    if (signal === 'SIGTERM') assert.deepEqual(end, { code: 0, signal: null })
    assert.doesNotMatch(this.output(), /lost to damage|are missing|quarantine/i)
  }

  async dispose(): Promise<void> {
    await this.#server?.dispose()
  }

  async createAll(): Promise<void> {
    for (const name of FILE_STREAMS) await this.create(name)
    await createStream(this.client, 'memory', { persistence: 1, maxSize: 1_000_000 })
  }

  async create(name: string): Promise<void> {
    await createStream(this.client, name, DEFINITIONS(this.#endpoint.port)[name])
    this.acknowledged.set(name, [])
  }

  /** Appends messages, pipelined. @returns how many were taken; the others were refused for lack of space */
  async append(name: string, count: number, bytes: number): Promise<number> {
    const texts = this.acknowledged.get(name)!
    let taken = 0
    await Promise.all(
      Array.from({ length: count }, async () => {
        const text = `${this.#count++} `.padEnd(bytes, name)
        const { map } = await this.client.request(OP.appendMessage, { name, payload: Buffer.from(text) })
        if (map['status'] !== STATUS.success) {
          assert.match(String(map['errorMessage']), NO_SPACE)
          this.refused += 1
          return
        }
        assert.equal(map['sequenceNumber'], texts.length, `numbers of ${name}`)
        texts.push(text)
        taken += 1
      })
    )
    return taken
  }

  /** Appends until the disk is full. */
  async appendUntilRefused(name: string): Promise<void> {
    while ((await this.append(name, 16, 30_000)) === 16);
  }

  /** Space has come back: appends must work again by themselves. */
  async untilAppendsWork(): Promise<void> {
    for (const name of FILE_STREAMS) {
      for (let attempt = 0; (await this.append(name, 1, 100)) === 0; attempt++) {
        assert.ok(attempt < 200, `${name} refuses messages although there is space`)
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    }
  }

  /** Others take all inodes. */
  fillInodes(): void {
    for (; statfsSync(this.#disk.folder).ffree > 0; this.#inodeFillers += 1)
      writeFileSync(join(this.#disk.folder, `inode-${this.#inodeFillers}`), '')
  }

  /** What others took is free again. */
  empty(): void {
    this.#disk.empty()
    for (; this.#inodeFillers > 0; this.#inodeFillers -= 1)
      rmSync(join(this.#disk.folder, `inode-${this.#inodeFillers - 1}`))
  }

  /** A client may do all this on a full disk; what is refused, is refused for lack of space. */
  async work(random: Random): Promise<void> {
    const { map } = await this.client.request(OP.appendMessage, { name: 'memory', payload: Buffer.from('works') })
    assert.equal(map['status'], STATUS.success, String(map['errorMessage']))
    const settle = async (operation: number, request: WireMap): Promise<boolean> => {
      const answer = await this.client.request(operation, request)
      if (answer.map['status'] === STATUS.success) return true
      assert.match(String(answer.map['errorMessage']), NO_SPACE)
      return false
    }
    const strategyOnFull = 1
    if (await settle(OP.createMessageStream, { definition: { name: 'passing', strategyOnFull } }))
      await settle(OP.deleteMessageStream, { name: 'passing' })
    const flushed = { ...DEFINITIONS(this.#endpoint.port)['flushed'], name: 'flushed' }
    await settle(OP.updateMessageStream, {
      definition: { ...flushed, maxSize: (64 + Math.floor(random.fraction() * 64)) * KIB * KIB }
    })
  }

  async delete(name: string): Promise<void> {
    const { map } = await this.client.request(OP.deleteMessageStream, { name })
    assert.equal(map['status'], STATUS.success, String(map['errorMessage']))
    this.acknowledged.delete(name)
  }

  /** Everything acknowledged is there and nothing else; and it has been exported. */
  async verify(): Promise<void> {
    assert.deepEqual(await listStreams(this.client), [...FILE_STREAMS, 'memory'].sort())
    for (const [name, texts] of this.acknowledged) {
      const { oldestSequenceNumber: oldest } = (await describeStream(this.client, name)).storageStatus
      if (name !== 'overwriting') assert.equal(oldest, 0, `${name} dropped messages`)
      const expected = texts.slice(oldest).map((text, index): [number, string] => [oldest + index, text])
      assert.deepEqual(numbered(await readAll(this.client, name, oldest)), expected, name)
    }
    await this.#endpoint.untilReceived(this.acknowledged.get('exported')!.length)
  }
}
