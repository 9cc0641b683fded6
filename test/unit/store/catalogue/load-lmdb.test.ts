import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { loadLmdb } from '../../../../component/store/catalogue/load-lmdb.ts'
import { temporaryFolder } from '../../../helpers/catalogue-fixture.ts'

test('a machine without the native addon gets a sentence, not a stack', (t) => {
  const folder = temporaryFolder(t)
  const module = fileURLToPath(new URL('../../../../component/store/catalogue/load-lmdb.ts', import.meta.url))
  const script = `import { loadLmdb } from ${JSON.stringify(module)}
    loadLmdb().catch((error) => console.log(error.name + ': ' + error.message))`
  const child = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    // The addon's loader looks into this folder instead of its package.
    env: { ...process.env, LMDB_PREBUILD: folder },
    encoding: 'utf8'
  })
  const [line = '', ...rest] = child.stdout.trimEnd().split('\n')
  assert.match(line, /^Fault: the database library cannot be loaded on this machine \(\w+ \w+, Node\.js v[\d.]+\): \S/)
  assert.deepEqual(rest, [])
})

test('where there is one it is loaded', async () => {
  assert.equal(typeof (await loadLmdb()).open, 'function')
})
