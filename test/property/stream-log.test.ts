import { describe, it } from 'node:test'
import fc from 'fast-check'
import { createFaultyDisk } from '../helpers/faulty-disk.ts'
import { LogHistory, type HistoryStep } from '../helpers/log-history.ts'
import { createSeededRandom } from '../helpers/seeded-random.ts'

const append = fc.record({
  kind: fc.constant('append' as const),
  sizes: fc.array(fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 6_000 })), {
    minLength: 1,
    maxLength: 6
  })
})
const simple = (...kinds: Exclude<HistoryStep['kind'], 'append'>[]): fc.Arbitrary<HistoryStep> =>
  fc.record({ kind: fc.constantFrom(...kinds) })

const histories = (...restarts: Exclude<HistoryStep['kind'], 'append'>[]): fc.Arbitrary<HistoryStep[]> =>
  fc.array(
    fc.oneof(
      { weight: 8, arbitrary: append },
      { weight: 5, arbitrary: simple('roll', 'sync', 'syncLater', 'tick', 'checkpoint') },
      { weight: 2, arbitrary: simple('drop', 'read', ...restarts) }
    ),
    { minLength: 1, maxLength: 60 }
  )

/** Not truncate: when a failed write cannot be taken back either, a kill leaves the outcome of that append open. */
const FAILING_OPERATIONS: readonly string[] = ['write', 'sync', 'syncFolder', 'rename', 'create', 'remove', 'open']

/** A start and a full comparison need a disk that works. */
const RELIABLE_STEPS: readonly string[] = ['kill', 'cutPower', 'loseCatalogue', 'read']

async function run(seed: number, steps: readonly HistoryStep[], faultRate: number): Promise<void> {
  const random = createSeededRandom(seed)
  const history = await LogHistory.start(createFaultyDisk({ random }))
  for (const step of steps) {
    const canFail = faultRate > 0 && !RELIABLE_STEPS.includes(step.kind)
    history.disk.rule = ({ operation, bytes }) => {
      if (!canFail || !FAILING_OPERATIONS.includes(operation) || random.fraction() >= faultRate) return undefined
      const code = random.fraction() < 0.5 ? 'ENOSPC' : 'EIO'
      return { code, bytesTaken: Math.floor(random.fraction() * bytes) }
    }
    await history.step(step)
  }
  history.disk.rule = () => undefined
  await history.settle()
  await history.step({ kind: 'checkpoint' })
  // The faults are over: what is left must become durable, and new messages must be taken.
  await history.log.sync()
  await history.step({ kind: 'append', sizes: [10] })
  await history.step({ kind: 'sync' })
  await history.step({ kind: 'checkpoint' })
  await history.check()
  await history.step({ kind: 'cutPower' })
  await history.check()
  history.log.close()
}

describe('any history of a log', () => {
  it('loses nothing to a kill and only a suffix that was not durable to a power cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), histories('kill', 'cutPower', 'loseCatalogue'), (seed, steps) =>
        run(seed, steps, 0)
      ),
      { numRuns: 300, includeErrorInReport: true }
    )
  })

  it('does so on a disk that fails now and then', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), histories('kill', 'cutPower'), (seed, steps) => run(seed, steps, 0.1)),
      { numRuns: 300, includeErrorInReport: true }
    )
  })
})
