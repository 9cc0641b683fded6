import assert from 'node:assert/strict'
import type { StreamDefinition } from '../../component/model/stream-definition.ts'
import type { Result } from '../../component/model/failure.ts'
import type { Stream } from '../../component/stream/index.ts'
import { createFakeClock } from './fake-clock.ts'
import { createSeededRandom } from './seeded-random.ts'
import {
  checkNothingForeign,
  checkNothingLost,
  checkOrder,
  checkPrefix,
  possibleDefinitions,
  settleAppends,
  type FoundStream,
  type Incarnation,
  type ModelName,
  type OpenChange
} from './stream-model.ts'
import { openScene, type StreamScene } from './stream-scene.ts'

/** One step in the life of a server. Nothing waits for anything but `settle`. */
export type StreamStep =
  | { readonly kind: 'append'; readonly name: string; readonly bytes: number; readonly count: number }
  | { readonly kind: 'create' | 'update'; readonly definition: StreamDefinition }
  | { readonly kind: 'delete'; readonly name: string }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'tick' | 'settle' | 'kill' | 'power cut' }

/**
 * Runs the streams of a server through a history of requests, crashes and restarts and compares what is found with what
 * clients were told (reliability 1.1 to 1.3).
 */
export class StreamHistory {
  scene: StreamScene
  readonly #names = new Map<string, ModelName>()
  /** By stream id. */
  readonly #incarnations = new Map<string, Incarnation>()
  #seed: number
  #run = 0
  #appendCount = 0
  #openCount = 0

  private constructor(scene: StreamScene, seed: number) {
    this.scene = scene
    this.#seed = seed
  }

  static async start(seed: number): Promise<StreamHistory> {
    return new StreamHistory(await openScene({ seed }), seed)
  }

  async step(step: StreamStep): Promise<void> {
    switch (step.kind) {
      case 'append':
        for (let count = 0; count < step.count; count += 1) this.#append(step.name, step.bytes)
        return
      case 'create':
        this.#change(step, this.scene.registry.create(step.definition))
        return
      case 'update':
        this.#change(step, this.scene.registry.update(step.definition))
        return
      case 'delete': {
        const definition = this.scene.registry.get(step.name)?.definition
        if (definition === undefined) return
        this.#change({ kind: 'delete', definition }, this.scene.registry.delete(step.name))
        return
      }
      case 'tick':
        return new Promise((resolve) => setImmediate(resolve))
      case 'wait':
        return this.scene.clock.advanceAsync(step.ms)
      case 'settle':
        return this.settle()
      case 'kill':
      case 'power cut':
        return this.#restart(step.kind)
    }
  }

  /** Waits until all is answered, with a disk that works, and compares everything. */
  async settle(): Promise<void> {
    this.scene.disk.rule = () => undefined
    this.scene.catalogue.fails = () => false
    for (let round = 0; this.#openCount > 0; round += 1) {
      assert.ok(round < 50, `${this.#openCount} requests are never answered`)
      await this.scene.clock.advanceAsync(5_000)
    }
    for (const [name, { definition }] of this.#names) {
      const stream = this.scene.registry.get(name)
      assert.deepEqual(stream?.definition, definition, `the definition of ${name}`)
      if (stream === undefined) continue
      const incarnation = this.#incarnationOf(stream)
      const found = await findIn(stream)
      checkNothingForeign(incarnation, found)
      checkNothingLost(incarnation, found, Infinity)
      checkOrder(incarnation)
      checkBounds(stream, incarnation, found)
      checkNewestKept(stream, incarnation, found)
    }
  }

  #append(name: string, bytes: number): void {
    const stream = this.scene.registry.get(name)
    if (stream === undefined) return
    const run = this.#run
    const text = `${this.#appendCount++}.`.padEnd(bytes, '.')
    const append = { text, outcome: 'open' as 'open' | 'refused' | number }
    this.#incarnationOf(stream).appends.push(append)
    this.#openCount += 1
    stream.append(Buffer.from(text), (failure, sequenceNumber) => {
      if (run !== this.#run) return
      assert.equal(append.outcome, 'open', 'an append is answered once')
      append.outcome = failure === undefined ? sequenceNumber : 'refused'
      this.#openCount -= 1
    })
  }

  #change(change: OpenChange, result: Promise<Result<void>>): void {
    const run = this.#run
    const { registry } = this.scene
    const { name } = change.definition
    const model = this.#names.get(name) ?? { definition: undefined, open: [] }
    this.#names.set(name, model)
    model.open.push(change)
    this.#openCount += 1
    void result.then(({ ok }) => {
      if (run !== this.#run) return
      assert.equal(model.open.shift(), change, 'changes of one name are answered in order')
      if (ok) model.definition = change.kind === 'delete' ? undefined : change.definition
      const stream = registry.get(name)
      if (ok && stream !== undefined) this.#incarnationOf(stream).definitions.push(stream.definition)
      this.#openCount -= 1
    })
  }

  #incarnationOf(stream: Stream): Incarnation {
    const known = this.#incarnations.get(stream.id) ?? {
      definition: stream.definition,
      appends: [],
      definitions: [stream.definition]
    }
    this.#incarnations.set(stream.id, known)
    return known
  }

  async #restart(kind: 'kill' | 'power cut'): Promise<void> {
    const { disk, catalogue, clock, registry } = this.scene
    // Not durableNext: that passes over numbers that an earlier power cut took and nobody saw.
    const durable = new Map(
      registry.list().map((name) => {
        const stream = registry.get(name)
        return [stream?.id, stream?.log.state.durable.next ?? 0]
      })
    )
    this.#run += 1
    this.#openCount = 0
    this.#seed += 1
    this.scene = await openScene({
      disk: kind === 'kill' ? disk.kill() : disk.cutPower(),
      catalogue: catalogue.restart(createSeededRandom(this.#seed)),
      clock: createFakeClock(clock.wallMs()),
      seed: this.#seed,
      sameBoot: kind === 'kill'
    })
    for (const [name, model] of this.#names) {
      const stream = this.scene.registry.get(name)
      const isPossible = possibleDefinitions(model).some((one) => isSame(one, stream?.definition))
      assert.ok(isPossible, `after a ${kind} ${name} is ${stream === undefined ? 'gone' : 'there or other'}`)
      model.open.length = 0
      model.definition = stream?.definition
      if (stream !== undefined) await this.#checkRecovered(stream, kind, durable.get(stream.id) ?? 0)
    }
  }

  async #checkRecovered(stream: Stream, kind: 'kill' | 'power cut', durableNext: number): Promise<void> {
    const incarnation = this.#incarnationOf(stream)
    const found = await findIn(stream)
    checkNothingForeign(incarnation, found)
    if (stream.definition.persistence === 'memory') {
      assert.deepEqual([found.oldest, found.next, found.messages.size], [0, 0, 0])
    } else {
      const isAllKept = kind === 'kill' || stream.definition.flushOnWrite
      // An update to flushOnWrite holds for later messages, so only the durable ones count before it.
      const wasAlwaysFlushed = kind === 'kill' || incarnation.definitions.every(({ flushOnWrite }) => flushOnWrite)
      checkNothingLost(incarnation, found, isAllKept && wasAlwaysFlushed ? Infinity : durableNext)
      checkPrefix(incarnation, found)
      checkBounds(stream, incarnation, found)
      if (kind === 'kill') checkNewestKept(stream, incarnation, found)
      assert.ok(found.next >= durableNext, `durable numbers are given again: ${found.next} < ${durableNext}`)
    }
    settleAppends(incarnation, found)
  }
}

function isSame(left: StreamDefinition | undefined, right: StreamDefinition | undefined): boolean {
  try {
    assert.deepEqual(left, right)
    return true
  } catch {
    return false
  }
}

async function findIn({ log }: Stream): Promise<FoundStream> {
  const messages = new Map<number, string>()
  const { oldest, next } = log
  for (const { sequenceNumber, payload } of await log.read(oldest, next, 100_000, Infinity)) {
    messages.set(sequenceNumber, payload.toString())
  }
  return { oldest, next, messages }
}

function checkBounds(stream: Stream, { definitions }: Incarnation, found: FoundStream): void {
  const { oldest, next, messages } = found
  const { log, definition } = stream
  // Appends may come between the check of an update to a smaller size and its effect.
  const bound = Math.max(...[...definitions, definition].map(({ maxSizeBytes }) => Number(maxSizeBytes)))
  // What was dropped in the last second may be back, and a stream that rejects new data drops nothing again.
  const mayExceed =
    definition.strategyOnFull === 'rejectNewData' &&
    definitions.some(({ strategyOnFull }) => strategyOnFull === 'overwriteOldestData')
  assert.ok(mayExceed || log.totalBytes <= bound, `${log.totalBytes} bytes are stored, ${bound} are allowed`)
  assert.ok(oldest <= log.durableNext && log.durableNext <= next)
  const bytes = [...messages.values()].reduce((sum, text) => sum + log.recordBytes(text.length), 0)
  assert.equal(log.totalBytes, bytes)
}

/** Retention alone never empties a stream of fresh messages (behaviour 4.3). */
function checkNewestKept({ definition }: Stream, { appends }: Incarnation, { oldest }: FoundStream): void {
  if (definition.timeToLiveMs !== undefined) return
  const newest = appends.findLast(({ outcome }) => typeof outcome === 'number')?.outcome
  if (typeof newest === 'number') assert.ok(oldest <= newest, `the newest message ${newest} was dropped`)
}
