import assert from 'node:assert/strict'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { BrokenInvariant } from '../../../../component/base/assert.ts'
import { CatalogueFull } from '../../../../component/store/catalogue/index.ts'
import { change, openTestCatalogue, temporaryFolder, textEntries } from '../../../helpers/catalogue-fixture.ts'

test('what was committed is there after closing and opening again', async (t) => {
  const folder = temporaryFolder(t)
  const first = await openTestCatalogue(folder)
  assert.equal(first.catalogue.complete, false, 'there was no catalogue')
  await first.catalogue.commit([change('stream/1', 'definition'), change('export/1/a', '17'), change('state/1', '')])
  await first.catalogue.commit([change('export/1/a'), change('export/1/b with space', '18')])
  await first.catalogue.close()

  const second = await openTestCatalogue(folder)
  assert.equal(second.catalogue.complete, true)
  assert.deepEqual(textEntries(second.catalogue), {
    'stream/1': 'definition',
    'export/1/b with space': '18',
    'state/1': ''
  })
  assert.deepEqual(second.log.entries, [])
  await second.catalogue.close()
})

test('a change is visible at once and copied', async (t) => {
  const { catalogue } = await openTestCatalogue(temporaryFolder(t))
  const value = Buffer.from('before')
  const committed = catalogue.commit([{ key: 'a', value }])
  value.fill('x')
  assert.deepEqual(textEntries(catalogue), { a: 'before' })
  await committed
  const removed = catalogue.commit([change('a'), change('not there')])
  assert.deepEqual(textEntries(catalogue), {})
  await removed
  await catalogue.close()
})

test('many commits at a time are all kept, the last value of a key wins', async (t) => {
  const folder = temporaryFolder(t)
  const first = await openTestCatalogue(folder)
  const commits: Promise<void>[] = []
  for (let index = 0; index < 500; index += 1) {
    commits.push(first.catalogue.commit([change(`key/${index % 100}`, String(index))]))
    if (index % 50 === 0) await commits[index]
  }
  await Promise.all(commits)
  await first.catalogue.close()
  const second = await openTestCatalogue(folder)
  const expected = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`key/${index}`, String(400 + index)]))
  assert.deepEqual(textEntries(second.catalogue), Object.fromEntries(Object.entries(expected).sort()))
  await second.catalogue.close()
})

test('the longest keys and values are kept, longer ones refused', async (t) => {
  const folder = temporaryFolder(t)
  const first = await openTestCatalogue(folder)
  const key = 'k'.repeat(480)
  const value = Buffer.alloc(1024 * 1024, 'v')
  await first.catalogue.commit([{ key, value }])
  await assert.rejects(
    first.catalogue.commit([change('b', 'b'), { key, value: Buffer.alloc(value.length + 1) }]),
    CatalogueFull
  )
  for (const wrong of ['', `${key}k`, 'ö', 'a\n', '!format']) {
    assert.throws(() => void first.catalogue.commit([change(wrong, 'x')]), BrokenInvariant)
  }
  await first.catalogue.close()
  const second = await openTestCatalogue(folder)
  assert.deepEqual([...second.catalogue.entries()], [[key, value]])
  await second.catalogue.close()
})

test('a closed catalogue refuses commits and can be closed again', async (t) => {
  const { catalogue } = await openTestCatalogue(temporaryFolder(t))
  const last = catalogue.commit([change('a', '1')])
  await catalogue.close()
  await last
  await assert.rejects(catalogue.commit([change('a', '2')]), /closed/)
  await catalogue.close()
})

test('files are private, the space is reserved and nothing else is left in the folder', async (t) => {
  const folder = join(temporaryFolder(t), 'new', 'folder')
  const { catalogue } = await openTestCatalogue(folder)
  await catalogue.commit([change('stream/1', 'x')])
  await catalogue.close()
  const names = readdirSync(folder)
  assert.deepEqual(names.sort(), ['catalogue-1', 'catalogue-1-lock', 'catalogue.snapshot'])
  for (const name of names) assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600, name)
  assert.equal(statSync(folder).mode & 0o777, 0o700)
  const { size, blocks } = statSync(join(folder, 'catalogue-1'))
  assert.ok(size >= 4 * 1024 * 1024 && blocks * 512 >= size, 'no holes')
})

test('the file grows ahead of its content', async (t) => {
  const folder = temporaryFolder(t)
  const { catalogue } = await openTestCatalogue(folder)
  for (let index = 0; index < 12; index += 1) {
    await catalogue.commit([{ key: `big/${index}`, value: Buffer.alloc(500_000, index) }])
  }
  await catalogue.close()
  const { size, blocks } = statSync(join(folder, 'catalogue-1'))
  assert.ok(size >= 12_000_000 && blocks * 512 >= size, String(size))
  const again = await openTestCatalogue(folder)
  assert.equal(again.catalogue.entries().size, 12)
  await again.catalogue.close()
})
