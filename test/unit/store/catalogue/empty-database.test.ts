import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { emptyDatabase } from '../../../../component/store/catalogue/empty-database.ts'
import { checkHead, wordBytesOf } from '../../../../component/store/catalogue/head-check.ts'
import { PREALLOCATED_BYTES } from '../../../../component/store/catalogue/limits.ts'
import { createLmdbEngine } from '../../../../component/store/catalogue/lmdb-environment.ts'
import { temporaryFolder } from '../../../helpers/catalogue-fixture.ts'

test('is the file that LMDB makes', async (t) => {
  const path = join(temporaryFolder(t), 'made')
  const environment = (await createLmdbEngine()).open(path, 4 * PREALLOCATED_BYTES)
  const made = readFileSync(path)
  await environment.close()
  assert.deepEqual(emptyDatabase(wordBytesOf(process.arch)), made)
})

test('has a sound head, whatever the words of the machine', () => {
  for (const word of [4, 8] as const) {
    const bytes = emptyDatabase(word)
    const check = checkHead(bytes, bytes.length, word)
    assert.ok(check.ok)
    assert.deepEqual(check.head, {
      wordBytes: word,
      pageBytes: 4_096,
      transaction: 0n,
      rootPage: undefined,
      entryCount: 0,
      liveBytes: bytes.length,
      usedBytes: bytes.length
    })
  }
})
