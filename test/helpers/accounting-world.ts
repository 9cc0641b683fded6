import assert from 'node:assert/strict'
import { decodeProgress, type Account, type ExportEngine, type ExportProgress } from '../../component/export/index.ts'
import { droppedCount } from '../../component/export/account.ts'
import type { ExportBatch, SendOutcome } from '../../component/export/sink.ts'
import type { HttpExport } from '../../component/model/export-definition.ts'
import type { StreamDefinition } from '../../component/model/stream-definition.ts'
import { catalogueKeys, type Checkpointer, type Registry, type Stream } from '../../component/stream/index.ts'
import { httpExport } from './export-harness.ts'
import { createFakeCatalogue, type FakeCatalogue } from './fake-catalogue.ts'
import { createFakeClock, type FakeClock } from './fake-clock.ts'
import { createFaultyDisk, type FaultyDisk } from './faulty-disk.ts'
import { createSeededRandom } from './seeded-random.ts'
import { definitionOf } from './stream-scene.ts'
import { unpacked } from './unpacked.ts'
import { openWholeStore } from './whole-store.ts'

export type AccountingStep =
  | { readonly kind: 'append'; readonly count: number }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'kill' | 'power cut' | 'damage' | 'toggle' | 'resize' }
  | { readonly kind: 'move'; readonly percent: number }

export const NAME = 's'
const TIME_TO_LIVE_MS = 60_000

/** Messages that the destination never accepts. */
export const isPoison = (number: number): boolean => number % 11 === 3

const settled = (account: Account): number => account.exported + account.skipped + droppedCount(account)

/**
 * A stream that overwrites and expires, with three exports, on a disk that loses and damages, a catalogue that is behind,
 * and destinations that fail. After each step every account must be complete, in memory and in the catalogue.
 */
export class AccountingWorld {
  readonly #random
  /** By `export/number`. */
  readonly accepted = new Set<string>()
  #disk: FaultyDisk
  #catalogue: FakeCatalogue = createFakeCatalogue()
  #clock: FakeClock = createFakeClock()
  #registry!: Registry
  #engine!: ExportEngine
  #checkpointer!: Checkpointer
  #definition: StreamDefinition
  isReliable = false
  damages = 0

  private constructor(seed: number, timeToLiveMs: number | undefined) {
    this.#random = createSeededRandom(seed)
    this.#disk = createFaultyDisk({ random: this.#random })
    this.#definition = definitionOf(NAME, {
      maxSizeBytes: 8_192n,
      segmentSizeBytes: 1_024,
      strategyOnFull: 'overwriteOldestData',
      ...(timeToLiveMs === undefined ? {} : { timeToLiveMs }),
      exports: ['a', 'b', 'c'].map((identifier) => httpExport({ identifier, batchSize: 5 }))
    })
  }

  static async start(seed: number, expires: boolean): Promise<AccountingWorld> {
    const world = new AccountingWorld(seed, expires ? TIME_TO_LIVE_MS : undefined)
    await world.#open(true)
    assert.ok((await world.#registry.create(world.#definition)).ok)
    return world
  }

  get stream(): Stream {
    const stream = this.#registry.get(NAME)
    assert.ok(stream !== undefined)
    return stream
  }

  async run(step: AccountingStep): Promise<void> {
    switch (step.kind) {
      case 'append':
        for (let left = step.count; left > 0; left -= 1) {
          const bytes = 1 + Math.floor(this.#random.fraction() * 200)
          this.stream.append(Buffer.alloc(bytes, 'x'), () => undefined)
        }
        await this.#clock.advanceAsync(0)
        break
      case 'wait':
        await this.#clock.advanceAsync(step.ms)
        break
      case 'kill':
      case 'power cut':
        await this.#restart(step.kind)
        break
      case 'damage':
        this.#damage()
        break
      case 'toggle':
        await this.#change((item) => ({ ...item, disabled: item.disabled !== true }), 'b')
        break
      case 'resize': {
        const maxSizeBytes = this.#definition.maxSizeBytes === 8_192n ? 16_384n : 8_192n
        await this.#update({ ...this.#definition, maxSizeBytes })
        break
      }
      case 'move':
        await this.#move(step.percent)
    }
    this.check()
  }

  /** All sums, in memory and in the catalogue, the waiting messages included. */
  check(): void {
    const { log, id } = this.stream
    for (const { definition, accounting } of this.#engine.observe(id)) {
      const { origin, position, waiting } = accounting
      const total = Math.max(log.next, position, origin) - origin
      const text = `${definition.identifier}: ${JSON.stringify(accounting)} next ${log.next}`
      assert.equal(settled(accounting) + waiting, total, text)
      const saved = this.#saved(definition.identifier)
      if (saved === undefined) continue
      assert.ok(saved.account !== undefined, 'the catalogue holds the account with the position')
      const passed = Math.max(0, Number(saved.next) - saved.account.origin)
      assert.equal(settled(saved.account), passed, `saved ${JSON.stringify(saved.account)} at ${saved.next}`)
    }
  }

  /** Faults end: everything that is stored is delivered, and the rest has a cause that there was. */
  async finish(): Promise<void> {
    this.isReliable = true
    await this.#update({
      ...this.#definition,
      exports: this.#definition.exports.map((item) => ({ ...item, disabled: false }))
    })
    // Syncs take turns of the event loop that the clock does not know of.
    for (let part = 0; part < 10; part += 1) await this.#clock.advanceAsync(120_000)
    this.check()
    const { log, id, removals } = this.stream
    for (const { definition, accounting } of this.#engine.observe(id)) {
      const { origin, position, exported, dropped, waiting } = accounting
      const text = `${definition.identifier}: ${JSON.stringify(accounting)}`
      assert.equal(waiting, 0, text)
      assert.equal(position, Math.max(log.next, position), text)
      let acceptedCount = 0
      for (let number = origin; number < position; number += 1)
        if (this.accepted.has(`${definition.identifier}/${number}`)) acceptedCount += 1
      assert.ok(exported <= acceptedCount, `${text}: ${acceptedCount} were accepted`)
      assert.ok(dropped.overwritten <= removals.totals.overwritten, text)
      assert.ok(dropped.expired <= removals.totals.expired, text)
      if (this.damages === 0) assert.equal(dropped.damaged, 0, text)
    }
  }

  #saved(identifier: string): ExportProgress | undefined {
    const value = this.#catalogue.durable.get(catalogueKeys.exportProgress(this.stream.id, identifier))
    return value === undefined ? undefined : decodeProgress(value)
  }

  async #update(definition: StreamDefinition): Promise<void> {
    const result = await this.#registry.update(definition)
    if (result.ok) this.#definition = definition
  }

  #change(change: (item: HttpExport) => HttpExport, identifier: string): Promise<void> {
    const exports = this.#definition.exports.map((item) =>
      item.identifier === identifier && item.kind === 'http' ? change(item) : item
    )
    return this.#update({ ...this.#definition, exports })
  }

  /** Replays, or passes over, the export c. */
  #move(percent: number): Promise<void> {
    const startSequenceNumber = BigInt(Math.floor((this.stream.log.next * percent) / 100))
    return this.#change((item) => ({ ...item, startSequenceNumber }), 'c')
  }

  /** Breaks a byte of a segment's records, or loses a whole segment at the next start. */
  #damage(): void {
    const paths = this.#disk.paths.filter((path) => /\d\.log$/.test(path))
    const path = paths[Math.floor(this.#random.fraction() * paths.length)]
    if (path === undefined) return
    const content = Buffer.from(this.#disk.contentOf(path))
    const at = Math.floor(this.#random.fraction() * content.length)
    content[at] = (content[at] ?? 0) ^ 0xff
    this.#disk.damage(path, content)
    this.damages += 1
  }

  #send(batch: ExportBatch): Promise<SendOutcome> {
    const random = this.#random
    const { identifier } = batch.definition
    const numbers = batch.messages.map(({ sequenceNumber }) => sequenceNumber)
    const die = this.isReliable ? 0 : random.fraction()
    const isNamed = random.fraction() < 0.5
    const poison = numbers.flatMap((number, index) => (isPoison(number) ? [index] : []))
    const failed = die < 0.7 ? [] : numbers.flatMap((_, index) => (random.fraction() < 0.5 ? [index] : []))
    const isAccepted = (index: number): boolean => !poison.includes(index) && !failed.includes(index)
    return new Promise((resolve) => {
      const answer = (): SendOutcome => {
        if (die > 0.85) return { kind: 'retryLater', reason: 'away' }
        if (poison.length > 0 && !isNamed) return { kind: 'rejected', reason: 'poison' }
        for (const [index, number] of numbers.entries())
          if (isAccepted(index)) this.accepted.add(`${identifier}/${number}`)
        const rejected = poison.filter((index) => !failed.includes(index)).map((index) => ({ index, reason: 'poison' }))
        if (rejected.length === 0 && failed.length === 0) return { kind: 'delivered' }
        return { kind: 'partial', failed, rejected, reason: 'some failed' }
      }
      this.#clock.after(this.isReliable ? 1 : Math.floor(random.fraction() * 2_000), () => resolve(answer()))
    })
  }

  async #restart(kind: 'kill' | 'power cut'): Promise<void> {
    this.#disk = kind === 'kill' ? this.#disk.kill() : this.#disk.cutPower()
    if (kind === 'power cut') this.damages += 1
    this.#catalogue = this.#catalogue.restart(this.#random)
    this.#clock = createFakeClock(this.#clock.wallMs())
    await this.#open(kind === 'kill')
    this.#definition = this.stream.definition
  }

  async #open(sameBoot: boolean): Promise<void> {
    const [disk, clock, catalogue, random] = [this.#disk, this.#clock, this.#catalogue, this.#random]
    const sendBatch = unpacked((batch) => this.#send(batch))
    const opened = await openWholeStore({ disk, clock, catalogue, random, sameBoot, sendBatch })
    this.#registry = opened.registry
    this.#engine = opened.engine
    this.#checkpointer = opened.checkpointer
  }

  /** Everything saved so far reaches the catalogue. */
  checkpoint(): Promise<void> {
    return this.#checkpointer.flush()
  }
}
