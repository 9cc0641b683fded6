import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMemoryDisk } from '../../../component/store/index.ts'
import { flush } from '../../helpers/fake-clock.ts'
import { failing } from '../../helpers/faulty-disk.ts'
import { append, definitionOf, openScene, readAllTexts, restart, streamOf } from '../../helpers/stream-scene.ts'

test('with flushOnWrite an acknowledged message survives a power cut (reliability 1.1)', async () => {
  for (let seed = 0; seed < 20; seed += 1) {
    const scene = await openScene({ seed })
    await scene.registry.create(definitionOf('a', { flushOnWrite: true }))
    for (let count = 0; count < 10; count += 1) assert.equal(await append(scene, 'a', `${count}`.repeat(300)), count)
    const after = await restart(scene, 'power cut', { seed })
    assert.equal((await readAllTexts(after, 'a')).length, 10)
  }
})

test('a failing disk refuses with the system error, is reported once, and appends work again by themselves', async () => {
  const scene = await openScene()
  await scene.registry.create(definitionOf('a'))
  scene.disk.rule = failing({ operation: 'write' }, { code: 'EROFS' })
  for (let count = 0; count < 3; count += 1) {
    const refusal = await append(scene, 'a', 'x')
    assert.ok(typeof refusal !== 'number')
    assert.equal(refusal.kind, 'unknownFailure')
    assert.match(refusal.message, /EROFS/)
  }
  scene.disk.rule = () => undefined
  await scene.clock.advanceAsync(1_000)
  assert.equal(await append(scene, 'a', 'y'), 0)
  assert.deepEqual(
    scene.logger.entries.map(({ message }) => message).filter((message) => message.startsWith('Appends')),
    ['Appends to a stream fail', 'Appends to a stream work again']
  )
  assert.deepEqual(await readAllTexts(scene, 'a'), ['0:y'])
})

test('memory streams beyond their memory refuse as out of memory, others go on (reliability PR4)', async () => {
  const scene = await openScene({ memory: createMemoryDisk({ bytesMax: 300_000 }) })
  await scene.registry.create(definitionOf('m', { persistence: 'memory', maxSizeBytes: 10_000_000n }))
  await scene.registry.create(definitionOf('f'))
  let refusal: unknown
  for (let count = 0; count < 400 && refusal === undefined; count += 1) {
    const answer = await append(scene, 'm', Buffer.alloc(1_000))
    if (typeof answer !== 'number') refusal = answer.kind
  }
  assert.equal(refusal, 'outOfMemory')
  assert.equal(await append(scene, 'f', 'x'), 0)
  await scene.registry.delete('m')
  await flush()
  await scene.registry.create(definitionOf('m2', { persistence: 'memory' }))
  assert.equal(await append(scene, 'm2', 'x'), 0)
})

test('dropped segments of a memory stream give their memory back at once', async () => {
  const memory = createMemoryDisk({ bytesMax: 200_000 })
  const scene = await openScene({ memory })
  const change = { persistence: 'memory', strategyOnFull: 'overwriteOldestData', maxSizeBytes: 20_000n } as const
  await scene.registry.create(definitionOf('m', change))
  for (let count = 0; count < 500; count += 1) assert.equal(await append(scene, 'm', Buffer.alloc(1_000)), count)
  assert.ok(streamOf(scene, 'm').storageStatus().totalBytes <= 20_000)
})

test('exports hear of messages once they are durable', async () => {
  const scene = await openScene()
  await scene.registry.create(definitionOf('a'))
  const stream = streamOf(scene, 'a')
  const heard: number[] = []
  const end = stream.onDurable(() => heard.push(stream.log.durableNext))
  await append(scene, 'a', 'x')
  assert.deepEqual(heard, [])
  await scene.clock.advanceAsync(1_000)
  assert.deepEqual(heard, [1])
  end()
  await append(scene, 'a', 'y')
  await scene.clock.advanceAsync(1_000)
  assert.deepEqual(heard, [1])
})

test('what recovery could not make durable is tried again without an append', async () => {
  const scene = await openScene()
  await scene.registry.create(definitionOf('a'))
  await append(scene, 'a', 'x')
  const disk = scene.disk.kill()
  disk.rule = failing({ operation: 'sync' }, { code: 'EIO' })
  const after = await openScene({ disk, catalogue: scene.catalogue, clock: scene.clock })
  assert.equal(streamOf(after, 'a').log.durableNext, 0)
  disk.rule = () => undefined
  await scene.clock.advanceAsync(20_000)
  assert.equal(streamOf(after, 'a').log.durableNext, 1)
})

test('an update holds for the next append, and drops what a smaller overwriting stream cannot keep', async () => {
  const scene = await openScene()
  await scene.registry.create(definitionOf('a', { maxSizeBytes: 8_192n, segmentSizeBytes: 2_048 }))
  for (let count = 0; count < 7; count += 1) await append(scene, 'a', Buffer.alloc(1_000))
  assert.notEqual(typeof (await append(scene, 'a', Buffer.alloc(2_000))), 'number')
  await scene.registry.update(definitionOf('a', { maxSizeBytes: 8_192n, strategyOnFull: 'overwriteOldestData' }))
  assert.equal(await append(scene, 'a', Buffer.alloc(2_000)), 7)
  assert.ok(streamOf(scene, 'a').storageStatus().oldestSequenceNumber > 0)
  await scene.registry.update(definitionOf('a', { maxSizeBytes: 100_000n, timeToLiveMs: 60_000 }))
  await scene.clock.advanceAsync(120_000)
  assert.equal(streamOf(scene, 'a').storageStatus().totalBytes, 0)
  assert.equal(await append(scene, 'a', 'x'), 8)
})

test('an overwriting stream on a disk without room lives on, from its own space (reliability ST2)', async () => {
  const scene = await openScene()
  const change = { strategyOnFull: 'overwriteOldestData', maxSizeBytes: 60_000n } as const
  await scene.registry.create(definitionOf('a', change))
  for (let count = 0; count < 20; count += 1) await append(scene, 'a', Buffer.alloc(1_000))
  let freeBytes = 0
  scene.disk.freeSpace = () => ({ bytes: freeBytes, inodes: 1_000, size: { bytes: 0, inodes: 0 } })
  scene.catalogue.delay = () => {
    // The checkpoint of a dropped segment frees its space.
    freeBytes = 1e9
    return Promise.resolve()
  }
  await scene.clock.advanceAsync(10_000)
  freeBytes = 0
  const before = streamOf(scene, 'a').storageStatus().oldestSequenceNumber
  assert.equal(await append(scene, 'a', Buffer.alloc(1_000)), 20)
  assert.ok(streamOf(scene, 'a').storageStatus().oldestSequenceNumber > before)
  freeBytes = 0
})

test('a disk that fails again and again is tried once a second, which is said once each way (reliability 3.5)', async () => {
  const scene = await openScene()
  await scene.registry.create(definitionOf('a'))
  await append(scene, 'a', 'x')
  let writes = 0
  scene.disk.rule = ({ operation, path }) => {
    if (operation !== 'write' || !path.includes('/a-')) return undefined
    writes += 1
    return { code: 'EROFS' }
  }
  const refused = async (): Promise<string> => {
    const answer = await append(scene, 'a', 'x')
    assert.ok(typeof answer !== 'number' && answer.kind === 'unknownFailure')
    return answer.message
  }
  for (let attempt = 0; attempt < 10; attempt += 1)
    assert.match(await refused(), /^the file system is read-only: .*EROFS/)
  const atOnce = writes
  await scene.clock.advanceAsync(999)
  await refused()
  assert.equal(writes, atOnce)
  await scene.clock.advanceAsync(1)
  await refused()
  assert.ok(writes > atOnce)
  scene.disk.rule = () => undefined
  await scene.clock.advanceAsync(1_000)
  assert.equal(await append(scene, 'a', 'y'), 1)
  assert.equal(await append(scene, 'a', 'z'), 2)
  const told = scene.logger.entries.map(({ message }) => message).filter((message) => message.startsWith('Appends to'))
  assert.deepEqual(told, ['Appends to a stream fail', 'Appends to a stream work again'])
})
