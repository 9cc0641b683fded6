import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { Fault } from '../../../../component/base/fault.ts'
import { nodeCatalogueFiles, type CatalogueFiles } from '../../../../component/store/catalogue/catalogue-files.ts'
import { CatalogueFull } from '../../../../component/store/catalogue/index.ts'
import { GROWTH_RETRY_MS, PREALLOCATED_BYTES } from '../../../../component/store/catalogue/limits.ts'
import { change, openTestCatalogue, temporaryFolder } from '../../../helpers/catalogue-fixture.ts'
import { createFakeClock } from '../../../helpers/fake-clock.ts'

/** A catalogue on a disk that takes no further byte while `disk.isFull`. */
async function openOnFullDisk(t: TestContext) {
  const folder = temporaryFolder(t)
  const disk = { isFull: false, attempts: 0 }
  const files: CatalogueFiles = {
    ...nodeCatalogueFiles,
    async openData(path) {
      const file = await nodeCatalogueFiles.openData(path)
      return {
        ...file,
        extend(bytes) {
          disk.attempts += 1
          return disk.isFull ? Promise.reject(new Fault('ENOSPC')) : file.extend(bytes)
        }
      }
    }
  }
  const clock = createFakeClock()
  const { catalogue, log } = await openTestCatalogue(folder, { files, clock })
  disk.isFull = true
  disk.attempts = 0
  const fileBytes = () => statSync(join(folder, 'catalogue-1')).size
  /** Adds records of a KiB until the catalogue refuses; returns their keys. */
  const fill = async (prefix: string): Promise<string[]> => {
    const keys: string[] = []
    for (;;) {
      const batch = Array.from({ length: 50 }, (_, index) => `${prefix}/${String(keys.length + index)}`)
      try {
        await catalogue.commit(batch.map((key) => change(key, 'x'.repeat(900))))
      } catch (error) {
        if (error instanceof Fault) return keys
        throw error
      }
      keys.push(...batch)
    }
  }
  return { folder, disk, clock, catalogue, log, fileBytes, fill }
}

test('on a full disk new streams are refused first, then all growth; updates and removals go on', async (t) => {
  const { disk, clock, catalogue, log, fileBytes, fill } = await openOnFullDisk(t)
  const streams = await fill('stream')
  await assert.rejects(catalogue.commit([change('stream/new', 'x')]), CatalogueFull)
  assert.equal(catalogue.entries().has('stream/new'), false, 'nothing of a refused commit is kept')
  await catalogue.commit([change(streams[0]!, 'y'.repeat(900)), change('export/1', '1')])
  const segments = await fill('segment')
  assert.ok(segments.length > 100, 'running streams had room left')
  assert.equal(fileBytes(), PREALLOCATED_BYTES + 8192, 'the database asked the disk for nothing')
  assert.equal(log.at('WARN').length, 1)
  assert.ok(disk.attempts <= 1, 'the disk was not asked again and again')

  // What was refused for want of room is still in memory; removals make room for it.
  await catalogue.commit(segments.map((key) => change(key)))
  assert.equal(catalogue.entries().has(`segment/${segments.length}`), true)
  for (let round = 0; round < 30; round += 1) {
    await catalogue.commit(streams.slice(0, 100).map((key) => change(key, String(round).repeat(400))))
  }
  await catalogue.commit(streams.slice(0, 1500).map((key) => change(key)))
  await catalogue.commit([change('stream/new', 'x')])
  assert.equal(fileBytes(), PREALLOCATED_BYTES + 8192)
  assert.equal(catalogue.fault, undefined)

  disk.isFull = false
  clock.advance(GROWTH_RETRY_MS)
  await catalogue.commit([change('export/1', '2')])
  assert.equal(fileBytes(), 2 * PREALLOCATED_BYTES + 8192, 'it grows again')
  await catalogue.close()
})

test('a large record that would need consecutive pages is refused on a full disk, not handed to the database', async (t) => {
  const { catalogue, fileBytes, fill } = await openOnFullDisk(t)
  await fill('segment')
  await assert.rejects(catalogue.commit([{ key: 'export/large', value: Buffer.alloc(1_000_000) }]), /full/)
  await catalogue.commit([change('export/large')])
  assert.equal(fileBytes(), PREALLOCATED_BYTES + 8192)
  await catalogue.close()
})

test('a new stream finds out by itself that the disk has room again', async (t) => {
  const { disk, clock, catalogue, fill } = await openOnFullDisk(t)
  await fill('stream')
  await assert.rejects(catalogue.commit([change('stream/new', 'x')]), CatalogueFull)
  disk.isFull = false
  await assert.rejects(catalogue.commit([change('stream/new', 'x')]), CatalogueFull, 'it looks every few seconds only')
  clock.advance(GROWTH_RETRY_MS)
  await catalogue.commit([change('stream/new', 'x')])
  assert.equal(catalogue.entries().get('stream/new')?.toString(), 'x')
  await catalogue.close()
})

test('what was refused for want of room is there after the next start, if room came', async (t) => {
  const { folder, disk, clock, catalogue, fill } = await openOnFullDisk(t)
  const keys = await fill('segment')
  disk.isFull = false
  clock.advance(GROWTH_RETRY_MS)
  await catalogue.commit([change('export/1', '1')])
  await catalogue.close()
  const again = await openTestCatalogue(folder)
  assert.equal(again.catalogue.entries().size, keys.length + 50 + 1)
  await again.catalogue.close()
})
