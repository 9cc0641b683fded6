import assert from 'node:assert/strict'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { crc32 } from '../../../../component/base/crc32.ts'
import { Fault } from '../../../../component/base/fault.ts'
import { nodeCatalogueFiles } from '../../../../component/store/catalogue/catalogue-files.ts'
import { createLmdbEngine } from '../../../../component/store/catalogue/lmdb-environment.ts'
import { encodeRecord } from '../../../../component/store/catalogue/record-codec.ts'
import { change, openTestCatalogue, temporaryFolder, textEntries } from '../../../helpers/catalogue-fixture.ts'
import { createFakeClock } from '../../../helpers/fake-clock.ts'
import { createFaultyEngine } from '../../../helpers/faulty-engine.ts'

const ENTRIES = { 'export/1': '1', 'stream/1': 'definition' }

/** A folder with a catalogue of two entries and its snapshot. */
async function soundFolder(t: TestContext): Promise<string> {
  const folder = temporaryFolder(t)
  const { catalogue } = await openTestCatalogue(folder)
  await catalogue.commit(Object.entries(ENTRIES).map(([key, value]) => change(key, value)))
  await catalogue.close()
  return folder
}

function removeSnapshots(folder: string): void {
  for (const name of ['catalogue.snapshot', 'catalogue.snapshot.old']) rmSync(join(folder, name), { force: true })
}

const namesIn = (folder: string, pattern: RegExp): string[] => readdirSync(folder).filter((name) => pattern.test(name))

/** Changes the database behind the catalogue's back. */
async function edit(folder: string, key: string, record: Buffer | undefined): Promise<void> {
  const environment = (await createLmdbEngine()).open(join(folder, 'catalogue-1'), 16 * 1024 * 1024)
  await environment.commit([{ key, record }])
  await environment.close()
}

test('a database of a newer format is refused and left as it is', async (t) => {
  const folder = await soundFolder(t)
  await edit(folder, '!format', encodeRecord('!format', Buffer.from('2')))
  const before = readFileSync(join(folder, 'catalogue-1'))
  await assert.rejects(
    openTestCatalogue(folder),
    (error) => error instanceof Fault && /format 2.*newer/.test(error.message)
  )
  assert.ok(readFileSync(join(folder, 'catalogue-1')).equals(before))
  assert.deepEqual(namesIn(folder, /opening|damaged/), [])
})

test('a snapshot of a newer format is refused when it is needed', async (t) => {
  const folder = await soundFolder(t)
  const path = join(folder, 'catalogue.snapshot')
  const bytes = readFileSync(path)
  bytes.writeUInt32LE(7, 8)
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 16)), 16)
  writeFileSync(path, bytes)
  const { catalogue } = await openTestCatalogue(folder)
  await catalogue.close()
  rmSync(join(folder, 'catalogue-1'))
  await assert.rejects(openTestCatalogue(folder), /format 7.*newer/)
  assert.ok(readFileSync(path).equals(bytes))
})

test('a format record that is damaged is not a newer format', async (t) => {
  const folder = await soundFolder(t)
  await edit(folder, '!format', Buffer.from('xxxx2'))
  const { catalogue } = await openTestCatalogue(folder)
  assert.deepEqual(textEntries(catalogue), ENTRIES)
  await catalogue.close()
})

test('a value that fails its checksum comes from the snapshot; the database is put aside', async (t) => {
  const folder = await soundFolder(t)
  await edit(folder, 'export/1', Buffer.from('damaged'))
  const { catalogue, log } = await openTestCatalogue(folder)
  assert.deepEqual(textEntries(catalogue), ENTRIES)
  assert.equal(catalogue.complete, true, 'the digest proves it')
  assert.ok(log.at('ERROR').length > 0)
  assert.deepEqual(namesIn(folder, /^catalogue-\d+$/), ['catalogue-2'])
  assert.equal(namesIn(folder, /damaged/).length, 1)
  await catalogue.close()
})

test('without a snapshot a damaged value costs that value, and the rest is known to be incomplete', async (t) => {
  const folder = await soundFolder(t)
  await edit(folder, 'export/1', Buffer.from('damaged'))
  removeSnapshots(folder)
  const first = await openTestCatalogue(folder)
  assert.deepEqual(textEntries(first.catalogue), { 'stream/1': 'definition' })
  assert.equal(first.catalogue.complete, false)
  await first.catalogue.close()
  const second = await openTestCatalogue(folder)
  assert.equal(second.catalogue.complete, true)
  await second.catalogue.close()
})

test('a record that went missing or came back is noticed', async (t) => {
  const folder = await soundFolder(t)
  await edit(folder, 'export/1', undefined)
  const missing = await openTestCatalogue(folder)
  assert.deepEqual(textEntries(missing.catalogue), ENTRIES)
  await missing.catalogue.close()
  const other = await soundFolder(t)
  await edit(other, 'export/0', encodeRecord('export/0', Buffer.from('removed long ago')))
  const phantom = await openTestCatalogue(other)
  assert.deepEqual(textEntries(phantom.catalogue), ENTRIES)
  await phantom.catalogue.close()
})

test('after a start that died the database is examined elsewhere first', async (t) => {
  for (const isSound of [true, false]) {
    const folder = await soundFolder(t)
    writeFileSync(join(folder, 'catalogue.opening'), '1')
    const probed: string[] = []
    const probe = (path: string): Promise<boolean> => {
      probed.push(path)
      return Promise.resolve(isSound)
    }
    const { catalogue } = await openTestCatalogue(folder, { probe })
    assert.deepEqual(probed, [join(folder, 'catalogue-1')])
    assert.deepEqual(textEntries(catalogue), ENTRIES)
    assert.equal(namesIn(folder, /damaged/).length, isSound ? 0 : 1)
    assert.ok(!existsSync(join(folder, 'catalogue.opening')))
    await catalogue.close()
  }
})

test('a database that a child can read but that killed three starts is given up', async (t) => {
  const folder = await soundFolder(t)
  writeFileSync(join(folder, 'catalogue.opening'), '3')
  const { catalogue } = await openTestCatalogue(folder)
  assert.deepEqual(textEntries(catalogue), ENTRIES)
  assert.equal(namesIn(folder, /damaged/).length, 1)
  await catalogue.close()
})

test('a start that cannot write the marker, on a full disk, opens the database all the same', async (t) => {
  const folder = await soundFolder(t)
  const files = { ...nodeCatalogueFiles, write: () => Promise.reject(new Fault('ENOSPC')) }
  const { catalogue, log } = await openTestCatalogue(folder, { files })
  assert.deepEqual(textEntries(catalogue), ENTRIES)
  await catalogue.commit([change('export/1', '2')])
  assert.equal(log.at('WARN').length, 1)
  await catalogue.close()
})

test('at most two damaged databases are kept, the newest', async (t) => {
  const folder = await soundFolder(t)
  const clock = createFakeClock()
  for (let round = 1; round <= 4; round += 1) {
    truncateSync(join(folder, namesIn(folder, /^catalogue-\d+$/)[0] ?? ''), 0)
    clock.jumpWall(1_000)
    const { catalogue } = await openTestCatalogue(folder, { clock })
    assert.deepEqual(textEntries(catalogue), ENTRIES)
    await catalogue.close()
  }
  const kept = namesIn(folder, /damaged/).map((name) => name.split('.')[0])
  assert.deepEqual(kept, ['catalogue-3', 'catalogue-4'])
  assert.deepEqual(namesIn(folder, /^catalogue-\d+(-lock)?$/), ['catalogue-5', 'catalogue-5-lock'])
})

test('the highest generation counts; what it replaced and what was never finished goes', async (t) => {
  const folder = await soundFolder(t)
  copyFileSync(join(folder, 'catalogue-1'), join(folder, 'catalogue-7'))
  await edit(folder, 'export/1', Buffer.from('outdated'))
  for (const name of ['catalogue.new', 'catalogue.new-lock', 'catalogue.snapshot.new', 'catalogue-6-lock']) {
    writeFileSync(join(folder, name), 'left')
  }
  writeFileSync(join(folder, 'catalogue-of-somebody-else'), 'not ours')
  mkdirSync(join(folder, 'stream-folder'))
  const { catalogue, log } = await openTestCatalogue(folder)
  assert.equal(catalogue.complete, true)
  assert.deepEqual(log.entries, [])
  assert.deepEqual(textEntries(catalogue), ENTRIES)
  await catalogue.close()
  assert.deepEqual(readdirSync(folder).sort(), [
    'catalogue-7',
    'catalogue-7-lock',
    'catalogue-of-somebody-else',
    'catalogue.snapshot',
    'stream-folder'
  ])
})

test('behind a damaged generation comes the snapshot, and without one the generation before', async (t) => {
  for (const hasSnapshot of [true, false]) {
    const folder = await soundFolder(t)
    writeFileSync(join(folder, 'catalogue-2'), 'damaged')
    if (!hasSnapshot) removeSnapshots(folder)
    const { catalogue } = await openTestCatalogue(folder)
    assert.equal(catalogue.complete, false)
    assert.deepEqual(textEntries(catalogue), ENTRIES)
    assert.equal(namesIn(folder, /^catalogue-\d+$/).length, 1)
    await catalogue.close()
    const again = await openTestCatalogue(folder)
    assert.equal(again.catalogue.complete, true)
    await again.catalogue.close()
  }
})

test('a database that reads well but takes no commit at the start is replaced at once', async (t) => {
  const folder = await soundFolder(t)
  const engine = await createFaultyEngine()
  engine.failCommits('reject')
  const { catalogue } = await openTestCatalogue(folder, { engine })
  assert.equal(catalogue.complete, true)
  assert.deepEqual(namesIn(folder, /^catalogue-\d+$/), ['catalogue-2'])
  await catalogue.close()
  assert.deepEqual(engine.forbiddenCalls, [])
})

test('a store with data starts without a catalogue that works, a new store does not', async (t) => {
  const folder = await soundFolder(t)
  truncateSync(join(folder, 'catalogue-1'), 0)
  const files = { ...nodeCatalogueFiles, write: () => Promise.reject(new Fault('ENOSPC')) }
  const { catalogue } = await openTestCatalogue(folder, { files })
  assert.deepEqual(textEntries(catalogue), ENTRIES)
  assert.match(String(catalogue.fault?.message), /ENOSPC/)
  await assert.rejects(catalogue.commit([change('a', '1')]), Fault)
  await catalogue.close()
  await assert.rejects(openTestCatalogue(temporaryFolder(t), { files }), /ENOSPC/)
  const file = join(temporaryFolder(t), 'file')
  writeFileSync(file, '')
  await assert.rejects(openTestCatalogue(file), (error) => error instanceof Fault && error.message.includes(file))
})
