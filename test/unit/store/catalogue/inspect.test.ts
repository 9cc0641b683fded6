/** The catalogue as it is read without LMDB: reliability 3.2.8, ST18, ST25. */
import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { systemClock } from '../../../../component/base/clock.ts'
import { Fault } from '../../../../component/base/fault.ts'
import { inspectCatalogue, openCatalogue } from '../../../../component/store/catalogue/index.ts'
import { checkHead, HEAD_BYTES } from '../../../../component/store/catalogue/head-check.ts'
import { readRecords } from '../../../../component/store/catalogue/page-reader.ts'
import { nodeDisk } from '../../../../component/store/index.ts'
import { createRecordingLog } from '../../../helpers/recording-log.ts'
import { createSeededRandom } from '../../../helpers/seeded-random.ts'

const random = createSeededRandom(11)
let folder = ''
/** What is in the catalogue of the folder. */
const expected = new Map<string, string>()

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'stream-manager-inspect-'))
  const catalogue = await openCatalogue({
    folder,
    clock: systemClock,
    log: createRecordingLog(),
    probe: () => Promise.resolve(true)
  })
  // Enough for two levels of branch pages, records of several pages, and pages that were freed and used again.
  for (let round = 0; round < 6; round++) {
    const changes = Array.from({ length: 700 }, (_, index) => {
      const key = `state/${'k'.repeat(100)}${Math.floor(random.fraction() * 3_000)}`
      const isRemoved = random.fraction() < 0.3
      const bytes = index % 100 === 0 ? 20_000 : Math.floor(random.fraction() * 300) + 1
      return { key, value: isRemoved ? undefined : random.bytes(bytes) }
    })
    await catalogue.commit(changes)
  }
  for (const [key, value] of catalogue.entries()) expected.set(key, value.toString('hex'))
  await catalogue.close()
})

after(() => rmSync(folder, { recursive: true, force: true }))

const database = (): string =>
  join(
    folder,
    readdirSync(folder).find((name) => /^catalogue-\d+$/.test(name))!
  )

/** A copy of the folder, to be damaged. */
function copied(t: { after: (action: () => void) => void }): string {
  const copy = mkdtempSync(join(tmpdir(), 'stream-manager-inspect-'))
  t.after(() => rmSync(copy, { recursive: true, force: true }))
  for (const name of readdirSync(folder)) copyFileSync(join(folder, name), join(copy, name))
  return copy
}

const hexOf = (entries: ReadonlyMap<string, Buffer>): Map<string, string> =>
  new Map([...entries].map(([key, value]) => [key, value.toString('hex')]))

test('all records are read from the pages, and the folder is as it was', () => {
  const before = readdirSync(folder)
  const found = inspectCatalogue(nodeDisk, folder, false)
  assert.deepEqual([found.state, found.source, found.generation, found.snapshot], ['sound', 'database', 1, 'sound'])
  assert.ok(expected.size > 1_000)
  assert.deepEqual(hexOf(found.entries), expected)
  assert.deepEqual(readdirSync(folder), before)
})

test('a database that cannot be read is replaced by the snapshot, a lost one as well', (t) => {
  const copy = copied(t)
  const path = join(copy, 'catalogue-1')
  writeFileSync(path, readFileSync(path).fill(0, 0, 4_096))
  const damaged = inspectCatalogue(nodeDisk, copy, false)
  assert.deepEqual([damaged.state, damaged.source], ['damaged', 'snapshot'])
  assert.deepEqual(hexOf(damaged.entries), expected)
  rmSync(path)
  const lost = inspectCatalogue(nodeDisk, copy, false)
  assert.deepEqual([lost.state, lost.source, lost.generation], ['missing', 'snapshot', undefined])
  writeFileSync(join(copy, 'catalogue.snapshot'), 'nonsense')
  rmSync(join(copy, 'catalogue.snapshot.old'), { force: true })
  const nothing = inspectCatalogue(nodeDisk, copy, false)
  assert.deepEqual(
    [nothing.state, nothing.source, nothing.snapshot, nothing.entries.size],
    ['missing', 'nothing', 'damaged', 0]
  )
})

test('a damaged record is made up for by the snapshot, and the digest proves it', (t) => {
  const copy = copied(t)
  const path = join(copy, 'catalogue-1')
  const bytes = readFileSync(path)
  const [key, value] = [...expected].find(([, hex]) => hex.length > 100)!
  const needle = Buffer.from(value, 'hex')
  // Old copies of the page may hold it, too.
  for (let at = bytes.indexOf(needle); at !== -1; at = bytes.indexOf(needle, at + 1)) bytes[at + 5]! ^= 1
  writeFileSync(path, bytes)
  const found = inspectCatalogue(nodeDisk, copy, false)
  assert.deepEqual([found.state, found.source], ['repairable', 'database and snapshot'])
  assert.equal(found.entries.get(key)?.toString('hex'), value)
  assert.match(found.reason ?? '', /^1 of its records/)
})

test('whatever is damaged, reading ends with the records or with a fault, and never makes anything up', () => {
  const whole = readFileSync(database())
  const check = checkHead(whole.subarray(0, HEAD_BYTES), whole.length, 8)
  assert.ok(check.ok)
  const { usedBytes } = check.head
  let faults = 0
  for (let round = 0; round < 400; round++) {
    const bytes = Buffer.from(whole.subarray(0, usedBytes))
    const start = Math.floor(random.fraction() * usedBytes)
    const length = round % 2 === 0 ? 1 : Math.floor(random.fraction() * 8_192)
    for (let at = start; at < Math.min(usedBytes, start + length); at++) bytes[at] = Math.floor(random.fraction() * 256)
    const again = checkHead(bytes.subarray(0, HEAD_BYTES), bytes.length, 8)
    if (!again.ok) continue
    try {
      readRecords(bytes, again.head)
    } catch (error) {
      assert.ok(error instanceof Fault, String(error))
      faults += 1
    }
  }
  assert.ok(faults > 20, `${faults} faults`)
})

test('pages that lead in a circle end in a fault', () => {
  const bytes = readFileSync(database())
  const check = checkHead(bytes.subarray(0, HEAD_BYTES), bytes.length, 8)
  assert.ok(check.ok && check.head.rootPage !== undefined)
  const { pageBytes, rootPage } = check.head
  const page = bytes.subarray(rootPage * pageBytes, (rootPage + 1) * pageBytes)
  assert.equal(page.readUInt16LE(18) & 1, 1, 'the root is a branch page')
  // Every child of the root is the root.
  for (let index = 0; index < page.readUInt16LE(20) / 2; index++) {
    const node = 24 + page.readUInt16LE(24 + 2 * index)
    page.writeUInt16LE(rootPage & 0xffff, node)
    page.writeUInt16LE(rootPage >> 16, node + 2)
  }
  assert.throws(() => readRecords(bytes, check.head), /its pages form a circle/)
})
