import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ExportDefinition } from '../../../component/model/export-definition.ts'
import type { Failure } from '../../../component/model/failure.ts'
import type { StreamDefinition } from '../../../component/model/stream-definition.ts'
import { rankOf } from '../../../component/stream/disk-budget.ts'
import { append, definitionOf, openScene, restart, streamOf, type StreamScene } from '../../helpers/stream-scene.ts'

const BUDGET = 8 * 1_024
const PAYLOAD = Buffer.alloc(488)
const exportOf = (priority: number, disabled = false): ExportDefinition => ({
  kind: 'sitewise',
  identifier: 'e',
  priority,
  disabled
})
const overwriting = (name: string, priority?: number): StreamDefinition =>
  definitionOf(name, {
    segmentSizeBytes: 1_024,
    strategyOnFull: 'overwriteOldestData',
    exports: priority === undefined ? [] : [exportOf(priority)]
  })
const rejecting = (name: string, priority?: number): StreamDefinition => ({
  ...overwriting(name, priority),
  strategyOnFull: 'rejectNewData'
})

async function openWith(...definitions: StreamDefinition[]): Promise<StreamScene> {
  const scene = await openScene({ budgetBytes: BUDGET })
  for (const definition of definitions) await scene.registry.create(definition)
  return scene
}

async function fill(scene: StreamScene, name: string, count: number): Promise<(number | Failure)[]> {
  const results: (number | Failure)[] = []
  for (let index = 0; index < count; index += 1) results.push(await append(scene, name, PAYLOAD))
  return results
}

const stored = (scene: StreamScene): Record<string, number> =>
  Object.fromEntries(
    scene.registry.list().map((name) => [name, streamOf(scene, name).log.next - streamOf(scene, name).log.oldest])
  )
const total = (scene: StreamScene): number =>
  scene.registry.list().reduce((sum, name) => sum + streamOf(scene, name).log.totalBytes, 0)

it('the best priority of the enabled exports is the rank of a stream', () => {
  const rank = (...exports: ExportDefinition[]): number => rankOf(definitionOf('s', { exports }))
  assert.equal(rank(), 11)
  assert.equal(rank(exportOf(3, true)), 11)
  assert.equal(rank(exportOf(7), exportOf(3)), 3)
  assert.equal(rank({ kind: 'sitewise', identifier: 'e' }), 10)
})

describe('a budget over all streams', () => {
  it('has the stream of the lowest priority give way first', async () => {
    const scene = await openWith(overwriting('first', 1), overwriting('last', 10), overwriting('none'))
    await fill(scene, 'last', 6)
    await fill(scene, 'none', 6)
    await fill(scene, 'first', 8)
    assert.ok(total(scene) <= BUDGET)
    assert.deepEqual(stored(scene), { first: 8, last: 6, none: 2 })
    // Of the one without exports only the active segment is left.
    await fill(scene, 'first', 4)
    assert.deepEqual(stored(scene), { first: 12, last: 2, none: 2 })
    assert.deepEqual(streamOf(scene, 'last').removals.list, [{ from: 0, below: 4, cause: 'evicted' }])
  })

  it('has the oldest data give way among equals, its own too', async () => {
    const scene = await openWith(overwriting('a', 5), overwriting('b', 5))
    await fill(scene, 'a', 8)
    scene.clock.advance(1_000)
    await fill(scene, 'b', 8)
    await fill(scene, 'b', 2)
    assert.deepEqual(stored(scene), { a: 6, b: 10 })
    await fill(scene, 'a', 6)
    // Its own are the older ones still.
    assert.deepEqual([streamOf(scene, 'a').log.oldest, streamOf(scene, 'b').log.oldest], [8, 0])
  })

  it('refuses messages of a lower priority rather than drop those of a higher one', async () => {
    const scene = await openWith(overwriting('first', 1), rejecting('last', 10))
    await fill(scene, 'first', 16)
    const [failure] = await fill(scene, 'last', 1)
    assert.deepEqual(failure, {
      kind: 'unknownFailure',
      message: 'no space left for message streams: 8192 of 8192 bytes are in use'
    })
    assert.equal(scene.logger.at('WARN').length, 1)
    assert.deepEqual(stored(scene), { first: 16, last: 0 })
    // Its own oldest messages are its own affair.
    assert.deepEqual(await fill(scene, 'first', 1), [16])
  })

  it('never drops anything of a rejecting stream', async () => {
    const scene = await openWith(rejecting('keeps'), overwriting('first', 1))
    await fill(scene, 'keeps', 14)
    assert.deepEqual(await fill(scene, 'first', 3), [0, 1, 2])
    assert.deepEqual(stored(scene), { first: 1, keeps: 14 })
    assert.ok(total(scene) <= BUDGET)
  })

  it('drops of an overwriting stream alone what it must, the active segment too', async () => {
    const scene = await openWith(overwriting('only'))
    const results = await fill(scene, 'only', 40)
    assert.equal(results.at(-1), 39)
    assert.ok(total(scene) <= BUDGET)
  })

  it('counts what is there at a start, and gets room back from deleted streams', async () => {
    const scene = await openWith(rejecting('a'), rejecting('b'))
    await fill(scene, 'a', 10)
    await fill(scene, 'b', 6)
    await scene.clock.advanceAsync(2_000)
    const next = await restart(scene, 'power cut', { budgetBytes: BUDGET })
    assert.deepEqual(stored(next), { a: 10, b: 6 })
    assert.equal(typeof (await fill(next, 'a', 1))[0], 'object')
    await next.registry.delete('b')
    assert.deepEqual(await fill(next, 'a', 6), [10, 11, 12, 13, 14, 15])
  })

  it('leaves memory streams alone', async () => {
    const scene = await openWith(overwriting('file'), definitionOf('memory', { persistence: 'memory' }))
    await fill(scene, 'file', 16)
    assert.equal((await fill(scene, 'memory', 20)).at(-1), 19)
    assert.deepEqual(stored(scene), { file: 16, memory: 20 })
  })

  it('that was made smaller is met at the next append', async () => {
    const scene = await openWith(overwriting('a'))
    await fill(scene, 'a', 16)
    await scene.clock.advanceAsync(2_000)
    const next = await restart(scene, 'kill', { budgetBytes: BUDGET / 2 })
    assert.deepEqual(stored(next), { a: 16 })
    await fill(next, 'a', 1)
    assert.ok(total(next) <= BUDGET / 2)
  })
})
