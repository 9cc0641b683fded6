import assert from 'node:assert/strict'
import type { ExportBatch, SendOutcome } from '../../component/export/sink.ts'
import type { StreamDefinition } from '../../component/model/stream-definition.ts'
import type { Registry } from '../../component/stream/index.ts'
import { httpExport } from './export-harness.ts'
import { createFakeCatalogue, type FakeCatalogue } from './fake-catalogue.ts'
import { createFakeClock, type FakeClock } from './fake-clock.ts'
import { createFaultyDisk, type FaultyDisk } from './faulty-disk.ts'
import { createSeededRandom } from './seeded-random.ts'
import { definitionOf } from './stream-scene.ts'
import { unpacked } from './unpacked.ts'
import { openWholeStore } from './whole-store.ts'

export const SIMULATION_STEPS = ['append', 'append', 'append', 'wait', 'wait', 'jump', 'kill', 'power cut'] as const
export type SimulationStep = (typeof SIMULATION_STEPS)[number]

const NAMES = ['flushed', 'plain'] as const
const FAILING: readonly string[] = ['write', 'sync', 'syncFolder', 'rename', 'create', 'remove']
const WAITS_MS = [1, 200, 1_000, 5_000, 60_000]
const JUMPS_MS = [-86_400_000, 3_600_000, 86_400_000 * 400]

const definition = (name: string): StreamDefinition =>
  definitionOf(name, {
    maxSizeBytes: 100_000_000n,
    segmentSizeBytes: 1_024,
    flushOnWrite: name === 'flushed',
    exports: [httpExport({ identifier: 'e', batchSize: 7 })]
  })

/** What clients were told and what the destination holds; outlives every crash. */
interface Knowledge {
  /** By stream, in the order of sending: the number, or undefined while the outcome is open. */
  readonly acknowledged: Map<string, Map<number, string>>
  /** By `stream/number`. */
  readonly delivered: Map<string, string>
}

/** Store, retention, positions and exports of a whole server on a disk, a catalogue, a clock and a cloud that all fail. */
export class Simulation {
  readonly #random
  readonly #known: Knowledge = { acknowledged: new Map(), delivered: new Map() }
  readonly #faultRate: number
  #disk: FaultyDisk
  #catalogue: FakeCatalogue = createFakeCatalogue()
  #clock: FakeClock = createFakeClock()
  #registry!: Registry
  #run = 0
  #count = 0
  #isReliable = false

  private constructor(seed: number, faultRate: number) {
    this.#random = createSeededRandom(seed)
    this.#faultRate = faultRate
    this.#disk = createFaultyDisk({ random: this.#random })
  }

  static async start(seed: number, faultRate: number): Promise<Simulation> {
    const simulation = new Simulation(seed, faultRate)
    await simulation.#open(true)
    for (const name of NAMES) {
      simulation.#known.acknowledged.set(name, new Map())
      assert.ok((await simulation.#registry.create(definition(name))).ok)
    }
    return simulation
  }

  async step(step: SimulationStep): Promise<void> {
    this.#breakThings()
    switch (step) {
      case 'append':
        for (const name of NAMES) this.#append(name, 1 + Math.floor(this.#random.fraction() * 4))
        return this.#clock.advanceAsync(0)
      case 'wait':
        return this.#clock.advanceAsync(this.#pick(WAITS_MS))
      case 'jump':
        this.#clock.jumpWall(this.#pick(JUMPS_MS))
        return
      case 'kill':
      case 'power cut':
        return this.#restart(step)
    }
  }

  /** Nothing fails any more: everything that is stored must be delivered within simulated minutes. */
  async finish(): Promise<void> {
    this.#isReliable = true
    this.#breakThings()
    await this.#clock.advanceAsync(1_200_000)
    for (const name of NAMES) {
      const stored = await this.#messagesOf(name)
      this.#checkStored(name, stored, Infinity)
      for (const [number, text] of stored) {
        assert.equal(this.#known.delivered.get(`${name}/${number}`), text, `${name}: message ${number} was delivered`)
      }
    }
  }

  #pick<Item>(items: readonly Item[]): Item {
    return items[Math.floor(this.#random.fraction() * items.length)]!
  }

  #breakThings(): void {
    const rate = this.#isReliable ? 0 : this.#faultRate
    const random = this.#random
    this.#disk.rule = ({ operation, bytes }) => {
      if (!FAILING.includes(operation) || random.fraction() >= rate) return undefined
      const code = random.fraction() < 0.5 ? 'ENOSPC' : 'EIO'
      return { code, bytesTaken: Math.floor(random.fraction() * bytes) }
    }
    // A commit that fails can be taken back: failures come one at a time.
    let worked = 0
    this.#catalogue.fails = () => {
      const fails = worked > 2 && random.fraction() < rate
      worked = fails ? 0 : worked + 1
      return fails
    }
  }

  #append(name: string, count: number): void {
    const stream = this.#registry.get(name)
    assert.ok(stream !== undefined, `${name} is there`)
    const run = this.#run
    for (let left = count; left > 0; left -= 1) {
      const text = `${this.#count++}.`.padEnd(Math.floor(this.#random.fraction() * 300), '.')
      stream.append(Buffer.from(text), (failure, number) => {
        if (failure === undefined && run === this.#run) this.#known.acknowledged.get(name)?.set(number, text)
      })
    }
  }

  /** The cloud: stores a batch or not, answers or not, and in its own time. */
  #send(batch: ExportBatch): Promise<SendOutcome> {
    const clock = this.#clock
    const die = this.#isReliable ? 0 : this.#random.fraction()
    const hasEffect = die < 0.75
    const isAnswered = die < 0.5
    const delayMs = this.#isReliable ? 1 : Math.floor(this.#random.fraction() * 3_000)
    return new Promise((resolve) => {
      clock.after(delayMs, () => {
        if (hasEffect)
          for (const { sequenceNumber, payload } of batch.messages) this.#deliver(batch, sequenceNumber, payload)
        resolve(isAnswered ? { kind: 'delivered' } : { kind: 'retryLater', reason: 'no answer' })
      })
    })
  }

  #deliver({ streamName }: ExportBatch, number: number, payload: Buffer): void {
    const key = `${streamName}/${number}`
    const text = payload.toString()
    const before = this.#known.delivered.get(key)
    assert.ok(
      before === undefined || before === text,
      `the cloud holds another ${key} already: a number was given again`
    )
    this.#known.delivered.set(key, text)
  }

  async #messagesOf(name: string): Promise<Map<number, string>> {
    const log = this.#registry.get(name)?.log
    assert.ok(log !== undefined, `${name} is there`)
    const messages = await log.read(log.oldest, log.next, 1_000_000, Infinity)
    return new Map(messages.map(({ sequenceNumber, payload }) => [sequenceNumber, payload.toString()]))
  }

  #checkStored(name: string, stored: ReadonlyMap<number, string>, below: number): void {
    for (const [number, text] of this.#known.acknowledged.get(name) ?? []) {
      if (number < below) assert.equal(stored.get(number), text, `${name}: acknowledged message ${number} is lost`)
    }
  }

  async #restart(kind: 'kill' | 'power cut'): Promise<void> {
    const durable = new Map(NAMES.map((name) => [name, this.#registry.get(name)?.log.state.durable.next ?? 0]))
    this.#run += 1
    this.#disk = kind === 'kill' ? this.#disk.kill() : this.#disk.cutPower()
    this.#catalogue = this.#catalogue.restart(this.#random)
    this.#clock = createFakeClock(this.#clock.wallMs())
    await this.#open(kind === 'kill')
    for (const name of NAMES) {
      const stored = await this.#messagesOf(name)
      const isAllKept = kind === 'kill' || name === 'flushed'
      this.#checkStored(name, stored, isAllKept ? Infinity : (durable.get(name) ?? 0))
      // What is found is what is known from now on.
      this.#known.acknowledged.set(name, stored)
      for (const [key, text] of this.#known.delivered) {
        const [stream, number] = key.split('/')
        if (stream === name)
          assert.equal(stored.get(Number(number)), text, `the cloud holds ${key}, the device does not`)
      }
    }
  }

  async #open(sameBoot: boolean): Promise<void> {
    const [disk, clock, catalogue, random] = [this.#disk, this.#clock, this.#catalogue, this.#random]
    const sendBatch = unpacked((batch) => this.#send(batch))
    const { registry } = await openWholeStore({ disk, clock, catalogue, random, sameBoot, sendBatch })
    this.#registry = registry
  }
}
