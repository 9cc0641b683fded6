import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { FAILURES } from '../../../component/model/failure.ts'
import type { StreamDefinition } from '../../../component/model/stream-definition.ts'
import type { SpacePolicy } from '../../../component/stream/index.ts'
import { flush } from '../../helpers/fake-clock.ts'
import { append, definitionOf, openScene, restart, streamOf, type StreamScene } from '../../helpers/stream-scene.ts'

/** Two messages to a segment, four segments to the stream. */
const PAYLOAD = Buffer.alloc(488)
const exporting = (changes: Partial<StreamDefinition> = {}): StreamDefinition =>
  definitionOf('s', {
    maxSizeBytes: 4_096n,
    segmentSizeBytes: 1_024,
    strategyOnFull: 'overwriteOldestData',
    exports: [{ kind: 'sitewise', identifier: 'e' }],
    ...changes
  })

interface Policy extends SpacePolicy {
  position: number
}
const policyOf = (flags: Partial<SpacePolicy>): Policy => {
  const policy: Policy = {
    reclaimsExported: false,
    protectsUnexported: false,
    position: 0,
    exportedBelow: () => policy.position,
    ...flags
  }
  return policy
}

async function fill(scene: StreamScene, count: number): Promise<unknown[]> {
  const results: unknown[] = []
  for (let index = 0; index < count; index += 1) results.push(await append(scene, 's', PAYLOAD))
  return results
}

describe('reclaiming exported segments', () => {
  it('drops what all have exported, by whole segments, but never the active one', async () => {
    const spacePolicy = policyOf({ reclaimsExported: true })
    const scene = await openScene({ spacePolicy })
    await scene.registry.create(exporting())
    await fill(scene, 7)
    const stream = streamOf(scene, 's')
    for (const [position, oldest] of [
      [1, 0],
      [2, 2],
      [5, 4],
      [7, 6]
    ] as const) {
      spacePolicy.position = position
      stream.reclaim()
      await flush()
      assert.equal(stream.log.oldest, oldest, `at ${position}`)
    }
    assert.deepEqual(stream.removals.list, [{ from: 0, below: 6, cause: 'reclaimed' }])
  })

  it('survives a restart once the catalogue knows', async () => {
    const spacePolicy = policyOf({ reclaimsExported: true })
    const scene = await openScene({ spacePolicy })
    await scene.registry.create(exporting())
    await fill(scene, 7)
    spacePolicy.position = 4
    streamOf(scene, 's').reclaim()
    await scene.clock.advanceAsync(2_000)
    spacePolicy.position = 0
    assert.equal(streamOf(await restart(scene, 'power cut', { spacePolicy }), 's').log.oldest, 4)
  })

  for (const [what, reclaimsExported, change] of [
    ['it is off', false, {}],
    ['no export is enabled', true, { exports: [{ kind: 'sitewise', identifier: 'e', disabled: true }] }],
    ['there is none', true, { exports: [] }]
  ] as const)
    it(`drops nothing when ${what}`, async () => {
      const spacePolicy = policyOf({ reclaimsExported })
      spacePolicy.position = 100
      const scene = await openScene({ spacePolicy })
      await scene.registry.create(exporting(change))
      await fill(scene, 6)
      streamOf(scene, 's').reclaim()
      await flush()
      assert.equal(streamOf(scene, 's').log.oldest, 0)
    })

  it('does nothing to a stream that is deleted', async () => {
    const spacePolicy = policyOf({ reclaimsExported: true })
    const scene = await openScene({ spacePolicy })
    await scene.registry.create(exporting())
    await fill(scene, 6)
    const stream = streamOf(scene, 's')
    await scene.registry.delete('s')
    spacePolicy.position = 6
    stream.reclaim()
    await flush()
    assert.equal(stream.log.oldest, 0)
  })
})

describe('protecting what is not exported', () => {
  it('has an overwriting stream refuse messages until an export has moved on', async () => {
    const spacePolicy = policyOf({ protectsUnexported: true })
    const scene = await openScene({ spacePolicy })
    await scene.registry.create(exporting())
    assert.deepEqual(await fill(scene, 9), [0, 1, 2, 3, 4, 5, 6, 7, FAILURES.streamFull])
    await fill(scene, 3)
    const stream = streamOf(scene, 's')
    assert.equal(stream.log.oldest, 0)
    assert.deepEqual(
      scene.logger.at('WARN').map(({ message }) => message),
      ['A stream is full of messages that are not exported yet']
    )
    assert.match(stream.appendProblem ?? '', /not exported/)
    spacePolicy.position = 1
    assert.deepEqual(await fill(scene, 1), [FAILURES.streamFull])
    spacePolicy.position = 2
    assert.deepEqual(await fill(scene, 3), [8, 9, FAILURES.streamFull])
    assert.equal(stream.log.oldest, 2)
    assert.equal(
      scene.logger.at('INFO').filter(({ message }) => message === 'Appends to a stream work again').length,
      1
    )
  })

  it('also does so for the active segment when there is no other', async () => {
    const spacePolicy = policyOf({ protectsUnexported: true })
    const scene = await openScene({ spacePolicy })
    await scene.registry.create(exporting({ maxSizeBytes: 2_000n, segmentSizeBytes: 2_000 }))
    spacePolicy.position = 0
    const results = await fill(scene, 4)
    assert.deepEqual(results.slice(0, 3), [0, 1, 2])
    assert.deepEqual(results[3], FAILURES.streamFull)
    assert.equal(streamOf(scene, 's').log.oldest, 0)
  })

  for (const [what, protectsUnexported, change] of [
    ['it is off', false, {}],
    ['no export is enabled', true, { exports: [{ kind: 'sitewise', identifier: 'e', disabled: true }] }],
    ['there is none', true, { exports: [] }]
  ] as const)
    it(`overwrites as ever when ${what}`, async () => {
      const scene = await openScene({ spacePolicy: policyOf({ protectsUnexported }) })
      await scene.registry.create(exporting(change))
      assert.deepEqual((await fill(scene, 12)).at(-1), 11)
    })

  it('keeps what does not fit any more at a restart, and drops it when it is exported', async () => {
    const spacePolicy = policyOf({ protectsUnexported: true })
    const scene = await openScene({ spacePolicy })
    await scene.registry.create(exporting({ maxSizeBytes: 8_192n }))
    await fill(scene, 12)
    const smaller = exporting({ maxSizeBytes: 2_048n })
    assert.equal((await scene.registry.update(smaller)).ok, false)
    // As an operator would, who allows it.
    await streamOf(scene, 's').setDefinition(smaller)
    assert.equal(streamOf(scene, 's').log.oldest, 0)
    spacePolicy.position = 12
    assert.deepEqual(await fill(scene, 1), [12])
    assert.ok(streamOf(scene, 's').log.totalBytes <= 2_048)
  })

  it('lets messages expire all the same', async () => {
    const scene = await openScene({ spacePolicy: policyOf({ protectsUnexported: true }) })
    await scene.registry.create(exporting({ timeToLiveMs: 60_000 }))
    await fill(scene, 4)
    await scene.clock.advanceAsync(130_000)
    assert.equal(streamOf(scene, 's').log.oldest, 4)
  })
})
