import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createRemovals } from '../../../component/stream/removals.ts'
import { append, definitionOf, openScene, restart, streamOf } from '../../helpers/stream-scene.ts'

describe('removals', () => {
  it('are joined with their neighbours of one cause, and come back', () => {
    let saved: Buffer | undefined
    const removals = createRemovals(undefined, (value) => (saved = value))
    removals.add({ from: 0, below: 3, cause: 'overwritten' }, 30)
    removals.add({ from: 3, below: 5, cause: 'overwritten' }, 20)
    removals.add({ from: 5, below: 6, cause: 'expired' }, 10)
    removals.add({ from: 8, below: 9, cause: 'expired' }, 10)
    const list = [
      { from: 0, below: 5, cause: 'overwritten' },
      { from: 5, below: 6, cause: 'expired' },
      { from: 8, below: 9, cause: 'expired' }
    ]
    assert.deepEqual(removals.list, list)
    assert.equal(removals.bytes, 70)
    const again = createRemovals(saved, () => undefined)
    assert.deepEqual([again.list, again.totals], [list, { overwritten: 5, expired: 2, reclaimed: 0, evicted: 0 }])
  })

  it('are few: the oldest of too many become one', () => {
    const removals = createRemovals(undefined, () => undefined)
    for (let from = 0; from < 100; from += 1)
      removals.add({ from, below: from + 1, cause: from % 2 === 0 ? 'overwritten' : 'expired' }, 1)
    assert.equal(removals.list.length, 32)
    assert.deepEqual(removals.list[0], { from: 0, below: 69, cause: 'overwritten' })
    assert.deepEqual(removals.totals, { overwritten: 50, expired: 50, reclaimed: 0, evicted: 0 })
  })

  it('of an earlier version, which knew two causes, come back', () => {
    const { list, totals } = createRemovals(Buffer.from('[3,2,[0,3,0],[3,5,1]]'), () => undefined)
    assert.deepEqual(list, [
      { from: 0, below: 3, cause: 'overwritten' },
      { from: 3, below: 5, cause: 'expired' }
    ])
    assert.deepEqual(totals, { overwritten: 3, expired: 2, reclaimed: 0, evicted: 0 })
  })

  it('that were reclaimed or evicted come back with their totals', () => {
    let saved: Buffer | undefined
    const removals = createRemovals(undefined, (value) => (saved = value))
    removals.add({ from: 0, below: 3, cause: 'reclaimed' }, 30)
    removals.add({ from: 3, below: 5, cause: 'evicted' }, 20)
    const again = createRemovals(saved, () => undefined)
    assert.deepEqual(again.list, removals.list)
    assert.deepEqual(again.totals, { overwritten: 0, expired: 0, reclaimed: 3, evicted: 2 })
  })

  it('that cannot be read are none', () => {
    const bad = [
      '',
      '{}',
      '[]',
      '[1]',
      '[-1,0]',
      '[0,0,[2,1,0]]',
      '[0,0,[1,2,9]]',
      '[0,0,[3,4,0],[1,2,0]]',
      '[0,0,7]',
      '[0,0,0,0,[1,2,0],7]'
    ]
    for (const text of bad) assert.deepEqual(createRemovals(Buffer.from(text), () => undefined).list, [], text)
  })

  it('of a stream are known with their cause after a kill, for whatever is gone', async () => {
    const scene = await openScene()
    const definition = definitionOf('s', {
      maxSizeBytes: 8_192n,
      segmentSizeBytes: 1_024,
      strategyOnFull: 'overwriteOldestData',
      timeToLiveMs: 60_000
    })
    await scene.registry.create(definition)
    for (let count = 0; count < 40; count += 1) await append(scene, 's', 'x'.repeat(300))
    const overwritten = streamOf(scene, 's').log.oldest
    assert.ok(overwritten > 0)
    await scene.clock.advanceAsync(200_000)
    const { log, removals } = streamOf(scene, 's')
    assert.equal(log.oldest, 40)
    const expected = [
      { from: 0, below: overwritten, cause: 'overwritten' },
      { from: overwritten, below: 40, cause: 'expired' }
    ]
    assert.deepEqual(removals.list, expected)
    const again = await restart(scene)
    assert.deepEqual(streamOf(again, 's').removals.list, expected)
    assert.equal(streamOf(again, 's').log.oldest, 40)
  })
})
