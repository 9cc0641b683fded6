import assert from 'node:assert/strict'
import type { Worker } from 'node:worker_threads'
import type { DeadLetters } from '../../component/export/dead-letters.ts'
import type { ExportEngine } from '../../component/export/index.ts'
import type { SendOutcome } from '../../component/export/sink.ts'
import { createExporterHost } from '../../component/exporter/host.ts'
import type { StoredMessage } from '../../component/model/message.ts'
import type { StreamDefinition } from '../../component/model/stream-definition.ts'
import type { Registry, Stream } from '../../component/stream/index.ts'
import { httpExport } from './export-harness.ts'
import { createFakeCatalogue } from './fake-catalogue.ts'
import { createFakeClock } from './fake-clock.ts'
import { createFaultyDisk, failing } from './faulty-disk.ts'
import { createRecordingLog } from './recording-log.ts'
import { S3_SETTINGS } from './s3-fixture.ts'
import { createSeededRandom } from './seeded-random.ts'
import { definitionOf } from './stream-scene.ts'
import { TransferringWorker, type WorkerBatch } from './transferring-worker.ts'
import { openWholeStore } from './whole-store.ts'

export type MemoryStep =
  | { readonly kind: 'append'; readonly stream: number; readonly count: number }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'crash' | 'hang' | 'bad reads' | 'good reads' }
  | { readonly kind: 'toggle' | 'resize'; readonly stream: number }
  | { readonly kind: 'move'; readonly stream: number; readonly percent: number }

/** The last one is in memory. */
const NAMES = ['a', 'b', 'memory'] as const
/** One message at a time, which reads small windows; few; and as many as there are. */
const BATCH_SIZES = [1, 6, 100] as const
/** Longer than any backoff. */
const LONG_MS = 600_000

const isPoison = ({ sequenceNumber }: StoredMessage): boolean => sequenceNumber % 17 === 5

/** What the message with this number holds: every byte follows from it. Now and then more than a read has memory for. */
export function numberedPayload(streamName: string, sequenceNumber: number): Buffer {
  const mixed = Math.imul(sequenceNumber + 1, 0x9e3779b1) >>> 0
  const bytes = sequenceNumber % 61 === 60 ? 90_000 : sequenceNumber % 13 === 12 ? 9_000 : mixed % 900
  return Buffer.alloc(bytes, `${streamName}|${sequenceNumber}|`)
}

/**
 * Streams with exports over real logs, and a worker to which the memory of batches goes and from which it comes back.
 * Whoever looks at a payload finds exactly the bytes that the message was appended with.
 */
export class BatchMemoryWorld {
  readonly #clock = createFakeClock()
  readonly #random
  readonly #disk
  #registry!: Registry
  #engine!: ExportEngine
  #worker: TransferringWorker | undefined
  readonly #definitions = new Map<string, StreamDefinition>()
  readonly #counts = new Map<string, number>()
  #isReliable = false
  /** Payloads that were looked at while the worker had them. */
  seen = 0

  private constructor(seed: number) {
    this.#random = createSeededRandom(seed)
    this.#disk = createFaultyDisk({ random: createSeededRandom(seed + 1) })
  }

  static async start(seed: number): Promise<BatchMemoryWorld> {
    const world = new BatchMemoryWorld(seed)
    await world.#open()
    return world
  }

  async run(step: MemoryStep): Promise<void> {
    switch (step.kind) {
      case 'append':
        await this.#append(NAMES[step.stream] ?? 'a', step.count)
        break
      case 'wait':
        await this.#clock.advanceAsync(step.ms)
        break
      case 'crash':
        this.#worker?.crash()
        break
      case 'hang':
        if (this.#worker !== undefined) this.#worker.isHanging = true
        break
      case 'bad reads':
        this.#disk.rule = failing({ operation: 'read', path: /\.log$/ }, { code: 'EIO' }, 3)
        break
      case 'good reads':
        this.#disk.rule = () => undefined
        break
      case 'toggle':
      case 'resize':
      case 'move':
        await this.#change(step)
    }
  }

  /** Faults end: everything that waits is delivered. */
  async finish(): Promise<void> {
    this.#isReliable = true
    this.#disk.rule = () => undefined
    for (const definition of this.#definitions.values())
      await this.#update({ ...definition, exports: definition.exports.map((item) => ({ ...item, disabled: false })) })
    for (let part = 0; part < 6; part += 1) await this.#clock.advanceAsync(LONG_MS)
    for (const name of NAMES)
      for (const { accounting } of this.#engine.observe(this.#stream(name).id)) assert.equal(accounting.waiting, 0)
  }

  #stream(name: string): Stream {
    const stream = this.#registry.get(name)
    assert.ok(stream !== undefined, name)
    return stream
  }

  async #append(name: string, count: number): Promise<void> {
    const from = this.#counts.get(name) ?? 0
    this.#counts.set(name, from + count)
    for (let number = from; number < from + count; number += 1)
      this.#stream(name).append(numberedPayload(name, number), (failure) => assert.equal(failure, undefined))
    await this.#clock.advanceAsync(0)
  }

  async #change(step: MemoryStep & { readonly stream: number }): Promise<void> {
    const definition = this.#definitions.get(NAMES[step.stream] ?? 'a')
    assert.ok(definition !== undefined, 'there is such a stream')
    const chosen = Math.floor(this.#random.fraction() * BATCH_SIZES.length)
    const { next } = this.#stream(definition.name).log
    if (next < 2) return
    const exports = definition.exports.map((item, index) => {
      if (index !== chosen || item.kind !== 'http') return item
      if (step.kind === 'toggle') return { ...item, disabled: item.disabled !== true }
      if (step.kind === 'move')
        return { ...item, startSequenceNumber: BigInt(Math.floor(((next - 2) * step.percent) / 100)) }
      return { ...item, batchSize: 1 + Math.floor(this.#random.fraction() * 40) }
    })
    await this.#update({ ...definition, exports })
  }

  async #update(definition: StreamDefinition): Promise<void> {
    const result = await this.#registry.update(definition)
    assert.ok(result.ok, result.ok ? '' : JSON.stringify(result))
    this.#definitions.set(definition.name, definition)
  }

  #check(streamName: string, messages: readonly StoredMessage[]): void {
    for (const { sequenceNumber, payload } of messages) {
      const isIntact = payload.equals(numberedPayload(streamName, sequenceNumber))
      assert.ok(isIntact, `payload of ${streamName}/${sequenceNumber}`)
    }
  }

  /** Takes its time, obeys an abort at once, later or never, and looks at the payloads up to the last moment. */
  #serve(batch: WorkerBatch): void {
    const worker = this.#worker
    const { streamName, messages, signal } = batch
    this.#check(streamName, messages)
    const outcome = this.#decide(messages)
    const delayMs = this.#isReliable ? 1 : Math.floor(this.#random.fraction() ** 3 * 20_000)
    const abortDelayMs = this.#random.fraction() < 0.3 ? delayMs : Math.floor(this.#random.fraction() * 500)
    let isAnswered = false
    const answer = (answered: SendOutcome): void => {
      if (isAnswered || worker?.isHanging === true) return
      isAnswered = true
      this.#check(streamName, messages)
      this.seen += messages.length
      batch.answer(answered)
    }
    this.#clock.after(delayMs, () => answer(outcome))
    signal.addEventListener('abort', () =>
      this.#clock.after(abortDelayMs, () => answer({ kind: 'retryLater', reason: 'aborted' }))
    )
  }

  #decide(messages: readonly StoredMessage[]): SendOutcome {
    const dice = this.#isReliable ? 0 : this.#random.fraction()
    if (dice > 0.8) return { kind: 'retryLater', reason: 'away' }
    const poison = messages.flatMap((message, index) => (isPoison(message) ? [index] : []))
    if (poison.length > 0 && this.#random.fraction() < 0.5) return { kind: 'rejected', reason: 'poison' }
    const isOpen = messages.map(() => dice > 0.5 && this.#random.fraction() < 0.4)
    const open = isOpen.flatMap((isOne, index) => (isOne && !poison.includes(index) ? [index] : []))
    if (poison.length === 0 && open.length === 0) return { kind: 'delivered' }
    const [failed, unsent] = dice > 0.65 ? [open, []] : [[], open]
    const rejected = poison.map((index) => ({ index, reason: 'poison' }))
    return { kind: 'partial', failed, rejected, unsent, reason: 'mixed', waitMs: 10 }
  }

  async #open(): Promise<void> {
    const [clock, random] = [this.#clock, this.#random]
    const host = createExporterHost({
      clock,
      random,
      log: createRecordingLog(),
      settings: { version: '1', aws: {}, kinesisInterCallDelayMs: undefined, s3: S3_SETTINGS },
      createWorker: () => {
        this.#worker = new TransferringWorker((batch) => this.#serve(batch))
        return this.#worker as unknown as Worker
      }
    })
    const deadLetters: DeadLetters = { keep: ({ streamName, message }) => this.#check(streamName, [message]) }
    const { registry, engine } = await openWholeStore({
      disk: this.#disk,
      clock,
      catalogue: createFakeCatalogue(),
      random,
      sameBoot: true,
      sendBatch: (packed, signal, onProgress) => {
        this.#check(packed.streamName, packed.batch.messages())
        return host.send(packed, signal, onProgress)
      },
      limits: { countMax: 50, bytesMax: 80_000, sizeOf: (payloadBytes) => payloadBytes },
      deadLetters
    })
    this.#registry = registry
    this.#engine = engine
    for (const name of NAMES) {
      const definition = definitionOf(name, {
        maxSizeBytes: 262_144n,
        segmentSizeBytes: 32_768,
        strategyOnFull: 'overwriteOldestData',
        persistence: name === 'memory' ? 'memory' : 'file',
        exports: BATCH_SIZES.map((batchSize) => httpExport({ identifier: `of-${batchSize}`, batchSize }))
      })
      const created = await registry.create(definition)
      assert.ok(created.ok, 'the stream is made')
      this.#definitions.set(name, definition)
    }
  }
}
