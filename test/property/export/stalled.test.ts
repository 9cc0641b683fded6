import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LOG_REPEAT_MS } from '../../../component/base/log-repeats.ts'
import type { SendOutcome } from '../../../component/export/sink.ts'
import type { HttpExport } from '../../../component/model/export-definition.ts'
import { createExportHarness, createFakeSource, httpExport, type FakeSource } from '../../helpers/export-harness.ts'
import { flush } from '../../helpers/fake-clock.ts'
import { createSeededRandom } from '../../helpers/seeded-random.ts'

/** How a destination behaves: it never answers, answers after 20 s, or at once. */
type Nature = 'hanging' | 'slow' | 'healthy'

const STALL_MS = 5_000
const TIMEOUT_MS = 60_000
const SLOW_MS = 20_000
const HEALTHY_MS_MAX = 200
const TICK_MS = 2_000

interface Member {
  readonly nature: Nature
  readonly source: FakeSource
  definition: HttpExport
  isOpen: boolean
  delivered: number
  /** Requests that have ended. */
  ended: number
}

/** Exports of many streams, each to a destination of its own, all of them always with something to send. */
class Crowd {
  readonly members: Member[] = []
  readonly #slotsMax: number
  readonly #random
  readonly #inFlight = new Set<object>()
  readonly #harness
  /** Worst time from append to delivery of healthy exports since it was last taken. */
  #worstMs = 0

  constructor(slotsMax: number, seed: number) {
    this.#slotsMax = slotsMax
    this.#random = createSeededRandom(seed)
    this.#harness = createExportHarness({
      concurrencyMax: slotsMax,
      random: createSeededRandom(seed + 1),
      sendBatch: ({ streamName, messages }, signal) => this.#send(streamName, messages, signal)
    })
  }

  get clock(): ReturnType<typeof createExportHarness>['clock'] {
    return this.#harness.clock
  }

  add(nature: Nature, count: number): void {
    for (let index = 0; index < count; index += 1) {
      const source = createFakeSource(this.clock, `${nature} ${index}`)
      const definition = httpExport({ batchSize: 100, priority: 1 + Math.floor(this.#random.fraction() * 10) })
      source.append(1)
      this.#harness.engine.open(source, [definition], new Map())
      this.members.push({ nature, source, definition, isOpen: true, delivered: 0, ended: 0 })
    }
  }

  #send(
    streamName: string,
    messages: readonly { readonly ingestTimeMs: number }[],
    signal: AbortSignal
  ): Promise<SendOutcome> {
    const member = this.members.find(({ source }) => source.streamName === streamName)
    assert.ok(member !== undefined)
    const request = {}
    this.#inFlight.add(request)
    assert.ok(this.#inFlight.size <= 2 * this.#slotsMax, `${this.#inFlight.size} requests in flight`)
    return new Promise((resolve) => {
      const settle = (outcome: SendOutcome): void => {
        timer.cancel()
        member.ended += 1
        this.#inFlight.delete(request)
        resolve(outcome)
      }
      const delayMs = { hanging: TIMEOUT_MS, slow: SLOW_MS, healthy: this.#random.fraction() * HEALTHY_MS_MAX }
      const timer = this.clock.after(delayMs[member.nature], () => {
        if (member.nature === 'hanging') {
          settle({ kind: 'retryLater', reason: 'TimeoutError' })
          return
        }
        member.delivered += messages.length
        const [oldest] = messages
        if (member.nature === 'healthy' && oldest !== undefined) {
          this.#worstMs = Math.max(this.#worstMs, this.clock.wallMs() - oldest.ingestTimeMs)
        }
        settle({ kind: 'delivered' })
      })
      signal.addEventListener('abort', () => settle({ kind: 'retryLater', reason: 'AbortError' }))
    })
  }

  /** Whether each destination has shown what it is like. */
  get isKnown(): boolean {
    return this.members.every(({ ended }) => ended > 0)
  }

  get isEverySlowOneServed(): boolean {
    return this.members.every(({ nature, delivered }) => nature !== 'slow' || delivered > 0)
  }

  /** Lets time pass, in which every export gets more to send. @returns the worst delay of a healthy one, in ms */
  async run(ms: number): Promise<number> {
    this.#worstMs = 0
    for (let passedMs = 0; passedMs < ms; passedMs += TICK_MS) {
      for (const { source } of this.members) source.append(1)
      await this.clock.advanceAsync(TICK_MS)
    }
    return this.#worstMs
  }

  /** Does something to an export that any client may do at any moment. */
  async disturb(index: number, kind: Disturbance): Promise<void> {
    const member = this.members[index % this.members.length]
    if (member?.isOpen !== true) return
    const { source, definition } = member
    const update = (changed: Partial<HttpExport>): void => {
      member.definition = { ...definition, ...changed }
      this.#harness.engine.update(source.streamId, [member.definition])
    }
    switch (kind) {
      case 'resubmit':
        update({})
        break
      case 'redirect':
        update({ uri: `http://localhost/${this.#random.fraction()}` })
        break
      case 'toggle':
        update({ disabled: definition.disabled !== true })
        break
      case 'replay':
        update({ startSequenceNumber: definition.startSequenceNumber === 0n ? 1n : 0n })
        break
      case 'close':
        member.isOpen = false
        void this.#harness.engine.close(source.streamId)
    }
    await flush()
  }

  /** Ends all exports: then every slot and every waiting place has to be free again. */
  async assertNothingLeaked(): Promise<void> {
    for (const { source } of this.members) await this.#harness.engine.close(source.streamId)
    await flush()
    assert.equal(this.#inFlight.size, 0)
    // Lines of the log that were held back are told in the minute after, and counted for another one.
    await this.clock.advanceAsync(2 * LOG_REPEAT_MS)
    assert.equal(this.clock.pendingTimers, 0)
    this.add('hanging', 2 * this.#slotsMax)
    await flush()
    assert.equal(this.#inFlight.size, this.#slotsMax, 'all slots are free')
    await this.clock.advanceAsync(STALL_MS)
    assert.equal(this.#inFlight.size, 2 * this.#slotsMax, 'all waiting places are free')
    const stopped = this.#harness.engine.stop(0)
    await this.clock.advanceAsync(0)
    await stopped
    await flush()
    assert.equal(this.#inFlight.size, 0)
  }
}

const DISTURBANCES = ['resubmit', 'redirect', 'toggle', 'replay', 'close'] as const
type Disturbance = (typeof DISTURBANCES)[number]

const crowdSize = fc.record({
  slotsMax: fc.integer({ min: 1, max: 8 }),
  hanging: fc.integer({ min: 0, max: 20 }),
  slow: fc.integer({ min: 0, max: 3 }),
  healthy: fc.integer({ min: 1, max: 8 }),
  seed: fc.integer({ min: 0, max: 1_000_000 })
})

test('destinations that hang, however many, hold healthy exports up once, and slow ones get their time', async () => {
  await fc.assert(
    fc.asyncProperty(crowdSize, async ({ slotsMax, hanging, slow, healthy, seed }) => {
      const crowd = new Crowd(slotsMax, seed)
      crowd.add('hanging', hanging)
      crowd.add('slow', slow)
      crowd.add('healthy', healthy)
      // One round of the healthy ones through the slots, and the request under way.
      const roundMs = (Math.ceil(healthy / slotsMax) + 1) * HEALTHY_MS_MAX
      const stallsMs = Math.ceil((hanging + slow) / slotsMax) * STALL_MS
      let firstMs = 0
      // Exports of low priority may have to wait for their first turn until they count as better ones.
      for (let minute = 0; !crowd.isKnown; minute += 1) {
        assert.ok(minute < 11 + stallsMs / 60_000, 'everyone gets a turn')
        firstMs = Math.max(firstMs, await crowd.run(60_000))
      }
      assert.ok(firstMs <= 2 * (stallsMs + roundMs) + TICK_MS, `at first ${firstMs} ms`)
      const laterMs = await crowd.run(300_000)
      assert.ok(laterMs <= 2 * roundMs, `later ${laterMs} ms`)
      // Suspects take turns of a minute each, those of low priority when they count as better ones.
      for (let minute = 0; !crowd.isEverySlowOneServed; minute += 1) {
        assert.ok(minute < 11 + (hanging + slow) / slotsMax, 'a slow one gets through')
        await crowd.run(60_000)
      }
    }),
    { numRuns: 15 }
  )
})

test('no slot is lost, whatever is done to exports with silent requests', async () => {
  const disturbance = fc.record({
    index: fc.nat({ max: 50 }),
    kind: fc.constantFrom(...DISTURBANCES),
    afterMs: fc.constantFrom(0, 100, 1_000, 4_999, 5_001, 30_000)
  })
  await fc.assert(
    fc.asyncProperty(crowdSize, fc.array(disturbance, { maxLength: 30 }), async (size, disturbances) => {
      const crowd = new Crowd(size.slotsMax, size.seed)
      crowd.add('hanging', size.hanging)
      crowd.add('slow', size.slow)
      crowd.add('healthy', size.healthy)
      for (const { index, kind, afterMs } of disturbances) {
        await crowd.clock.advanceAsync(afterMs)
        await crowd.disturb(index, kind)
      }
      await crowd.assertNothingLeaked()
    }),
    { numRuns: 40 }
  )
})
