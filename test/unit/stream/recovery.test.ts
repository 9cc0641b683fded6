import assert from 'node:assert/strict'
import { test } from 'node:test'
import { catalogueKeys } from '../../../component/stream/index.ts'
import { createFakeCatalogue } from '../../helpers/fake-catalogue.ts'
import { failing } from '../../helpers/faulty-disk.ts'
import { asNewerFormat } from '../../helpers/log-helpers.ts'
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

async function withStreams(...names: readonly string[]): Promise<StreamScene> {
  const scene = await openScene()
  for (const name of names) {
    await scene.registry.create(definitionOf(name))
    await append(scene, name, `first of ${name}`)
  }
  return scene
}

function folderOf(scene: StreamScene, name: string): string {
  const { id } = streamOf(scene, name)
  const found = scene.disk.listFolder(`${STORE}/streams`).find((folder) => folder.name.endsWith(id))
  assert.ok(found !== undefined)
  return `${STORE}/streams/${found.name}`
}

test('a killed server finds every message and goes on with its numbers', async () => {
  const scene = await withStreams('a', 'b')
  const after = await restart(scene)
  assert.deepEqual(after.registry.list(), ['a', 'b'])
  assert.deepEqual(await readAllTexts(after, 'a'), ['0:first of a'])
  assert.equal(await append(after, 'b', 'second'), 1)
  assert.deepEqual(after.events, ['opened a', 'opened b'])
})

test('a lost catalogue costs no message: folders that nobody knows are adopted (reliability 3.1.8)', async () => {
  const scene = await withStreams('a', 'b')
  await scene.registry.update(definitionOf('a', { segmentSizeBytes: 4_096 }))
  await append(scene, 'a', Buffer.alloc(4_060, 'x'))
  await append(scene, 'a', 'last')
  const after = await restart(scene, 'kill', { catalogue: createFakeCatalogue() })
  assert.deepEqual(after.registry.list(), ['a', 'b'])
  assert.equal((await readAllTexts(after, 'a')).at(-1), '2:last')
  assert.equal(streamOf(after, 'a').definition.segmentSizeBytes, 4_096)
  assert.equal(after.catalogue.durable.has(catalogueKeys.stream(streamOf(after, 'a').id)), true)
  assert.equal(await append(after, 'b', 'second'), 1)
  const again = await restart(after)
  assert.deepEqual(again.registry.list(), ['a', 'b'])
})

test('an update survives the loss of the catalogue at once, without any roll', async () => {
  const scene = await withStreams('a')
  for (const segmentSizeBytes of [4_096, 8_192])
    await scene.registry.update(definitionOf('a', { segmentSizeBytes, timeToLiveMs: 60_000 }))
  const after = await restart(scene, 'power cut', { catalogue: createFakeCatalogue() })
  assert.deepEqual(
    streamOf(after, 'a').definition,
    definitionOf('a', { segmentSizeBytes: 8_192, timeToLiveMs: 60_000 })
  )
})

test('a copy of a definition that could not be written is made up for at the next start', async () => {
  const scene = await withStreams('a')
  await scene.registry.update(definitionOf('a', { segmentSizeBytes: 4_096 }))
  scene.disk.rule = failing({ operation: 'create', path: /definition/ }, { code: 'ENOSPC' })
  assert.equal((await scene.registry.update(definitionOf('a', { segmentSizeBytes: 8_192 }))).ok, true)
  assert.equal(scene.logger.at('WARN').length, 1)
  const second = await restart(scene)
  const third = await restart(second, 'power cut', { catalogue: createFakeCatalogue() })
  assert.equal(streamOf(third, 'a').definition.segmentSizeBytes, 8_192)
})

test('a kill before the first copy of a definition leaves nothing behind and is made up for', async () => {
  const scene = await withStreams('a')
  const folder = folderOf(scene, 'a')
  scene.disk.rule = failing({ operation: 'rename', path: /definition/ }, { code: 'EIO' })
  await scene.registry.update(definitionOf('a', { segmentSizeBytes: 4_096 }))
  assert.ok(scene.disk.paths.includes(`${folder}/definition.new`))
  const second = await restart(scene)
  assert.ok(!second.disk.paths.includes(`${folder}/definition.new`))
  const third = await restart(second, 'power cut', { catalogue: createFakeCatalogue() })
  assert.equal(streamOf(third, 'a').definition.segmentSizeBytes, 4_096)
})

test('a copy of a definition that was never finished goes, also when nothing needs to be written', async () => {
  const scene = await withStreams('a')
  const path = `${folderOf(scene, 'a')}/definition.new`
  scene.disk.damage(path, Buffer.from('garbage'))
  const after = await restart(scene)
  assert.deepEqual(
    after.disk.paths.filter((name) => name.includes('definition')),
    []
  )
})

test('a damaged copy of a definition is written again while the catalogue knows it', async () => {
  const scene = await withStreams('a')
  await scene.registry.update(definitionOf('a', { segmentSizeBytes: 4_096 }))
  scene.disk.damage(`${folderOf(scene, 'a')}/definition`, Buffer.from('garbage'))
  const second = await restart(scene)
  const third = await restart(second, 'power cut', { catalogue: createFakeCatalogue() })
  assert.equal(streamOf(third, 'a').definition.segmentSizeBytes, 4_096)
})

test('a damaged copy of a definition is no obstacle: the segments have one', async () => {
  const scene = await withStreams('a')
  await scene.registry.update(definitionOf('a', { segmentSizeBytes: 4_096 }))
  scene.disk.damage(`${folderOf(scene, 'a')}/definition`, Buffer.from('garbage'))
  const after = await restart(scene, 'kill', { catalogue: createFakeCatalogue() })
  assert.equal(streamOf(after, 'a').definition.segmentSizeBytes, 2_048)
})

test('a definition that cannot be read is taken from the segments', async () => {
  const scene = await withStreams('a')
  await scene.catalogue.commit([{ key: catalogueKeys.stream(streamOf(scene, 'a').id), value: Buffer.from('garbage') }])
  const after = await restart(scene)
  assert.deepEqual(await readAllTexts(after, 'a'), ['0:first of a'])
})

test('a folder without any readable definition is set aside, and others are not touched', async () => {
  const scene = await withStreams('a')
  const odd = `${STORE}/streams/odd-0123456789abcdef`
  scene.disk.makeFolder(odd)
  scene.disk.damage(`${odd}/0000000000000000000.log`, Buffer.from('garbage'))
  scene.disk.damage(`${STORE}/streams/notes.txt`, Buffer.from('mine'))
  scene.disk.makeFolder(`${STORE}/streams/somebody's`)
  const after = await restart(scene)
  const kept = `${STORE}/quarantine/odd-0123456789abcdef.${scene.clock.wallMs()}/0000000000000000000.log`
  assert.ok(after.disk.paths.includes(kept), after.disk.paths.join())
  assert.deepEqual(after.registry.list(), ['a'])
  assert.ok(after.disk.paths.includes(`${STORE}/streams/notes.txt`))
})

test('without a catalogue the folder of a newer version stays as it is, and others are served', async () => {
  const scene = await withStreams('a', 'b')
  await append(scene, 'a', 'x')
  await append(scene, 'b', 'y')
  const folder = folderOf(scene, 'a')
  const paths = scene.disk.paths.filter((path) => path.startsWith(`${folder}/`))
  for (const path of paths) scene.disk.damage(path, asNewerFormat(scene.disk.contentOf(path)))
  const before = paths.map((path) => scene.disk.contentOf(path))
  const after = await restart(scene, 'kill', { catalogue: createFakeCatalogue() })
  assert.deepEqual(after.registry.list(), ['b'])
  assert.deepEqual(
    after.disk.paths.filter((path) => !path.startsWith(`${folderOf(after, 'b')}/`)).sort(),
    paths.toSorted()
  )
  assert.deepEqual(
    paths.map((path) => after.disk.contentOf(path)),
    before
  )
  const [line] = after.logger.at('ERROR')
  assert.match(String(line?.fields['reason']), /has format version 2, this program knows 1: it is left untouched/)
})

test('a stream whose folder is gone continues empty, with numbers that were never given', async () => {
  const scene = await withStreams('a')
  for (let count = 0; count < 4; count += 1) await append(scene, 'a', 'x')
  await scene.clock.advanceAsync(5_000)
  const folder = folderOf(scene, 'a')
  for (const path of scene.disk.paths) if (path.startsWith(`${folder}/`)) scene.disk.removeFile(path)
  scene.disk.removeFolder(folder)
  const after = await restart(scene)
  assert.deepEqual(streamOf(after, 'a').storageStatus(), {
    oldestSequenceNumber: 5,
    newestSequenceNumber: 4,
    totalBytes: 0
  })
  assert.equal(await append(after, 'a', 'next'), 5)
  assert.equal(after.logger.at('ERROR').length, 1)
})

test('one stream that cannot be opened stops no other, and nobody takes its name', async () => {
  const scene = await withStreams('a', 'b', 'c')
  const folder = folderOf(scene, 'b')
  const disk = scene.disk.kill()
  disk.rule = failing({ operation: 'list', path: folder }, { code: 'EIO' })
  const second = await openScene({
    disk,
    catalogue: scene.catalogue.restart({ fraction: () => 0, bytes: Buffer.alloc })
  })
  assert.deepEqual(second.registry.list(), ['a', 'b', 'c'])
  assert.equal(second.registry.get('b'), undefined)
  assert.match(
    failureText(await second.registry.create(definitionOf('b'))) ?? '',
    /^the message stream exists but cannot be opened: .*EIO/
  )
  const third = await restart(second)
  assert.deepEqual(await readAllTexts(third, 'b'), ['0:first of b'])
})

test('memory streams are there and empty, and begin anew', async () => {
  const scene = await openScene()
  await scene.registry.create(definitionOf('m', { persistence: 'memory' }))
  await append(scene, 'm', 'x')
  const { id } = streamOf(scene, 'm')
  scene.checkpointer.put(catalogueKeys.exportProgress(id, 'k'), Buffer.from('7'))
  await scene.checkpointer.flush()
  const after = await restart(scene)
  assert.equal(streamOf(after, 'm').id, id)
  assert.equal(await append(after, 'm', 'y'), 0)
  assert.deepEqual(after.progress, [])
})

test('the progress of exports is handed over', async () => {
  const scene = await withStreams('a')
  scene.checkpointer.put(catalogueKeys.exportProgress(streamOf(scene, 'a').id, 'to/cloud'), Buffer.from('7'))
  await scene.clock.advanceAsync(1_000)
  const after = await restart(scene, 'power cut')
  assert.deepEqual(after.progress, ['a/to/cloud=7'])
})

test('records of streams that nobody knows are removed', async () => {
  const scene = await withStreams('a')
  await scene.catalogue.commit([
    { key: 'state/00000000000000ff', value: Buffer.from('[]') },
    { key: 'export/00000000000000ff/k', value: Buffer.from('x') },
    { key: 'boot', value: Buffer.from('id') }
  ])
  const after = await restart(scene)
  const keys = [...after.catalogue.durable.keys()]
  assert.equal(
    keys.some((key) => key.includes('00000000000000ff')),
    false
  )
  assert.ok(keys.includes('boot'))
})

test('a tombstone takes all records of its stream along', async () => {
  const scene = await withStreams('a', 'b')
  await scene.clock.advanceAsync(5_000)
  const { id } = streamOf(scene, 'a')
  const folder = folderOf(scene, 'a').slice(`${STORE}/streams/`.length)
  await scene.catalogue.commit([{ key: catalogueKeys.deleted(id), value: Buffer.from(folder) }])
  const after = await restart(scene)
  assert.deepEqual(after.registry.list(), ['b'])
  assert.equal(
    [...after.catalogue.durable.keys()].some((key) => key.includes(id)),
    false
  )
  assert.equal(
    after.disk.paths.some((path) => path.includes(id)),
    false
  )
})

test('a catalogue that takes nothing does not stop the start', async () => {
  const scene = await withStreams('a')
  const catalogue = createFakeCatalogue()
  catalogue.fails = () => true
  const after = await restart(scene, 'kill', { catalogue })
  assert.deepEqual(await readAllTexts(after, 'a'), ['0:first of a'])
  assert.equal(await append(after, 'a', 'second'), 1)
})

test('segments dropped before a restart stay dropped, and their files go', async () => {
  const scene = await openScene()
  await scene.registry.create(definitionOf('a', { strategyOnFull: 'overwriteOldestData', maxSizeBytes: 8_192n }))
  for (let count = 0; count < 40; count += 1) await append(scene, 'a', Buffer.alloc(500, 'x'))
  await scene.registry.stop()
  const { oldestSequenceNumber } = streamOf(scene, 'a').storageStatus()
  assert.ok(oldestSequenceNumber > 20)
  const after = await restart(scene)
  assert.equal(streamOf(after, 'a').storageStatus().oldestSequenceNumber, oldestSequenceNumber)
  const segments = after.disk.paths.filter((path) => /\/\d{19}\.log$/.test(path))
  assert.equal(segments.length, streamOf(after, 'a').log.sealed.length + 1)
})
