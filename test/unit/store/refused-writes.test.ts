import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createLog } from '../../../component/store/index.ts'
import { createFaultyDisk, failing } from '../../helpers/faulty-disk.ts'
import { logOptions, readTexts, records } from '../../helpers/log-helpers.ts'
import { createSeededRandom } from '../../helpers/seeded-random.ts'

const FOLDER = '/streams/one'

describe('a log whose disk refuses writes', () => {
  for (const code of ['EDQUOT', 'EFBIG', 'ENOSPC', 'EROFS']) {
    it(`an append that meets ${code} is refused, leaves nothing, and the next one works`, async () => {
      const disk = createFaultyDisk({ random: createSeededRandom(1) })
      const log = await createLog(logOptions(disk, FOLDER))
      await log.append(records('a'))
      const bytes = log.totalBytes
      disk.rule = failing({ operation: 'write' }, { code, bytesTaken: 3 })
      await assert.rejects(async () => log.append(records('b', 'c')), new RegExp(code))
      assert.equal(log.totalBytes, bytes)
      assert.deepEqual(await readTexts(log), ['0:a'])
      disk.rule = () => undefined
      await log.append(records('d'))
      assert.deepEqual(
        (await readTexts(log)).map((text) => text.slice(2)),
        ['a', 'd']
      )
      log.close()
    })
  }

  it('on a disk that turned read-only everything durable is read, and appends work once it is writable', async () => {
    const disk = createFaultyDisk({ random: createSeededRandom(1) })
    const log = await createLog(logOptions(disk, FOLDER))
    await log.append(records('a', 'b'))
    await log.sync()
    const changing = ['write', 'truncate', 'create', 'rename', 'remove', 'sync', 'syncFolder']
    disk.rule = ({ operation }) => (changing.includes(operation) ? { code: 'EROFS' } : undefined)
    for (let attempt = 0; attempt < 3; attempt += 1) await assert.rejects(async () => log.append(records('c')), /EROFS/)
    assert.deepEqual(await readTexts(log), ['0:a', '1:b'])
    disk.rule = () => undefined
    await log.append(records('d'))
    await log.sync()
    assert.deepEqual(
      (await readTexts(log)).map((text) => text.slice(2)),
      ['a', 'b', 'd']
    )
    log.close()
  })
})
