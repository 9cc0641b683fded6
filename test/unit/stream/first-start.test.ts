import assert from 'node:assert/strict'
import { test } from 'node:test'
import { append, definitionOf, openScene, STORE } from '../../helpers/stream-scene.ts'

test('the first stream is acknowledged after all folders above it were synced (reliability ST21)', async () => {
  const scene = await openScene()
  const synced: string[] = []
  scene.disk.rule = ({ operation, path }) => {
    if (operation === 'syncFolder') synced.push(path)
    return undefined
  }
  assert.deepEqual(await scene.registry.create(definitionOf('first')), { ok: true, value: undefined })
  for (const folder of ['/', STORE, `${STORE}/streams`]) assert.ok(synced.includes(folder), `${folder} was not synced`)
  assert.equal(await append(scene, 'first', 'a'), 0)
})
