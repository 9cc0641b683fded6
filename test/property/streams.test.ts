import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { StreamDefinition } from '../../component/model/stream-definition.ts'
import { createSeededRandom } from '../helpers/seeded-random.ts'
import { StreamHistory, type StreamStep } from '../helpers/stream-history.ts'
import { definitionOf } from '../helpers/stream-scene.ts'

const NAMES = ['a', 'b', 'A']
const name = fc.constantFrom(...NAMES)

const definition: fc.Arbitrary<StreamDefinition> = fc
  .record({
    name,
    maxSizeBytes: fc.constantFrom(8_192n, 32_768n),
    segmentSizeBytes: fc.constantFrom(1_024, 4_096),
    strategyOnFull: fc.constantFrom('rejectNewData' as const, 'overwriteOldestData' as const),
    persistence: fc.constantFrom('file' as const, 'file' as const, 'file' as const, 'memory' as const),
    flushOnWrite: fc.boolean()
  })
  .map(({ name, ...changes }) => definitionOf(name, changes))

const append = fc.record({
  kind: fc.constant('append' as const),
  name,
  bytes: fc.oneof(fc.integer({ min: 8, max: 200 }), fc.integer({ min: 8, max: 3_000 })),
  count: fc.integer({ min: 1, max: 5 })
})

const laterSteps: fc.Arbitrary<StreamStep[]> = fc.array(
  fc.oneof(
    { weight: 12, arbitrary: append },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('create' as const), definition }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('update' as const), definition }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), name }) },
    { weight: 6, arbitrary: fc.constant({ kind: 'tick' as const }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(1, 300, 1_000) }) },
    { weight: 1, arbitrary: fc.constantFrom({ kind: 'settle' as const }, { kind: 'settle' as const }) },
    { weight: 2, arbitrary: fc.constantFrom({ kind: 'kill' as const }, { kind: 'power cut' as const }) }
  ),
  { minLength: 5, maxLength: 60 }
)

/** Streams come first, so that most of the later steps find some. */
const steps = fc
  .tuple(fc.array(definition, { minLength: 1, maxLength: 3 }), laterSteps)
  .map(([definitions, later]): StreamStep[] => [
    ...definitions.map((one) => ({ kind: 'create' as const, definition: one })),
    { kind: 'settle' },
    ...later
  ])

/** Not truncate: when a failed write cannot be taken back either, a kill leaves the outcome of that append open. */
const FAILING = new Set(['write', 'sync', 'syncFolder', 'rename', 'create', 'remove'])

async function run(seed: number, history: readonly StreamStep[], faultRate: number): Promise<void> {
  const random = createSeededRandom(seed)
  const streams = await StreamHistory.start(seed)
  for (const step of history) {
    const { disk, catalogue } = streams.scene
    disk.rule = ({ operation, bytes }) => {
      if (!FAILING.has(operation) || random.fraction() >= faultRate) return undefined
      const code = random.fraction() < 0.5 ? 'ENOSPC' : 'EIO'
      return { code, bytesTaken: Math.floor(random.fraction() * bytes) }
    }
    // A commit that fails can be taken back: failures come one at a time.
    let worked = 0
    catalogue.fails = () => {
      const fails = worked > 2 && random.fraction() < faultRate
      worked = fails ? 0 : worked + 1
      return fails
    }
    await streams.step(step)
  }
  await streams.settle()
  await streams.step({ kind: 'power cut' })
  await streams.settle()
}

describe('any history of streams', () => {
  it('keeps what clients were promised, over kills and power cuts', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), steps, (seed, history) => run(seed, history, 0)),
      { numRuns: 150, includeErrorInReport: true }
    )
  })

  it('does so on a disk and with a catalogue that fail now and then', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), steps, (seed, history) => run(seed, history, 0.1)),
      { numRuns: 150, includeErrorInReport: true }
    )
  })
})
