import assert from 'node:assert/strict'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { checkHead, HEAD_BYTES, wordBytesOf, type WordBytes } from '../../../../component/store/catalogue/head-check.ts'
import { change, openTestCatalogue, temporaryFolder } from '../../../helpers/catalogue-fixture.ts'

interface MetaValues {
  readonly transaction: number
  readonly lastPage: number
  readonly pages?: number
  readonly entries?: number
  readonly root?: number
  readonly depth?: number
}

/** The two meta pages of a file with these values, the free list empty. */
function head(word: WordBytes, pageBytes: number, metas: readonly [MetaValues, MetaValues]): Buffer {
  const bytes = Buffer.alloc(2 * pageBytes)
  for (const [index, meta] of metas.entries()) {
    let at = index * pageBytes + 2 * word + 8
    const u32 = (value: number): void => void (at = bytes.writeUInt32LE(value, at))
    const wordValue = (value: number): void => {
      if (word === 8) at = bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)), at)
      else u32(value >>> 0)
    }
    const tree = (first: number, depth: number, pages: number, entries: number, root: number): void => {
      u32(first)
      u32(depth * 65_536)
      for (const value of [0, pages, 0, entries, root]) wordValue(value)
    }
    u32(0xbeefc0de)
    u32(2)
    wordValue(0)
    wordValue(1 << 24)
    tree(pageBytes, 0, 0, 0, -1)
    tree(0, meta.depth ?? 1, meta.pages ?? 1, meta.entries ?? 5, meta.root ?? 2)
    wordValue(meta.lastPage)
    wordValue(meta.transaction)
  }
  return bytes
}

const USUAL = { transaction: 1, lastPage: 9 }

test('the head of a real database is understood', async (t) => {
  const folder = temporaryFolder(t)
  const { catalogue } = await openTestCatalogue(folder)
  for (let index = 0; index < 20; index += 1) await catalogue.commit([change(`k/${index}`, 'x'.repeat(1_000))])
  await catalogue.close()
  const path = join(folder, 'catalogue-1')
  const check = checkHead(readFileSync(path).subarray(0, HEAD_BYTES), statSync(path).size, wordBytesOf(process.arch))
  assert.ok(check.ok)
  assert.equal(check.head.entryCount, 22, 'the entries and two of its own')
  assert.ok(check.head.liveBytes >= 22_000 && check.head.liveBytes <= check.head.usedBytes)
})

test('both word sizes and all page sizes are read, the later meta page counts', () => {
  for (const word of [4, 8] as const) {
    for (const pageBytes of [512, 4_096, 16_384, 65_536]) {
      const metas = [
        { ...USUAL, transaction: 8, lastPage: 7, entries: 3 },
        { ...USUAL, transaction: 7, lastPage: 900 }
      ] as const
      for (const order of [metas, [metas[1], metas[0]] as const]) {
        const check = checkHead(head(word, pageBytes, order), 8 * pageBytes, word)
        const expected = {
          wordBytes: word,
          pageBytes,
          transaction: 8n,
          rootPage: 2,
          entryCount: 3,
          liveBytes: 3 * pageBytes,
          usedBytes: 8 * pageBytes
        }
        assert.deepEqual(check, { ok: true, head: expected })
      }
    }
  }
})

test('what is impossible is refused', () => {
  const fileBytes = 10 * 4_096
  const sound = head(8, 4_096, [USUAL, USUAL])
  const check = (bytes: Buffer, length = fileBytes): boolean => checkHead(bytes, length, 8).ok
  assert.ok(check(sound))
  assert.ok(!check(sound, fileBytes - 1), 'shorter than its last page')
  assert.ok(!check(sound.subarray(0, 4_096)), 'one page')
  assert.ok(!checkHead(sound, fileBytes, 4).ok, 'the other word size')
  const wrongMetas: Partial<MetaValues>[] = [
    { root: 10 },
    { root: 1 },
    { depth: 0 },
    { depth: 33 },
    { pages: 9 },
    { root: -1 }
  ]
  for (const wrong of wrongMetas) assert.ok(!check(head(8, 4_096, [USUAL, { ...USUAL, transaction: 2, ...wrong }])))
  for (const at of [24, 28, 48, 4_096 + 24, 4_096 + 28, 4_096 + 48]) {
    const damaged = Buffer.from(sound)
    damaged[at] = (damaged[at] ?? 0) ^ 0x10
    assert.ok(!check(damaged), `byte ${at}`)
  }
})

test('no content makes the check fail in another way', () => {
  const sound = head(8, 512, [USUAL, USUAL])
  const mutated = fc.array(fc.tuple(fc.nat(sound.length - 1), fc.nat(255)), { maxLength: 6 }).map((changes) => {
    const bytes = Buffer.from(sound)
    for (const [at, value] of changes) bytes[at] = value
    return bytes
  })
  const anything = fc.oneof(
    mutated,
    fc.uint8Array({ maxLength: 2_000 }).map((bytes) => Buffer.from(bytes))
  )
  fc.assert(
    fc.property(anything, fc.nat(20_000), fc.constantFrom(4 as const, 8 as const), (bytes, length, word) => {
      const check = checkHead(bytes, length, word)
      assert.ok(!check.ok || check.head.usedBytes <= length)
    }),
    { numRuns: 2_000 }
  )
})

test('32-bit machines have words of 4 bytes', () => {
  assert.deepEqual(['arm', 'ia32', 'arm64', 'x64', 'riscv64'].map(wordBytesOf), [4, 4, 8, 8, 8])
})
