import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createLog, openLog } from '../../../component/store/index.ts'
import { createFaultyDisk, failing, type FaultyDisk } from '../../helpers/faulty-disk.ts'
import { logOptions, readTexts, records } from '../../helpers/log-helpers.ts'
import { createSeededRandom } from '../../helpers/seeded-random.ts'

const FOLDER = '/streams/one'

function newDisk(seed: number): FaultyDisk {
  return createFaultyDisk({ random: createSeededRandom(seed), delay: () => Promise.resolve() })
}

/** What random histories have found once. Each runs under many seeds, because a power cut leaves one of many states. */
describe('found by random histories:', () => {
  const underManySeeds = async (run: (disk: FaultyDisk) => Promise<void>): Promise<void> => {
    for (let seed = 0; seed < 40; seed++) await run(newDisk(seed))
  }

  it('a segment renamed just before a kill is not lost when the next one is made', () =>
    underManySeeds(async (disk) => {
      const log = await createLog(logOptions(disk, FOLDER))
      await log.append(records('a'))
      await log.sync()
      await log.roll()
      await log.append(records('b'))
      const { state } = log
      const killed = disk.kill()
      const { log: second } = await openLog({
        ...logOptions(killed, FOLDER),
        state,
        summaries: new Map(),
        sameBoot: true
      })
      await second.append(records('c'.repeat(600)))
      for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
      await second.sync()
      const cut = killed.cutPower()
      const { log: third } = await openLog({ ...logOptions(cut, FOLDER), state, summaries: new Map(), sameBoot: false })
      assert.deepEqual(await readTexts(third), ['0:a', '1:b', `2:${'c'.repeat(600)}`])
    }))

  it('a sync that failed before a kill is not taken for done after it', () =>
    underManySeeds(async (disk) => {
      const log = await createLog(logOptions(disk, FOLDER))
      const { state } = log
      await log.append(records('a'))
      const syncFails = failing({ operation: 'sync' }, { code: 'EIO' })
      const copyFails = failing({ operation: 'create' }, { code: 'ENOSPC' })
      disk.rule = (call) => syncFails(call) ?? copyFails(call)
      await assert.rejects(log.sync(), /ENOSPC/)
      const killed = disk.kill()
      const remembered = { state, summaries: new Map() }
      const { log: second } = await openLog({ ...logOptions(killed, FOLDER), ...remembered, sameBoot: true })
      assert.equal(second.durableNext, 1)
      const { log: third } = await openLog({ ...logOptions(killed.cutPower(), FOLDER), ...remembered, sameBoot: false })
      assert.deepEqual(await readTexts(third), ['0:a'])
    }))

  it('what comes back behind a segment whose end was copied does not take the copy along', () =>
    underManySeeds(async (disk) => {
      const log = await createLog(logOptions(disk, FOLDER))
      await log.append(records('a'))
      await log.sync()
      const { state } = log
      await log.append(records('b'.repeat(100), 'c'))
      const segment = disk.paths.find((path) => path.endsWith('.log') && !path.endsWith('spare.log'))!
      const before = disk.contentOf(segment)
      disk.rule = failing({ operation: 'sync' }, { code: 'EIO' }, 1)
      await log.sync()
      const cut = disk.cutPower()
      // The end was cut off, but the cut was not synced: a power cut leaves any part of it.
      cut.damage(segment, before.subarray(0, state.durable.offset + 30))
      const { log: again } = await openLog({ ...logOptions(cut, FOLDER), state, summaries: new Map(), sameBoot: false })
      assert.deepEqual(await readTexts(again), ['0:a', `1:${'b'.repeat(100)}`, '2:c'])
    }))

  it('a dropped segment whose sync failed keeps what follows from counting as durable', () =>
    underManySeeds(async (disk) => {
      const log = await createLog(logOptions(disk, FOLDER))
      await log.append(records('a'))
      await log.roll()
      await log.append(records('b'))
      log.dropOldestSegment()
      disk.rule = failing({ operation: 'sync' }, { code: 'EIO' }, 1)
      await assert.rejects(log.sync(), /removal is awaited/)
      disk.rule = () => undefined
      await assert.rejects(log.sync(), /removal is awaited/)
      assert.equal(log.state.durable.next, 0)
      const { state } = log
      log.removeDropped(log.oldest)
      await log.sync()
      assert.equal(log.durableNext, 2)
      const cut = disk.cutPower()
      const { log: again } = await openLog({ ...logOptions(cut, FOLDER), state, summaries: new Map(), sameBoot: false })
      assert.deepEqual(await readTexts(again), ['1:b'])
    }))

  it('an empty segment behind given-up numbers is replaced by one that says so', () =>
    underManySeeds(async (disk) => {
      const log = await createLog(logOptions(disk, FOLDER))
      await log.append(records('a'))
      await log.sync()
      const known = { state: { ...log.state, next: 10 }, summaries: new Map() }
      const killed = disk.kill()
      const { log: second } = await openLog({ ...logOptions(killed, FOLDER), ...known, sameBoot: true })
      const writeFails = failing({ operation: 'write' }, { code: 'EIO' }, 2)
      killed.rule = (call) => (call.position > 0 ? writeFails(call) : undefined)
      let failures = 0
      while (second.next === 10) {
        try {
          await second.append(records('b'))
        } catch {
          failures++
        }
      }
      assert.equal(failures, 2)
      await second.sync()
      const cut = killed.cutPower()
      const { log: third, report } = await openLog({ ...logOptions(cut, FOLDER), ...known, sameBoot: false })
      assert.deepEqual(await readTexts(third), ['0:a', '10:b'])
      assert.deepEqual(report.lost, [])
    }))
})
