import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Accounting } from '../../../component/export/account.ts'
import type { ExportProgress } from '../../../component/export/source.ts'
import { REMOVAL_CAUSES, type RemovalCause } from '../../../component/model/removal.ts'
import { AccountingWorld, isPoison, type AccountingStep } from '../../helpers/accounting-world.ts'
import { createExportHarness, createFakeSource, httpExport, type FakeSource } from '../../helpers/export-harness.ts'
import { flush } from '../../helpers/fake-clock.ts'

const percent = fc.integer({ min: 0, max: 100 })

const step: fc.Arbitrary<AccountingStep> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('append' as const), count: fc.integer({ min: 1, max: 30 }) }) },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(1, 300, 1_500, 9_000, 70_000) })
  },
  { weight: 2, arbitrary: fc.constantFrom('kill', 'power cut').map((kind) => ({ kind })) },
  { weight: 1, arbitrary: fc.constantFrom('damage', 'toggle', 'resize').map((kind) => ({ kind })) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('move' as const), percent }) }
)

async function live(seed: number, expires: boolean, steps: readonly AccountingStep[]): Promise<void> {
  const world = await AccountingWorld.start(seed, expires)
  for (const each of steps) await world.run(each)
  await world.finish()
}

/** A world in which everything is settled after each step, so that the fate of every number is known. */
type Calm =
  | { readonly kind: 'append'; readonly count: number }
  | { readonly kind: RemovalCause | 'lose'; readonly percent: number }
  | { readonly kind: 'damage'; readonly percent: number }
  | { readonly kind: 'toggle' | 'restart' }
  | { readonly kind: 'move'; readonly percent: number }

const calm: fc.Arbitrary<Calm> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('append' as const), count: fc.integer({ min: 1, max: 30 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom(...REMOVAL_CAUSES, 'lose', 'damage'), percent }) },
  { weight: 3, arbitrary: fc.constantFrom('toggle' as const, 'restart' as const).map((kind) => ({ kind })) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('move' as const), percent }) }
)

type Fate = 'exported' | 'skipped' | RemovalCause | 'damaged' | 'waiting'

/** Says of every number by itself what must have become of it. */
class Oracle {
  readonly #fates: Fate[] = []
  #origin = 0

  append(count: number): void {
    for (let left = count; left > 0; left -= 1) this.#fates.push('waiting')
  }

  /** Numbers below `below` that wait are gone. */
  lose(below: number, fate: Fate): void {
    for (let number = this.#origin; number < below; number += 1)
      if (this.#fates[number] === 'waiting') this.#fates[number] = fate
  }

  export(damaged: ReadonlySet<number>): void {
    for (const [number, fate] of this.#fates.entries()) {
      if (fate !== 'waiting') continue
      this.#fates[number] = damaged.has(number) ? 'damaged' : isPoison(number) ? 'skipped' : 'exported'
    }
  }

  /** @param oldest first number that is stored */
  move(start: number, oldest: number): void {
    const firstWaiting = this.#fates.indexOf('waiting', this.#origin)
    const position = firstWaiting === -1 ? this.#fates.length : firstWaiting
    if (Math.max(start, oldest) >= position) {
      this.lose(start, 'skipped')
      return
    }
    this.#origin = Math.max(start, oldest)
    for (let number = 0; number < this.#fates.length; number += 1) this.#fates[number] = 'waiting'
  }

  get counts(): Record<Fate, number> {
    const removed = { overwritten: 0, expired: 0, reclaimed: 0, evicted: 0 }
    const counts = { exported: 0, skipped: 0, ...removed, damaged: 0, waiting: 0 }
    for (const fate of this.#fates.slice(this.#origin)) counts[fate] += 1
    return counts
  }
}

class CalmWorld {
  #harness = createExportHarness()
  readonly #source: FakeSource = createFakeSource(this.#harness.clock)
  readonly #damaged = new Set<number>()
  readonly #oracle = new Oracle()
  #definition = httpExport({ batchSize: 7 })
  #saved: ExportProgress | undefined

  constructor() {
    this.#open(new Map())
  }

  #open(progress: ReadonlyMap<string, ExportProgress>): void {
    this.#harness.autoAnswer = ({ messages }) => {
      const refused = messages.flatMap(({ sequenceNumber }, index) => (isPoison(sequenceNumber) ? [index] : []))
      if (refused.length === 0) return { kind: 'delivered' }
      if (refused.length % 2 === 1) return { kind: 'rejected', reason: 'poison' }
      return { kind: 'partial', failed: [], rejected: refused.map((index) => ({ index, reason: 'p' })), reason: '' }
    }
    this.#harness.engine.open(this.#source, [this.#definition], progress)
  }

  #numberAt(percent: number): number {
    const { oldest, durableNext } = this.#source
    return oldest + Math.floor(((durableNext - oldest) * percent) / 100)
  }

  async run(step: Calm): Promise<void> {
    const source = this.#source
    switch (step.kind) {
      case 'append':
        this.#oracle.append(step.count)
        source.append(step.count)
        break
      case 'overwritten':
      case 'expired':
      case 'reclaimed':
      case 'evicted':
      case 'lose': {
        const below = this.#numberAt(step.percent)
        const isUnexplained = step.kind === 'lose'
        source.drop(below, isUnexplained ? 'lost' : step.kind)
        this.#oracle.lose(below, isUnexplained ? 'damaged' : step.kind)
        break
      }
      case 'damage': {
        const number = this.#numberAt(step.percent)
        if (number >= source.durableNext) break
        source.damage(number)
        this.#damaged.add(number)
        break
      }
      case 'toggle':
        this.#definition = { ...this.#definition, disabled: this.#definition.disabled !== true }
        this.#harness.engine.update(source.streamId, [this.#definition])
        break
      case 'restart': {
        this.#saved = this.#harness.saved.get(`${source.streamId}/e`) ?? this.#saved
        void this.#harness.engine.stop(0)
        this.#harness = createExportHarness()
        this.#open(this.#saved === undefined ? new Map() : new Map([['e', this.#saved]]))
        break
      }
      case 'move': {
        const start = Math.floor((source.durableNext * step.percent) / 100)
        if (BigInt(start) === (this.#definition.startSequenceNumber ?? 0n)) break
        this.#definition = { ...this.#definition, startSequenceNumber: BigInt(start) }
        this.#oracle.move(start, source.oldest)
        this.#harness.engine.update(source.streamId, [this.#definition])
      }
    }
    await this.#harness.clock.advanceAsync(1_000)
    // Each batch takes a turn of the event loop.
    for (let sent = -1; sent !== this.#harness.sent.length;) {
      sent = this.#harness.sent.length
      await flush()
    }
    if (this.#definition.disabled !== true) this.#oracle.export(this.#damaged)
    const accounting: Accounting | undefined = this.#harness.engine.observe(source.streamId)[0]?.accounting
    assert.ok(accounting !== undefined)
    const { exported, skipped, dropped, waiting } = accounting
    assert.deepEqual({ exported, skipped, ...dropped, waiting }, this.#oracle.counts, JSON.stringify(step))
  }
}

describe('the account of an export', () => {
  it('has no hole, over crashes, overwriting, expiry, damage, replays and updates', async () => {
    await fc.assert(fc.asyncProperty(fc.integer(), fc.boolean(), fc.array(step, { maxLength: 30 }), live), {
      numRuns: 60,
      includeErrorInReport: true
    })
  })

  it('says of every message what became of it, when it can be known', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(calm, { maxLength: 30 }), async (steps) => {
        const world = new CalmWorld()
        for (const each of steps) await world.run(each)
      }),
      { numRuns: 60, includeErrorInReport: true }
    )
  })
})
