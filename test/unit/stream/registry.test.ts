import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FAILURES } from '../../../component/model/failure.ts'
import { catalogueKeys } from '../../../component/stream/catalogue-records.ts'
import { flush } from '../../helpers/fake-clock.ts'
import { failing } from '../../helpers/faulty-disk.ts'
import { createPromiseGate } from '../../helpers/promise-gate.ts'
import {
  append,
  definitionOf,
  failureText,
  openScene,
  readAllTexts,
  restart,
  STORE,
  streamOf,
  type StreamScene
} from '../../helpers/stream-scene.ts'

const READER = {
  signal: new AbortController().signal,
  reserve: () => Promise.resolve(true),
  memory: (bytes: number) => Buffer.alloc(bytes)
}

/** Folders of streams on the disk. */
function foldersOf({ disk }: StreamScene): string[] {
  return disk.listFolder(`${STORE}/streams`).map(({ name }) => name)
}

test('create answers when the definition, the first segment and its folder survive a power cut', async () => {
  const scene = await openScene()
  assert.deepEqual(await scene.registry.create(definitionOf('a')), { ok: true, value: undefined })
  assert.deepEqual(scene.events, ['opened a'])
  assert.equal([...scene.catalogue.durable.keys()].filter((key) => key.startsWith('stream/')).length, 1)
  const after = await restart(scene, 'power cut')
  assert.deepEqual(after.registry.list(), ['a'])
  assert.equal(await append(after, 'a', 'x'), 0)
})

test('the list of names is made anew only when it has changed', async () => {
  const { registry } = await openScene()
  await registry.create(definitionOf('b'))
  const one = registry.list()
  assert.equal(registry.list(), one)
  await registry.create(definitionOf('a'))
  const two = registry.list()
  assert.deepEqual([one, two], [['b'], ['a', 'b']])
  assert.equal(registry.list(), two)
  await registry.delete('b')
  assert.deepEqual(registry.list(), ['a'])
})

test('no answer, and no stream, before the commit', async () => {
  const scene = await openScene()
  const commit = createPromiseGate()
  scene.catalogue.delay = () => commit.promise
  let isAnswered = false
  const created = scene.registry.create(definitionOf('a')).finally(() => (isAnswered = true))
  await flush()
  assert.equal(isAnswered, false)
  assert.equal(scene.registry.get('a'), undefined)
  commit.open()
  assert.equal((await created).ok, true)
})

test('names are taken once, also when many ask at the same time', async () => {
  const scene = await openScene()
  const results = await Promise.all([1, 2, 3].map(() => scene.registry.create(definitionOf('a'))))
  assert.deepEqual(results.map(failureText), [undefined, FAILURES.streamExists.message, FAILURES.streamExists.message])
  assert.equal(foldersOf(scene).length, 1)
})

for (const [what, breakIt] of [
  ['the catalogue', (scene: StreamScene) => (scene.catalogue.fails = () => true)],
  ['the first segment', ({ disk }: StreamScene) => (disk.rule = failing({ operation: 'create' }, { code: 'ENOSPC' }))],
  ['the folder', ({ disk }: StreamScene) => (disk.rule = failing({ operation: 'syncFolder' }, { code: 'EIO' }, 3))]
] as const) {
  test(`a create that fails for ${what} leaves nothing behind, and the name is free`, async () => {
    const scene = await openScene()
    breakIt(scene)
    const result = await scene.registry.create(definitionOf('a'))
    assert.equal(result.ok ? undefined : result.failure.kind, 'unknownFailure')
    assert.deepEqual([scene.registry.list(), scene.events], [[], []])
    scene.catalogue.fails = () => false
    scene.disk.rule = () => undefined
    assert.equal(scene.disk.openFiles, 0)
    const after = await restart(scene)
    assert.deepEqual([after.registry.list(), foldersOf(after)], [[], []])
    assert.equal((await after.registry.create(definitionOf('a'))).ok, true)
    assert.equal(await append(after, 'a', 'x'), 0)
  })
}

test('an update holds after a restart; a failed one holds neither now nor then', async () => {
  const scene = await openScene()
  await scene.registry.create(definitionOf('a'))
  assert.equal((await scene.registry.update(definitionOf('a', { segmentSizeBytes: 4_096 }))).ok, true)
  let commits = 0
  scene.catalogue.fails = () => (commits += 1) === 1
  const failed = await scene.registry.update(definitionOf('a', { segmentSizeBytes: 8_192 }))
  assert.equal(failed.ok ? undefined : failed.failure.kind, 'updateFailed')
  assert.equal(streamOf(scene, 'a').definition.segmentSizeBytes, 4_096)
  assert.deepEqual(scene.events, ['opened a', 'updated a'])
  const after = await restart(scene, 'power cut')
  assert.equal(streamOf(after, 'a').definition.segmentSizeBytes, 4_096)
  assert.equal(failureText(await scene.registry.update(definitionOf('b'))), FAILURES.streamMissing.message)
})

test('an update is not durable before the progress of the exports that it may remove (behaviour 10.5)', async () => {
  const exports = [{ kind: 's3', identifier: 'e' }] as const
  const scene = await openScene()
  await scene.registry.create(definitionOf('a', { exports }))
  scene.checkpointer.put(catalogueKeys.exportProgress(streamOf(scene, 'a').id, 'e'), Buffer.from('tasks'))
  assert.equal((await scene.registry.update(definitionOf('a'))).ok, true)
  const next = await restart(scene, 'kill', { seed: 3 })
  assert.deepEqual(streamOf(next, 'a').definition.exports, [])
  assert.deepEqual(next.progress, ['a/e=tasks'])
})

test('an answer to a create or an update comes after the accounts of new exports are durable', async () => {
  const exports = [{ kind: 's3', identifier: 'e' }] as const
  const scene = await openScene({ account: Buffer.from('begins here') })
  await scene.registry.create(definitionOf('a', { exports }))
  await scene.registry.create(definitionOf('b'))
  await scene.registry.update(definitionOf('b', { exports }))
  const next = await restart(scene, 'kill', { seed: 3 })
  assert.deepEqual(next.progress, ['a/e=begins here', 'b/e=begins here'])
})

test('an update to a smaller overwriting stream is refused below what is stored', async () => {
  const scene = await openScene()
  await scene.registry.create(definitionOf('a'))
  for (let count = 0; count < 5; count += 1) await append(scene, 'a', Buffer.alloc(2_000))
  const { totalBytes } = streamOf(scene, 'a').storageStatus()
  const change = { strategyOnFull: 'overwriteOldestData', maxSizeBytes: 10_000n } as const
  assert.match(
    failureText(await scene.registry.update(definitionOf('a', change))) ?? '',
    new RegExp(`maxSize 10000 is smaller than the current size ${totalBytes}`)
  )
})

test('delete answers after the tombstone is durable; the folder goes afterwards', async () => {
  const scene = await openScene()
  await scene.registry.create(definitionOf('a'))
  await append(scene, 'a', 'x')
  const order: string[] = []
  scene.disk.rule = ({ operation, path }) => {
    if (operation === 'remove' && path.startsWith(`${STORE}/streams/a-`)) order.push('removed')
    return undefined
  }
  scene.catalogue.fails = (changes) => {
    order.push(changes.some(({ key, value }) => key.startsWith('deleted/') && value) ? 'tombstone' : 'commit')
    return false
  }
  assert.deepEqual(await scene.registry.delete('a'), { ok: true, value: undefined })
  order.push('answer')
  await flush()
  await flush()
  assert.equal(order[0], 'tombstone')
  assert.ok(order.indexOf('removed') > order.indexOf('tombstone'), order.join())
  assert.equal(order.at(-1), 'commit')
  assert.deepEqual([foldersOf(scene), [...scene.catalogue.durable.keys()]], [[], []])
  assert.deepEqual(scene.events, ['opened a', 'deleted a'])
  assert.equal(failureText(await scene.registry.delete('a')), FAILURES.streamMissing.message)
})

test('a deleted stream does not come back, even when its folder could not be removed', async () => {
  const scene = await openScene()
  await scene.registry.create(definitionOf('a'))
  await append(scene, 'a', 'x')
  scene.disk.rule = failing({ operation: 'remove' }, { code: 'EIO' })
  await scene.registry.delete('a')
  const second = await restart(scene, 'power cut')
  assert.deepEqual(second.registry.list(), [])
  second.disk.rule = failing({ operation: 'remove' }, { code: 'EIO' })
  const third = await restart(second)
  assert.deepEqual([third.registry.list(), foldersOf(third), [...third.catalogue.durable.keys()]], [[], [], []])
})

test('a delete that fails has deleted nothing, also after later commits and a restart', async () => {
  const scene = await openScene()
  await scene.registry.create(definitionOf('a'))
  await append(scene, 'a', 'x')
  let commits = 0
  scene.catalogue.fails = () => (commits += 1) === 1
  assert.equal((await scene.registry.delete('a')).ok, false)
  assert.equal(await append(scene, 'a', 'y'), 1)
  await scene.registry.create(definitionOf('b'))
  const after = await restart(scene)
  assert.deepEqual(after.registry.list(), ['a', 'b'])
  assert.deepEqual(await readAllTexts(after, 'a'), ['0:x', '1:y'])
})

test('a stream created again is another one and begins at 0', async () => {
  const scene = await openScene()
  await scene.registry.create(definitionOf('a'))
  const first = streamOf(scene, 'a').id
  await append(scene, 'a', 'x')
  const [deleted, created] = await Promise.all([scene.registry.delete('a'), scene.registry.create(definitionOf('a'))])
  assert.deepEqual([deleted.ok, created.ok], [true, true])
  assert.notEqual(streamOf(scene, 'a').id, first)
  assert.equal(await append(scene, 'a', 'y'), 0)
  const after = await restart(scene, 'kill')
  assert.deepEqual(await readAllTexts(after, 'a'), ['0:y'])
})

test('everything that is under way in a deleted stream ends', async () => {
  const scene = await openScene()
  await scene.registry.create(definitionOf('a', { flushOnWrite: true }))
  await scene.registry.create(definitionOf('b'))
  const stream = streamOf(scene, 'a')
  assert.equal(await append(scene, 'a', 'durable'), 0)
  // From now on no sync works, so the append waits.
  scene.disk.rule = failing({ operation: 'sync', path: '/a-' }, { code: 'EIO' })
  const waitingAppend = append(scene, 'a', 'waits')
  const waitingRead = stream.read({ from: 9, minCount: 1, maxCount: 1, timeoutMs: 600_000 }, READER)
  await flush()
  const deleted = scene.registry.delete('a')
  assert.deepEqual(await waitingAppend, FAILURES.streamMissing)
  assert.deepEqual(await waitingRead, { ok: false, failure: FAILURES.streamMissing })
  assert.equal((await deleted).ok, true)
  assert.deepEqual(await stream.read({ from: 0, minCount: 1, maxCount: 1, timeoutMs: 0 }, READER), {
    ok: false,
    failure: FAILURES.streamMissing
  })
  scene.disk.rule = () => undefined
  await scene.clock.advanceAsync(120_000)
  assert.equal(scene.clock.pendingTimers, 0)
  assert.equal(
    [...scene.catalogue.durable.keys()].some((key) => key.includes(stream.id)),
    false
  )
})

test('a deleted stream can be read as long as the exports hold it, and goes then', async () => {
  let release = (): void => undefined
  const scene = await openScene({ held: new Promise((resolve) => (release = resolve)) })
  await scene.registry.create(definitionOf('a'))
  await append(scene, 'a', 'x')
  const { id, log } = streamOf(scene, 'a')
  assert.equal((await scene.registry.delete('a')).ok, true)
  assert.equal((await log.read(0, log.next, 10, 1_000)).length, 1)
  assert.equal((await scene.registry.create(definitionOf('a'))).ok, true, 'the name is free at once')
  const records = (): boolean => [...scene.catalogue.durable.keys()].some((key) => key.includes(id))
  assert.equal(records(), true)
  release()
  for (let turn = 0; turn < 10; turn++) await flush()
  await assert.rejects(async () => log.read(0, log.next, 10, 1_000))
  assert.equal(records(), false)
})

test('a read that was reading when its stream was deleted hears that it is gone', async () => {
  const scene = await openScene()
  await scene.registry.create(definitionOf('a'))
  await append(scene, 'a', 'x')
  const stream = streamOf(scene, 'a')
  const memory = createPromiseGate()
  const read = stream.read(
    { from: 0, minCount: 1, maxCount: 1, timeoutMs: 0 },
    { ...READER, reserve: () => memory.promise.then(() => true).then(() => true) }
  )
  await scene.registry.delete('a')
  memory.open()
  assert.deepEqual(await read, { ok: false, failure: FAILURES.streamMissing })
})

test('stopping makes everything durable and writes the last states', async () => {
  const scene = await openScene()
  await scene.registry.create(definitionOf('a'))
  await append(scene, 'a', 'x')
  await scene.registry.stop()
  assert.equal(scene.disk.openFiles, 0)
  assert.equal(scene.clock.pendingTimers, 0)
  const after = await restart(scene, 'power cut')
  assert.deepEqual(await readAllTexts(after, 'a'), ['0:x'])
})

for (const [what, change] of [
  ['a create', ({ registry }: StreamScene) => registry.create(definitionOf('b'))],
  ['an update', ({ registry }: StreamScene) => registry.update(definitionOf('a', { segmentSizeBytes: 4_096 }))],
  ['a delete', ({ registry }: StreamScene) => registry.delete('a')]
] as const) {
  test(`a stop waits for ${what} that is under way, and refuses later ones`, async () => {
    const scene = await openScene()
    await scene.registry.create(definitionOf('a'))
    const commit = createPromiseGate()
    scene.catalogue.delay = () => commit.promise
    const order: string[] = []
    const changed = change(scene).then(({ ok }) => order.push(`changed ${ok}`))
    await flush()
    const stopped = scene.registry.stop().then(() => order.push('stopped'))
    const late = await scene.registry.create(definitionOf('late'))
    assert.equal(failureText(late), 'the server is stopping')
    await flush()
    assert.deepEqual(order, [])
    commit.open()
    await Promise.all([changed, stopped])
    assert.deepEqual(order, ['changed true', 'stopped'])
    assert.equal(scene.disk.openFiles, 0)
  })
}
