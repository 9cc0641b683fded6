/** Streams that are there and cannot be opened: reliability 3.3, behaviour 3.8. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FAILURES } from '../../../component/model/failure.ts'
import { failing } from '../../helpers/faulty-disk.ts'
import {
  append,
  definitionOf,
  failureText,
  openScene,
  restart,
  STORE,
  streamOf,
  type StreamScene
} from '../../helpers/stream-scene.ts'

/** A restarted store in which `b` cannot be opened, because its folder could not be listed at that moment. */
async function withUnopened(): Promise<{ scene: StreamScene; folder: string; id: string }> {
  const before = await openScene()
  for (const name of ['a', 'b']) {
    await before.registry.create(definitionOf(name))
    await append(before, name, `of ${name}`)
  }
  const { id } = streamOf(before, 'b')
  const folder = `b-${id}`
  const disk = before.disk.kill()
  disk.rule = failing({ operation: 'list', path: `${STORE}/streams/${folder}` }, { code: 'EIO' }, 1)
  const scene = await openScene({ disk, catalogue: before.catalogue, clock: before.clock, seed: 3 })
  return { scene, folder, id }
}

test('the name is listed and taken, and everything but a delete says why', async () => {
  const { scene } = await withUnopened()
  const { registry } = scene
  assert.deepEqual(registry.list(), ['a', 'b'])
  const why = /^the message stream exists but cannot be opened: .*EIO.*; deleting it sets its data aside/
  assert.match(registry.whyAbsent('b').message, why)
  assert.match(failureText(await registry.create(definitionOf('b'))) ?? '', why)
  assert.match(failureText(await registry.update(definitionOf('b'))) ?? '', why)
  assert.deepEqual(registry.whyAbsent('c'), FAILURES.streamMissing)
  assert.equal(scene.disk.paths.filter((path) => path.startsWith(`${STORE}/streams/b-`)).length > 0, true)
})

test('a delete sets the data aside and frees the name, for good', async () => {
  const { scene, folder, id } = await withUnopened()
  assert.deepEqual(await scene.registry.delete('b'), { ok: true, value: undefined })
  assert.deepEqual(scene.registry.list(), ['a'])
  assert.deepEqual(scene.registry.whyAbsent('b'), FAILURES.streamMissing)
  const kept = `${STORE}/quarantine/${folder}.${scene.clock.wallMs()}/`
  assert.ok(scene.disk.paths.some((path) => path.startsWith(kept)))
  assert.ok([...scene.catalogue.durable.keys()].every((key) => !key.includes(id)))
  assert.equal((await scene.registry.create(definitionOf('b'))).ok, true)
  assert.equal(await append(scene, 'b', 'fresh'), 0)
  const after = await restart(scene, 'power cut')
  assert.deepEqual(after.registry.list(), ['a', 'b'])
  assert.notEqual(streamOf(after, 'b').id, id)
  assert.ok(after.disk.paths.some((path) => path.startsWith(kept)))
})

test('a folder that cannot be moved is removed at the next start: the delete was answered', async () => {
  const { scene, folder } = await withUnopened()
  scene.disk.rule = failing({ operation: 'rename' }, { code: 'EIO' })
  assert.equal((await scene.registry.delete('b')).ok, true)
  assert.deepEqual(scene.registry.list(), ['a'])
  const after = await restart(scene)
  assert.deepEqual(after.registry.list(), ['a'])
  assert.ok(after.disk.paths.every((path) => !path.includes(folder)))
})

test('a delete that the catalogue does not take has deleted nothing', async () => {
  const { scene, folder } = await withUnopened()
  let commits = 0
  scene.catalogue.fails = () => (commits += 1) === 1
  assert.equal((await scene.registry.delete('b')).ok, false)
  assert.deepEqual(scene.registry.list(), ['a', 'b'])
  assert.ok(scene.disk.paths.some((path) => path.startsWith(`${STORE}/streams/${folder}/`)))
  const after = await restart(scene)
  assert.equal(streamOf(after, 'b').storageStatus().newestSequenceNumber, 0)
})
