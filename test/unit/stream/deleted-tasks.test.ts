import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { S3TaskExport } from '../../../component/model/export-definition.ts'
import { catalogueKeys } from '../../../component/stream/catalogue-records.ts'
import { flush } from '../../helpers/fake-clock.ts'
import { append, definitionOf, openScene, restart, streamOf, type StreamScene } from '../../helpers/stream-scene.ts'

const S3: S3TaskExport = { kind: 's3', identifier: 'e' }
const never = new Promise<void>(() => undefined)
const RECORD = Buffer.from('progress')

/** A stream with an S3 export that was deleted and not let go; `records` are those of its exports. */
async function deletedScene(records: readonly string[]): Promise<{ scene: StreamScene; id: string }> {
  const scene = await openScene({ held: never })
  await scene.registry.create(definitionOf('a', { exports: [S3, { ...S3, identifier: 'done' }] }))
  await append(scene, 'a', 'task')
  const { id } = streamOf(scene, 'a')
  for (const record of records) scene.checkpointer.put(catalogueKeys.exportProgress(id, record), RECORD)
  await scene.checkpointer.flush()
  assert.equal((await scene.registry.delete('a')).ok, true)
  return { scene, id }
}

const recordsOf = ({ catalogue }: StreamScene, id: string): string[] =>
  [...catalogue.durable.keys()].filter((key) => key.includes(id))

for (const record of ['e', 'e/1']) {
  test(`a deleted stream whose tasks are not told (${record}) is opened and closed again at the next start`, async () => {
    const { scene, id } = await deletedScene([record])
    let release = (): void => undefined
    const next = await restart(scene, 'kill', { held: new Promise((resolve) => (release = resolve)) })
    assert.deepEqual(next.events, ['opened a', 'deleted a'])
    assert.deepEqual(next.progress, [`a/${record}=progress`])
    assert.deepEqual([next.registry.get('a'), next.registry.list()], [undefined, []])
    assert.ok(recordsOf(next, id).length > 0)
    release()
    for (let turn = 0; turn < 10; turn++) await flush()
    assert.deepEqual(recordsOf(next, id), [])
  })
}

test('it stays for the start after that when the server stops before', async () => {
  const { scene, id } = await deletedScene(['e'])
  const held = Promise.reject(new Error('the server stops'))
  held.catch(() => undefined)
  const next = await restart(scene, 'kill', { held })
  for (let turn = 0; turn < 10; turn++) await flush()
  assert.ok(recordsOf(next, id).length > 0)
  await next.registry.stop()
  const last = await restart(next, 'kill')
  assert.deepEqual(last.events, ['opened a', 'deleted a'])
  for (let turn = 0; turn < 10; turn++) await flush()
  assert.deepEqual(recordsOf(last, id), [])
})

test('a deleted stream without unfinished tasks goes without being opened', async () => {
  const { scene, id } = await deletedScene([])
  const next = await restart(scene, 'kill')
  assert.deepEqual([next.events, recordsOf(next, id)], [[], []])
})
