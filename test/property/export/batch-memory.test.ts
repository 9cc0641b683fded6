import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { BatchMemoryWorld, type MemoryStep } from '../../helpers/batch-memory-world.ts'

const stream = fc.integer({ min: 0, max: 2 })
const percent = fc.integer({ min: 0, max: 100 })

const step: fc.Arbitrary<MemoryStep> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant('append' as const), stream, count: fc.integer({ min: 1, max: 40 }) })
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(1, 40, 900, 9_000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.constant(90_000) }) },
  {
    weight: 2,
    arbitrary: fc.constantFrom('crash', 'hang', 'bad reads', 'good reads').map((kind) => ({ kind }))
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('toggle' as const, 'resize' as const), stream }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('move' as const), stream, percent }) }
)

test('no byte of a payload changes while anybody looks at it, whatever becomes of its batch', async (t) => {
  let seen = 0
  await fc.assert(
    fc.asyncProperty(fc.integer(), fc.array(step, { minLength: 15, maxLength: 40 }), async (seed, steps) => {
      const world = await BatchMemoryWorld.start(seed)
      for (const each of steps) await world.run(each)
      await world.finish()
      seen += world.seen
    }),
    // A smaller schedule is a different one: what overtakes what changes with each step left out.
    { numRuns: 30, endOnFailure: true }
  )
  t.diagnostic(`${seen} payloads`)
  assert.ok(seen > 1_000)
})
