import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createExportEngine, type ExportEngine } from '../../../component/export/engine.ts'
import type { ExportBatch, PartialOutcome, SendOutcome } from '../../../component/export/sink.ts'
import type { ExportProgress } from '../../../component/export/source.ts'
import type { HttpExport } from '../../../component/model/export-definition.ts'
import { createFakeSource, httpExport, type FakeSource } from '../../helpers/export-harness.ts'
import { createFakeClock, flush, type FakeClock } from '../../helpers/fake-clock.ts'
import { createRecordingLog } from '../../helpers/recording-log.ts'
import { createSeededRandom } from '../../helpers/seeded-random.ts'
import { unpacked } from '../../helpers/unpacked.ts'

type Step =
  | { readonly kind: 'append'; readonly count: number }
  | { readonly kind: 'drop'; readonly percent: number }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'disable' | 'enable' | 'restart' | 'resubmit' }
  | { readonly kind: 'replay'; readonly percent: number }

const percent = fc.integer({ min: 0, max: 100 })

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('append' as const), count: fc.integer({ min: 1, max: 30 }) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 20_000 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('drop' as const), percent })
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('replay' as const), percent })
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom('disable', 'enable', 'restart', 'resubmit').map((kind) => ({ kind }))
  }
)

/** Every 13th message is poison: the destination rejects each batch that holds one, or names it. */
const isPoison = (sequenceNumber: number): boolean => sequenceNumber % 13 === 7

/** Whether a partial answer leaves a message out of what was accepted. */
function isOpen({ failed, rejected = [], unsent = [] }: PartialOutcome, index: number): boolean {
  return [...failed, ...rejected.map((rejection) => rejection.index), ...unsent].includes(index)
}

/** How long a destination takes: mostly moments, sometimes until everybody else would have given up. */
const delayOf = (fraction: number): number => (fraction < 0.8 ? fraction * 3_000 : (fraction - 0.8) * 300_000)

/** A destination that fails in every way it may, and keeps count of what it stored. */
class Cloud {
  /** How often each message was stored since the last event that may cause duplicates. */
  readonly stored = new Map<number, number>()
  readonly everStored = new Set<number>()
  isReliable = false
  /** Changes with every event that may cause duplicates: what was sent before counts for nothing any more. */
  epoch = 0
  readonly #random
  readonly #clock: FakeClock

  constructor(seed: number, clock: FakeClock) {
    this.#random = createSeededRandom(seed)
    this.#clock = clock
  }

  send(batch: ExportBatch, signal: AbortSignal): Promise<SendOutcome> {
    const outcome = this.#decide(batch)
    const delayMs = this.isReliable ? 0 : Math.floor(delayOf(this.#random.fraction()))
    const obeysAbort = this.#random.fraction() < 0.5
    const { epoch } = this
    return new Promise((resolve) => {
      const timer = this.#clock.after(delayMs, () => {
        if (epoch === this.epoch) this.#store(batch, outcome)
        resolve(outcome)
      })
      if (!obeysAbort) return
      signal.addEventListener('abort', () => {
        timer.cancel()
        resolve({ kind: 'retryLater', reason: 'aborted' })
      })
    })
  }

  #store(batch: ExportBatch, outcome: SendOutcome): void {
    for (const [index, { sequenceNumber }] of batch.messages.entries()) {
      const isStored = outcome.kind === 'delivered' || (outcome.kind === 'partial' && !isOpen(outcome, index))
      if (!isStored) continue
      this.stored.set(sequenceNumber, (this.stored.get(sequenceNumber) ?? 0) + 1)
      this.everStored.add(sequenceNumber)
    }
  }

  /** Forgets how often messages were stored. */
  startAnew(): void {
    this.epoch += 1
    this.stored.clear()
  }

  #decide({ messages }: ExportBatch): SendOutcome {
    const isRejected = messages.map(({ sequenceNumber }) => isPoison(sequenceNumber))
    const isNamed = this.#random.fraction() < 0.5
    if (isRejected.includes(true) && !isNamed) return { kind: 'rejected', reason: 'poison' }
    const dice = this.isReliable ? 0 : this.#random.fraction()
    if (isRejected.includes(true)) return this.#tellApart(isRejected, this.isReliable ? 0 : dice)
    if (dice < 0.5) return { kind: 'delivered' }
    if (dice < 0.75) return { kind: 'retryLater', reason: 'failed' }
    return this.#tellApart(isRejected, dice)
  }

  /** @param dice 0: only the rejected messages are not accepted */
  #tellApart(isRejected: readonly boolean[], dice: number): PartialOutcome {
    const fates = isRejected.map((isOne) => {
      const die = dice === 0 ? 0 : this.#random.fraction()
      if (isOne) return die < 0.7 ? 'rejected' : 'unsent'
      return die < 0.4 ? 'accepted' : die < 0.7 ? 'failed' : 'unsent'
    })
    const having = (fate: string): number[] => fates.flatMap((each, index) => (each === fate ? [index] : []))
    return {
      kind: 'partial',
      failed: having('failed'),
      rejected: having('rejected').map((index) => ({ index, reason: 'poison' })),
      unsent: having('unsent'),
      reason: 'mixed',
      waitMs: 10
    }
  }
}

/** Exports of another stream, whose destination hangs now and then: they have silent requests ended that hold a slot. */
const RIVALS = ['a', 'b', 'c'].map((identifier) => httpExport({ identifier, batchSize: 1 }))

class World {
  readonly clock = createFakeClock()
  readonly source: FakeSource = createFakeSource(this.clock)
  readonly cloud: Cloud
  readonly #moods
  readonly #rivals: FakeSource = createFakeSource(this.clock, 'rivals')
  saved = new Map<string, ExportProgress>()
  definition: HttpExport = httpExport({ batchSize: 8 })
  /** Numbers that retention removed; they need not arrive. */
  dropped = 0
  engine: ExportEngine

  constructor(seed: number) {
    this.cloud = new Cloud(seed, this.clock)
    this.#moods = createSeededRandom(seed + 1)
    this.#rivals.append(60)
    this.engine = this.#open()
  }

  /** Accepts, or answers nothing until it is given up. */
  #serveRival(signal: AbortSignal): Promise<SendOutcome> {
    return new Promise((resolve) => {
      const hangs = !this.cloud.isReliable && this.#moods.fraction() < 0.3
      const outcome: SendOutcome = hangs ? { kind: 'retryLater', reason: 'TimeoutError' } : { kind: 'delivered' }
      const timer = this.clock.after(hangs ? 60_000 : 2_500, () => resolve(outcome))
      signal.addEventListener('abort', () => {
        timer.cancel()
        resolve({ kind: 'retryLater', reason: 'aborted' })
      })
    })
  }

  #open(): ExportEngine {
    const { saved } = this
    const { streamId } = this.source
    const engine = createExportEngine({
      clock: this.clock,
      random: createSeededRandom(1),
      log: createRecordingLog(),
      progress: {
        save(id, name, value) {
          if (id === streamId) saved.set(name, value)
        },
        remove(id, name) {
          if (id === streamId) saved.delete(name)
        }
      },
      limitsOf: () => ({ countMax: 500, bytesMax: 60, sizeOf: (payloadBytes) => payloadBytes }),
      sendBatch: unpacked((batch, signal) =>
        batch.streamName === 'rivals' ? this.#serveRival(signal) : this.cloud.send(batch, signal)
      ),
      concurrencyMax: 1
    })
    engine.start()
    engine.open(this.source, [this.definition], saved)
    engine.open(this.#rivals, RIVALS, new Map())
    return engine
  }

  /** Loses all that the engine held in memory; what it does at its end changes nothing. */
  #restart(): void {
    this.saved = new Map(this.saved)
    void this.engine.close(this.source.streamId)
    void this.engine.close(this.#rivals.streamId)
    this.engine = this.#open()
  }

  #update(changed: Partial<HttpExport>): void {
    this.definition = { ...this.definition, ...changed }
    this.engine.update(this.source.streamId, [this.definition])
  }

  /** Another start than before: everything from there on has to arrive again. */
  #replay(startSequenceNumber: bigint): void {
    if ((this.definition.startSequenceNumber ?? 0n) === startSequenceNumber) return
    this.#update({ startSequenceNumber })
    this.cloud.startAnew()
    for (const number of this.cloud.everStored) {
      if (number >= startSequenceNumber) this.cloud.everStored.delete(number)
    }
  }

  async run(step: Step): Promise<void> {
    const next = Number(this.saved.get('e')?.next ?? 0n)
    switch (step.kind) {
      case 'append':
        this.source.append(step.count)
        break
      case 'drop':
        this.source.drop(Math.max(this.source.oldest, Math.floor((step.percent / 100) * this.source.durableNext)))
        this.dropped = this.source.oldest
        break
      case 'wait':
        await this.clock.advanceAsync(step.ms)
        break
      case 'disable':
      case 'enable':
        this.#update({ disabled: step.kind === 'disable' })
        break
      case 'resubmit':
        this.#update({})
        break
      case 'replay':
        this.#replay(BigInt(Math.floor((step.percent / 100) * next)))
        break
      case 'restart':
        this.#restart()
        this.cloud.startAnew()
    }
    await flush()
    const { stored } = this.cloud
    for (const [sequenceNumber, times] of stored) assert.ok(times === 1, `${sequenceNumber} was sent ${times} times`)
  }

  /** Switches all faults off: what can be delivered is delivered. */
  async finish(): Promise<void> {
    this.cloud.isReliable = true
    await this.run({ kind: 'enable' })
    await this.clock.advanceAsync(600_000)
    assert.equal(Number(this.saved.get('e')?.next ?? 0n), this.source.durableNext, 'the cursor is at the end')
    for (let number = this.dropped; number < this.source.durableNext; number += 1) {
      assert.equal(this.cloud.everStored.has(number), !isPoison(number), `message ${number}`)
    }
  }
}

test('at least once, in whatever way destinations, retention and users behave; exactly once without restarts and replays', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer(), fc.array(step, { maxLength: 40 }), async (seed, steps) => {
      const world = new World(seed)
      for (const each of steps) await world.run(each)
      await world.finish()
    }),
    { numRuns: 60 }
  )
})
