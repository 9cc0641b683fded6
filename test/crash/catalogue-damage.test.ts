/** Damaged catalogues (reliability F8, F9, ST18, ST19). LMDB may kill the process that opens them: never this one. */
import assert from 'node:assert/strict'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { change, openTestCatalogue, textEntries } from '../helpers/catalogue-fixture.ts'
import { openInChildren } from '../helpers/catalogue-opener.ts'
import { createSeededRandom } from '../helpers/seeded-random.ts'

const PAGE_BYTES = 4096
const DATABASE = 'catalogue-1'

let root = ''
let sound = ''
let expected: Record<string, string> = {}
/** Values before the last commits. */
let former: Record<string, string> = {}
let usedBytes = 0

/** A folder with a catalogue of some leaf pages under a branch page, an overflow page and a free list. */
before(async () => {
  root = mkdtempSync(join(tmpdir(), 'catalogue-damage-'))
  sound = join(root, 'sound')
  const { catalogue } = await openTestCatalogue(sound)
  for (let index = 0; index < 24; index += 1) {
    await catalogue.commit([change(`export/${index}`, String(index).repeat(200)), change(`boot`, String(index))])
  }
  former = textEntries(catalogue)
  await catalogue.commit([change('stream/1', 'd'.repeat(3000)), change('export/3')])
  await catalogue.commit([change('export/4', '4')])
  expected = textEntries(catalogue)
  await catalogue.close()
  const head = readFileSync(join(sound, DATABASE)).subarray(0, 2 * PAGE_BYTES)
  const lastPage = Math.max(...[0, PAGE_BYTES].map((start) => Number(head.readBigUInt64LE(start + 144))))
  usedBytes = (lastPage + 1) * PAGE_BYTES
  // Copies are small without the zeros ahead; they count as long as the database fits.
  truncateSync(join(sound, DATABASE), usedBytes)
})

after(() => {
  rmSync(root, { recursive: true, force: true })
})

function damagedCopy(name: string, damage: (database: string, folder: string) => void): string {
  const folder = join(root, name)
  cpSync(sound, folder, { recursive: true })
  damage(join(folder, DATABASE), folder)
  return folder
}

const withoutSnapshot = (folder: string): void => {
  rmSync(join(folder, 'catalogue.snapshot'), { force: true })
  rmSync(join(folder, 'catalogue.snapshot.old'), { force: true })
}

function overwrite(path: string, position: number, bytes: Buffer): void {
  const content = readFileSync(path)
  bytes.copy(content, position)
  writeFileSync(path, content)
}

/** Keys whose values are not as expected; short, unlike the values. */
function wrongKeys(entries: Readonly<Record<string, string>>): string[] {
  const keys = new Set([...Object.keys(entries), ...Object.keys(expected)])
  return [...keys].filter((key) => entries[key] !== expected[key])
}

/** The damage of reliability F8, and some more. None of it may kill even the first start. */
const DAMAGES: Readonly<Record<string, (database: string, folder: string) => void>> = {
  'random bytes': (path) => writeFileSync(path, createSeededRandom(1).bytes(65_536)),
  zeros: (path) => writeFileSync(path, Buffer.alloc(65_536)),
  '100 bytes': (path) => truncateSync(path, 100),
  'first page zeroed': (path) => overwrite(path, 0, Buffer.alloc(PAGE_BYTES)),
  'second page zeroed': (path) => overwrite(path, PAGE_BYTES, Buffer.alloc(PAGE_BYTES)),
  truncated: (path) => truncateSync(path, usedBytes - PAGE_BYTES),
  'truncated within a page': (path) => truncateSync(path, usedBytes - 1),
  'two pages left': (path) => truncateSync(path, 2 * PAGE_BYTES),
  empty: (path) => truncateSync(path, 0),
  missing: (path) => rmSync(path),
  'a folder in its place': (path) => {
    rmSync(path)
    mkdirSync(join(path, 'inside'), { recursive: true })
  },
  'lock file garbage': (path) => writeFileSync(`${path}-lock`, createSeededRandom(2).bytes(5_000)),
  'lock file empty': (path) => truncateSync(`${path}-lock`, 0)
}

test('known damage is found before LMDB sees it; all entries come back from the snapshot', async () => {
  const folders = Object.entries(DAMAGES).map(([name, damage]) => damagedCopy(`with ${name}`, damage))
  for (const outcome of await openInChildren(folders, 0)) {
    assert.deepEqual(wrongKeys(outcome.entries), [], outcome.folder)
    assert.equal(outcome.complete, outcome.folder.includes('lock file'), outcome.folder)
  }
  for (const outcome of await openInChildren(folders, 0)) {
    assert.equal(outcome.complete, true, `${outcome.folder} after the start that repaired it`)
    assert.deepEqual(wrongKeys(outcome.entries), [], outcome.folder)
  }
})

test('without a snapshot an unusable database leaves an empty catalogue that is known to be incomplete', async () => {
  const folders = Object.entries(DAMAGES)
    .filter(([name]) => !name.startsWith('lock'))
    .map(([name, damage]) =>
      damagedCopy(`bare ${name}`, (database, folder) => {
        damage(database, folder)
        withoutSnapshot(folder)
      })
    )
  for (const outcome of await openInChildren(folders, 0)) {
    assert.deepEqual(outcome.entries, {}, outcome.folder)
    assert.equal(outcome.complete, false)
  }
})

/** A flipped bit every so many bytes of the database; the stride is odd so that all parts of structures are met. */
const FLIP_STRIDE_BYTES = Number(process.env['CATALOGUE_FLIP_STRIDE'] ?? 499)

test('a flipped bit anywhere: the second start works, no wrong value comes out, the snapshot makes up for losses', async (t) => {
  const folders: string[] = []
  for (let position = 0; position < usedBytes; position += FLIP_STRIDE_BYTES) {
    const flip = (database: string, folder: string): void => {
      const content = readFileSync(database)
      content[position] = (content[position] ?? 0) ^ (1 << (position % 8))
      writeFileSync(database, content)
      if (position % 2 === 1) withoutSnapshot(folder)
    }
    folders.push(damagedCopy(`flip ${position}`, flip))
  }
  const outcomes = await openInChildren(folders)
  for (const { folder, entries, complete } of outcomes) {
    const hasSnapshot = Number(folder.split(' ').at(-1)) % 2 === 0
    if (complete || hasSnapshot) assert.deepEqual(wrongKeys(entries), [], folder)
    else for (const [key, value] of Object.entries(entries)) assert.equal(value, expected[key], `${folder}: ${key}`)
  }
  const noticed = outcomes.filter(({ errors }) => errors > 0).length
  const deaths = outcomes.filter((outcome) => outcome.deaths > 0).length
  t.diagnostic(`${outcomes.length} flips: ${noticed} noticed, ${deaths} killed the first start`)
  assert.ok(noticed > outcomes.length / 10, 'the flips hit something')
})

test('a page replaced by another or by zeros is noticed or harmless', async (t) => {
  const pages = usedBytes / PAGE_BYTES
  const folders: string[] = []
  for (let page = 2; page < pages; page += 1) {
    const other = 2 + ((page - 1) % (pages - 2))
    const copyPage = (database: string): void => {
      const content = readFileSync(database)
      content.copy(content, page * PAGE_BYTES, other * PAGE_BYTES, (other + 1) * PAGE_BYTES)
      writeFileSync(database, content)
    }
    folders.push(damagedCopy(`foreign ${page}`, copyPage))
    folders.push(damagedCopy(`zeroed ${page}`, (path) => overwrite(path, page * PAGE_BYTES, Buffer.alloc(PAGE_BYTES))))
  }
  const outcomes = await openInChildren(folders)
  for (const { folder, complete, entries } of outcomes) {
    // A page from an earlier commit is sound in itself; what it brings back was true once.
    const wrong = wrongKeys(entries).filter((key) => complete || entries[key] !== former[key])
    assert.deepEqual(wrong, [], folder)
  }
  const noticed = outcomes.filter(({ errors }) => errors > 0)
  t.diagnostic(`${outcomes.length} pages: ${noticed.length} noticed`)
  assert.ok(noticed.length > 0)
})
