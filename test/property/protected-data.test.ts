import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { StreamDefinition } from '../../component/model/stream-definition.ts'
import type { SpacePolicy } from '../../component/stream/index.ts'
import { flush } from '../helpers/fake-clock.ts'
import { append, definitionOf, openScene, restart, streamOf, type StreamScene } from '../helpers/stream-scene.ts'

const BUDGET = 12 * 1_024
const NAMES = ['a', 'b', 'c'] as const
type Name = (typeof NAMES)[number]

type Action =
  | { readonly kind: 'append'; readonly name: Name; readonly bytes: number; readonly count: number }
  | { readonly kind: 'export'; readonly name: Name; readonly share: number }
  | { readonly kind: 'disable' | 'enable'; readonly name: Name }
  | { readonly kind: 'wait' }
  | { readonly kind: 'restart'; readonly how: 'kill' | 'power cut' }

const name = fc.constantFrom(...NAMES)
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      name,
      bytes: fc.integer({ min: 0, max: 900 }),
      count: fc.integer({ min: 1, max: 12 })
    })
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('export' as const),
      name,
      share: fc.double({ min: 0, max: 1, noNaN: true })
    })
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('disable' as const, 'enable' as const), name }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'wait' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('restart' as const),
      how: fc.constantFrom('kill' as const, 'power cut' as const)
    })
  }
)

const definition = (of: Name, disabled: boolean): StreamDefinition =>
  definitionOf(of, {
    maxSizeBytes: 8_192n,
    segmentSizeBytes: 1_024,
    strategyOnFull: of === 'c' ? 'rejectNewData' : 'overwriteOldestData',
    exports: [{ kind: 'sitewise', identifier: 'e', priority: of === 'a' ? 2 : 8, disabled }]
  })

/** Fills a stream until it refuses, and again after its export has gone on. */
const REACHES_BOTH_ENDS: Action[] = [
  { kind: 'append', name: 'a', bytes: 900, count: 12 },
  { kind: 'wait' },
  { kind: 'export', name: 'a', share: 1 },
  { kind: 'append', name: 'a', bytes: 900, count: 12 }
]

test('what an enabled export has not exported is never dropped, and the budget holds, whatever happens', async () => {
  let refusals = 0
  let drops = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(action, { minLength: 5, maxLength: 40 }),
      fc.boolean(),
      async (actions, reclaimsExported) => {
        /** What the exports would remember: their positions, and which are enabled. */
        const positions = new Map<string, number>()
        const disabled = new Set<string>()
        const spacePolicy: SpacePolicy = {
          reclaimsExported,
          protectsUnexported: true,
          exportedBelow: (_, { name }) => positions.get(name) ?? 0
        }
        let scene: StreamScene = await openScene({ spacePolicy, budgetBytes: BUDGET })
        for (const each of NAMES) await scene.registry.create(definition(each, false))

        /** A kill brings back what was dropped a moment before: it goes with the next appends. */
        let ceiling = BUDGET

        const check = (before: ReadonlyMap<string, number>): void => {
          let total = 0
          for (const each of NAMES) {
            const { log } = streamOf(scene, each)
            total += log.totalBytes
            const oldestBefore = before.get(each) ?? 0
            if (log.oldest > oldestBefore) drops += 1
            if (log.oldest > oldestBefore && (!disabled.has(each) || each === 'c'))
              assert.ok(
                log.oldest <= Math.max(positions.get(each) ?? 0, oldestBefore),
                `${each} lost ${log.oldest - 1}`
              )
          }
          assert.ok(total <= ceiling, `${total} bytes, and ${ceiling} may be`)
        }

        for (const step of actions) {
          const before = new Map(NAMES.map((each) => [each as string, streamOf(scene, each).log.oldest]))
          switch (step.kind) {
            case 'append':
              {
                const payload = Buffer.alloc(step.bytes)
                const results = await Promise.all(
                  Array.from({ length: step.count }, () => append(scene, step.name, payload))
                )
                refusals += results.filter((result) => typeof result !== 'number').length
              }
              break
            case 'export': {
              const { log } = streamOf(scene, step.name)
              const from = positions.get(step.name) ?? 0
              // Exports send durable messages only, and their positions survive with what the catalogue knows.
              positions.set(step.name, Math.max(from, Math.floor(from + (log.durableNext - from) * step.share)))
              streamOf(scene, step.name).reclaim()
              await flush()
              break
            }
            case 'disable':
            case 'enable':
              if (step.kind === 'disable') disabled.add(step.name)
              else disabled.delete(step.name)
              await scene.registry.update(definition(step.name, step.kind === 'disable'))
              break
            case 'wait':
              await scene.clock.advanceAsync(1_500)
              break
            case 'restart':
              scene = await restart(scene, step.how, { spacePolicy, budgetBytes: BUDGET })
              ceiling = Math.max(
                BUDGET,
                NAMES.reduce((sum, each) => sum + streamOf(scene, each).log.totalBytes, 0)
              )
          }
          // What a power cut takes was not synced yet.
          if (step.kind !== 'restart' || step.how === 'kill') check(before)
        }
      }
    ),
    { numRuns: 25, examples: [[REACHES_BOTH_ENDS, false]] }
  )
  assert.ok(refusals > 0 && drops > 0, 'the histories reach both ends')
})
