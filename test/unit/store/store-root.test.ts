import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { nodeDisk } from '../../../component/store/index.ts'
import { prepareStoreRoot } from '../../../component/store/store-root.ts'
import { createRecordingLog } from '../../helpers/recording-log.ts'

function makeRoot(t: TestContext): string {
  const root = mkdtempSync(join(tmpdir(), 'stream-manager-root-'))
  t.after(() => rmSync(root, { recursive: true }))
  return root
}

const modeOf = (path: string): number => statSync(path).mode & 0o777

describe('the folder of the store', () => {
  it('is made for its owner alone', (t) => {
    const folder = prepareStoreRoot(makeRoot(t), nodeDisk, createRecordingLog())
    assert.equal(modeOf(folder), 0o700)
  })

  it('is closed to others when it was open to them (reliability L1)', (t) => {
    const root = makeRoot(t)
    const folder = join(root, 'streams-v1')
    mkdirSync(folder)
    chmodSync(folder, 0o777)
    assert.equal(prepareStoreRoot(root, nodeDisk, createRecordingLog()), folder)
    assert.equal(modeOf(folder), 0o700)
  })

  it('is not used when it belongs to another user, unless we are the superuser (reliability L1)', (t) => {
    const root = makeRoot(t)
    const folder = prepareStoreRoot(root, nodeDisk, createRecordingLog())
    const { uid } = statSync(folder)
    const expected = new RegExp(`holds streams-v1 of another user \\(id ${uid}\\)`)
    assert.throws(() => prepareStoreRoot(root, nodeDisk, createRecordingLog(), uid + 1), expected)
    assert.equal(prepareStoreRoot(root, nodeDisk, createRecordingLog(), uid), folder)
    assert.equal(prepareStoreRoot(root, nodeDisk, createRecordingLog(), 0), folder)
  })
})
