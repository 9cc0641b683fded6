import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Fault } from '../../../component/base/fault.ts'
import { createLog, openLog, systemErrorCode } from '../../../component/store/index.ts'
import { flush } from '../../helpers/fake-clock.ts'
import { createFaultyDisk, failing, type FaultyDisk } from '../../helpers/faulty-disk.ts'
import { logOptions, readTexts, records } from '../../helpers/log-helpers.ts'
import { createSeededRandom } from '../../helpers/seeded-random.ts'

const FOLDER = '/streams/one'
const path = (base: number): string => `${FOLDER}/${String(base).padStart(19, '0')}.log`

function newDisk(bytesMax = Infinity): FaultyDisk {
  return createFaultyDisk({ random: createSeededRandom(1), bytesMax })
}

/** All that is left when the power fails now. */
async function textsAfterPowerCut(disk: FaultyDisk): Promise<string[]> {
  const { log } = await openLog({ ...logOptions(disk.cutPower(), FOLDER), summaries: new Map(), sameBoot: false })
  return readTexts(log)
}

describe('an append that fails', () => {
  it('for want of space leaves nothing behind and works again when there is space', async () => {
    const disk = newDisk(2_000)
    const log = await createLog({ ...logOptions(disk, FOLDER), rollBytes: 100_000 })
    await log.append(records('a'.repeat(1_000)))
    const before = disk.contentOf(path(0)).length
    assert.throws(
      () => log.append(records('b', 'c'.repeat(1_500))),
      (error) => error instanceof Fault && systemErrorCode(error) === 'ENOSPC'
    )
    assert.equal(disk.contentOf(path(0)).length, before)
    assert.equal(log.next, 1)
    await log.append(records('d'))
    assert.deepEqual((await readTexts(log)).slice(1), ['1:d'])
    assert.equal(log.sealed.length, 0)
  })

  it('with an I/O error is not repeated on the same file', async () => {
    const disk = newDisk()
    const log = await createLog(logOptions(disk, FOLDER))
    await log.append(records('a'))
    disk.rule = failing({ operation: 'write' }, { code: 'EIO', bytesTaken: 30 }, 1)
    assert.throws(() => log.append(records('b')), /EIO/)
    await log.append(records('c'))
    assert.deepEqual(
      log.sealed.map(({ base, next }) => [base, next]),
      [[0, 1]]
    )
    assert.deepEqual(await readTexts(log), ['0:a', '1:c'])
  })

  it('and cannot be taken back is still never seen', async () => {
    const disk = newDisk()
    const log = await createLog(logOptions(disk, FOLDER))
    await log.append(records('a'))
    const truncateFails = failing({ operation: 'truncate' }, { code: 'EIO' })
    const writeFails = failing({ operation: 'write' }, { code: 'EIO', bytesTaken: 50 }, 1)
    disk.rule = (call) => truncateFails(call) ?? writeFails(call)
    assert.throws(() => log.append(records('b', 'c')), /EIO/)
    disk.rule = () => undefined
    const { log: again } = await openLog({ ...logOptions(disk.kill(), FOLDER), summaries: new Map(), sameBoot: true })
    assert.deepEqual(await readTexts(again), ['0:a'])
  })

  it('among large ones stores none of its records', async () => {
    const disk = newDisk(8 * 1024 * 1024)
    const log = await createLog(logOptions(disk, FOLDER))
    const large = Buffer.alloc(3 * 1024 * 1024, 'x')
    await assert.rejects(async () => log.append(records(large, large, large)), /ENOSPC/)
    assert.deepEqual([log.next, log.totalBytes], [0, 0])
    await log.append(records('a'))
    assert.deepEqual(await readTexts(log), ['0:a'])
  })
})

describe('a roll that fails', () => {
  it('leaves the active segment active and no half-made one', async () => {
    const disk = newDisk()
    const log = await createLog({ ...logOptions(disk, FOLDER), rollBytes: 100_000 })
    await log.append(records('a'))
    for (const operation of ['create', 'write', 'sync', 'syncFolder', 'rename'] as const) {
      disk.rule = failing({ operation }, { code: 'ENOSPC' })
      await assert.rejects(async () => log.roll(), /ENOSPC/)
      disk.rule = () => undefined
      assert.ok(disk.paths.every((file) => file === path(0) || operation === 'rename'))
      await log.append(records(operation))
    }
    assert.equal(log.sealed.length, 0)
    await log.roll()
    assert.equal(log.sealed.length, 1)
    assert.deepEqual(disk.paths, [path(0), path(6)])
  })
})

describe('a sync', () => {
  it('covers what was written before it, not what is written during it', async () => {
    let release = (): void => undefined
    const disk = createFaultyDisk({
      random: createSeededRandom(1),
      delay: () => new Promise((resolve) => (release = resolve))
    })
    const running = { log: createLog(logOptions(disk, FOLDER)), isDone: false }
    const setUp = running.log.then(async (created) => {
      await created.append(records('a'))
      await created.sync()
      running.isDone = true
    })
    while (!running.isDone) {
      release()
      await new Promise((resolve) => setImmediate(resolve))
    }
    await setUp
    const log = await running.log
    await log.append(records('b'))
    const first = log.sync()
    await log.append(records('c'))
    const [second, third] = [log.sync(), log.sync()]
    assert.equal(second, third)
    release()
    await first
    assert.deepEqual([log.durableNext, log.needsSync], [2, true])
    await flush()
    release()
    await second
    assert.deepEqual([log.durableNext, log.needsSync], [3, false])
  })

  it('that fails moves what was not durable to another file', async () => {
    const disk = newDisk()
    const log = await createLog(logOptions(disk, FOLDER))
    await log.append(records('a', 'b'))
    await log.sync()
    await log.append(records('c', 'd'))
    const syncs: string[] = []
    disk.rule = (call) => {
      if (call.operation === 'sync') syncs.push(call.path)
      return syncs.length === 1 && call.operation === 'sync' ? { code: 'EIO' } : undefined
    }
    await log.sync()
    assert.equal(log.durableNext, 4)
    assert.ok(!syncs.slice(1).includes(syncs[0] ?? ''), 'the failed file is never synced again')
    assert.deepEqual(
      log.sealed.map(({ base, next, bytes }) => [base, next, bytes]),
      [[0, 2, 2 * log.recordBytes(1)]]
    )
    await log.append(records('e'))
    assert.deepEqual(await readTexts(log), ['0:a', '1:b', '2:c', '3:d', '4:e'])
    await log.sync()
    assert.deepEqual(await textsAfterPowerCut(disk), ['0:a', '1:b', '2:c', '3:d', '4:e'])
  })

  it('that fails for a sealed segment replaces it, while appends go on', async () => {
    const disk = newDisk()
    const log = await createLog(logOptions(disk, FOLDER))
    await log.append(records('a', 'b'))
    await log.roll()
    await log.append(records('c'))
    disk.rule = failing({ operation: 'sync' }, { code: 'EIO' }, 1)
    const pending = log.sync()
    for (let turn = 0; turn < 30; turn++) {
      await log.append(records('x'))
      await new Promise((resolve) => setImmediate(resolve))
    }
    await pending
    assert.ok(log.durableNext >= 3)
    await log.sync()
    assert.equal(log.durableNext, 33)
    const texts = await readTexts(log)
    assert.deepEqual(texts.slice(0, 3), ['0:a', '1:b', '2:c'])
    assert.deepEqual(await textsAfterPowerCut(disk), texts)
  })

  it('that fails together with the copy refuses appends until it works', async () => {
    const disk = newDisk()
    const log = await createLog(logOptions(disk, FOLDER))
    await log.append(records('a'))
    disk.rule = failing({ operation: 'sync' }, { code: 'EIO' })
    await assert.rejects(log.sync(), /EIO/)
    assert.equal(log.durableNext, 0)
    await assert.rejects(async () => log.append(records('b')), /EIO/)
    assert.deepEqual(await readTexts(log), ['0:a'])
    await assert.rejects(log.sync(), /EIO/)
    disk.rule = () => undefined
    await log.sync()
    assert.equal(log.durableNext, 1)
    await log.append(records('c'))
    await log.sync()
    assert.deepEqual(await textsAfterPowerCut(disk), ['0:a', '1:c'])
  })

  it('notices that the file was removed by another program', async () => {
    const disk = newDisk()
    const options = logOptions(disk, FOLDER)
    const log = await createLog(options)
    await log.append(records('a'))
    disk.removeFile(path(0))
    await assert.rejects(log.sync(), /removed/)
    await assert.rejects(log.sync(), /removed/)
    await assert.rejects(async () => log.append(records('b')), /removed/)
    assert.equal(options.logger.at('ERROR').length, 1)
  })

  it('of many segments keeps few files open, and a roll waits for it', async () => {
    const disk = newDisk()
    const log = await createLog(logOptions(disk, FOLDER))
    for (let segment = 0; segment < 100; segment++) {
      await log.append(records('a'))
      await log.roll()
      assert.ok(disk.openFiles <= 20, `${disk.openFiles} files are open`)
    }
    assert.ok(log.durableNext > 0)
    await log.sync()
    await readTexts(log)
    assert.ok(disk.openFiles <= 3, `${disk.openFiles} files are open`)
    log.close()
    await flush()
    assert.equal(disk.openFiles, 0)
  })

  it('that is under way ends with the log and leaves no file open', async () => {
    for (const fails of [false, true]) {
      const disk = newDisk()
      const log = await createLog(logOptions(disk, FOLDER))
      for (let segment = 0; segment < 3; segment++) {
        await log.append(records('a'))
        await log.roll()
      }
      if (fails) disk.rule = failing({ operation: 'sync' }, { code: 'EIO' }, 1)
      const pending = log.sync()
      for (let turn = 0; turn < (fails ? 3 : 0); turn++) await new Promise((resolve) => setImmediate(resolve))
      log.close()
      await assert.rejects(pending, /closed/)
      await flush()
      assert.equal(disk.openFiles, 0)
    }
  })

  it('counts dropped records as durable only when they cannot come back', async () => {
    const disk = newDisk()
    const log = await createLog(logOptions(disk, FOLDER))
    await log.append(records('a'))
    await log.roll()
    await log.append(records('b'))
    const state = log.state
    log.dropOldestSegment()
    assert.deepEqual([log.oldest, log.durableNext], [1, 1])
    assert.equal(log.state.durable.next, 0)
    await log.sync()
    const { log: again } = await openLog({
      ...logOptions(disk.cutPower(), FOLDER),
      state,
      summaries: new Map(),
      sameBoot: false
    })
    assert.deepEqual(await readTexts(again), ['0:a', '1:b'])
  })
})
