import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Fault } from '../../component/base/fault.ts'
import type { Disk } from '../../component/store/disk.ts'
import { createLog, type StreamLog } from '../../component/store/index.ts'
import { logOptions, readAll, readTexts, records } from '../helpers/log-helpers.ts'

/** What every disk under a log must give; `inFolder` provides an empty one. */
export function describeStreamLog(
  name: string,
  inFolder: (run: (disk: Disk, folder: string) => Promise<void>) => Promise<void>
): void {
  const withLog = (run: (log: StreamLog, disk: Disk, folder: string) => Promise<void>): Promise<void> =>
    inFolder(async (disk, folder) => {
      const log = await createLog(logOptions(disk, folder))
      try {
        await run(log, disk, folder)
      } finally {
        log.close()
      }
    })

  describe(`a stream log on ${name}`, () => {
    it('is empty at first', () =>
      withLog(async (log) => {
        assert.deepEqual([log.oldest, log.next, log.durableNext, log.totalBytes, log.activeBytes], [0, 0, 0, 0, 0])
        assert.equal(log.needsSync, false)
        assert.deepEqual(log.sealed, [])
        assert.deepEqual(await log.read(0, 10, 10, 1000), [])
        assert.equal(log.roll(), undefined)
        assert.deepEqual(log.sealed, [])
      }))

    it('can begin at another number', () =>
      inFolder(async (disk, folder) => {
        const log = await createLog({ ...logOptions(disk, folder), next: 42 })
        await log.append(records('a'))
        assert.deepEqual(await readTexts(log), ['42:a'])
        assert.equal(log.oldest, 42)
        log.close()
      }))

    it('numbers records from 0 and reads them back', () =>
      withLog(async (log) => {
        assert.equal(log.append(records('a', 'bc')), undefined)
        assert.equal(log.append(records('def')), undefined)
        assert.deepEqual(await readAll(log), [
          { sequenceNumber: 0, ingestTimeMs: 1000, payload: Buffer.from('a') },
          { sequenceNumber: 1, ingestTimeMs: 1001, payload: Buffer.from('bc') },
          { sequenceNumber: 2, ingestTimeMs: 1000, payload: Buffer.from('def') }
        ])
        assert.equal(log.totalBytes, log.recordBytes(1) + log.recordBytes(2) + log.recordBytes(3))
        assert.equal(log.activeLastIngestMs, 1001)
      }))

    it('keeps within the bounds of a read', () =>
      withLog(async (log) => {
        await log.append(records('aaaa', 'bbbb', 'cccc', 'dddd'))
        const numbers = async (...bounds: Parameters<StreamLog['read']>): Promise<number[]> =>
          (await log.read(...bounds)).map(({ sequenceNumber }) => sequenceNumber)
        assert.deepEqual(await numbers(1, 3, 10, 100), [1, 2])
        assert.deepEqual(await numbers(0, 99, 2, 100), [0, 1])
        assert.deepEqual(await numbers(0, 99, 10, 8), [0, 1])
        assert.deepEqual(await numbers(0, 99, 10, 7), [0])
        assert.deepEqual(await numbers(2, 99, 10, 0), [2])
        assert.deepEqual(await numbers(4, 99, 10, 100), [])
        assert.deepEqual(await numbers(99, 100, 10, 100), [])
        assert.deepEqual(await numbers(3, 3, 10, 100), [])
      }))

    it('rolls and reads across segments', () =>
      withLog(async (log) => {
        for (const text of ['a', 'b', 'c', 'd']) {
          await log.append(records(text, text))
          await log.roll()
        }
        assert.deepEqual(
          log.sealed.map(({ base, next }) => [base, next]),
          [
            [0, 2],
            [2, 4],
            [4, 6],
            [6, 8]
          ]
        )
        assert.equal(log.activeBytes, 0)
        assert.equal(log.activeLastIngestMs, 0)
        assert.deepEqual(await readTexts(log), ['0:a', '1:a', '2:b', '3:b', '4:c', '5:c', '6:d', '7:d'])
        assert.deepEqual(await readTexts(log, 3, 1), ['3:b', '4:c', '5:c', '6:d', '7:d'])
        assert.equal(log.sealed[0]?.lastIngestMs, 1001)
      }))

    it('rolls at once when the next segment was made ahead of time', () =>
      withLog(async (log, disk, folder) => {
        let rolledAtOnce = 0
        for (let segment = 0; segment < 20; segment++) {
          await log.append(records('x'.repeat(600)))
          // The same kind of work, begun later.
          for (let sync = 0; sync < 8; sync++) await disk.syncFolder(folder)
          const pending = log.roll()
          if (pending === undefined) rolledAtOnce++
          await pending
        }
        assert.ok(rolledAtOnce > 0)
        assert.equal(log.sealed.length, 20)
        assert.equal((await readAll(log)).length, 20)
      }))

    it('drops the oldest segments and then their files', () =>
      withLog(async (log, disk, folder) => {
        for (const text of ['a', 'b', 'c']) {
          await log.append(records(text))
          await log.roll()
        }
        await readTexts(log)
        const files = (): string[] => disk.listFolder(folder).map(({ name: file }) => file)
        assert.equal(log.hasDropped, false)
        assert.deepEqual(log.dropOldestSegment(), { base: 0, next: 1, bytes: log.recordBytes(1), lastIngestMs: 1000 })
        assert.equal(log.oldest, 1)
        assert.equal(log.hasDropped, true)
        assert.equal(log.totalBytes, 2 * log.recordBytes(1))
        assert.ok(log.durableNext >= log.oldest)
        assert.ok(files().includes('0000000000000000000.log'))
        log.removeDropped(0)
        assert.ok(files().includes('0000000000000000000.log'))
        log.removeDropped(log.oldest)
        assert.equal(log.hasDropped, false)
        assert.ok(!files().includes('0000000000000000000.log'))
        assert.deepEqual(await readTexts(log), ['1:b', '2:c'])
        log.dropOldestSegment()
        log.dropOldestSegment()
        assert.equal(log.dropOldestSegment(), undefined)
        assert.deepEqual([log.oldest, log.next, log.totalBytes], [3, 3, 0])
        assert.deepEqual(await readTexts(log), [])
        await log.append(records('d'))
        assert.deepEqual(await readTexts(log), ['3:d'])
      }))

    it('makes what was written durable', () =>
      withLog(async (log, disk) => {
        for (let segment = 0; segment < 3; segment++) {
          await log.append(records('a', 'b'))
          if (disk.isVolatile !== true) assert.equal(log.needsSync, true)
          await log.roll()
        }
        await log.append(records('c'))
        await Promise.all([log.sync(), log.sync(), log.sync()])
        assert.equal(log.needsSync, false)
        assert.deepEqual([log.durableNext, log.state.next], [7, 7])
      }))

    it('stores messages of one byte and of 64 MiB', () =>
      withLog(async (log) => {
        const large = Buffer.alloc(64 * 1024 * 1024, 'large')
        await log.append(records('a'))
        await log.append(records(large, 'b'))
        await log.append(records('c'))
        const all = await readAll(log)
        assert.deepEqual(
          all.map(({ payload }) => payload.length),
          [1, large.length, 1, 1]
        )
        assert.ok(all[1]?.payload.equals(large))
        assert.deepEqual(
          (await log.read(0, 4, 10, 1000)).map(({ sequenceNumber }) => sequenceNumber),
          [0]
        )
        assert.equal((await log.read(1, 4, 10, 1000))[0]?.payload.length, large.length)
      }))

    it('takes a batch of many MiB in order and as a whole', () =>
      withLog(async (log) => {
        const payloads = Array.from({ length: 300 }, (_, index) => Buffer.alloc(100 + ((index * 997) % 40_000), index))
        const pending = log.append(records(...payloads))
        assert.ok(pending instanceof Promise)
        assert.equal(log.next, 0)
        await pending
        const all = await readAll(log)
        assert.ok(all.every(({ payload }, index) => payload.equals(payloads[index] ?? Buffer.alloc(0))))
        assert.equal(all.length, 300)
      }))

    it('finds any number among many', () =>
      withLog(async (log) => {
        const text = (index: number): string => `${index}-`.repeat(1 + (index % 50))
        for (let index = 0; index < 20_000; index += 100) {
          await log.append(records(...Array.from({ length: 100 }, (_, offset) => text(index + offset))))
          if (index % 5_000 === 4_900) await log.roll()
        }
        for (const from of [0, 1, 77, 4_999, 5_000, 5_001, 12_345, 19_999, 12_346, 3]) {
          const [first] = await log.read(from, log.next, 1, 1)
          assert.equal(first?.sequenceNumber, from)
          assert.equal(first.payload.toString(), text(from))
        }
      }))

    it('reads while it is written', () =>
      withLog(async (log) => {
        await log.append(records('first'))
        const writing = { isDone: false }
        const reader = (async () => {
          let next = 0
          while (!writing.isDone || next < log.next) {
            const messages = await log.read(next, log.next, 7, 10_000)
            for (const { sequenceNumber } of messages) assert.equal(sequenceNumber, next++)
            await new Promise((resolve) => setImmediate(resolve))
          }
          return next
        })()
        for (let round = 0; round < 100; round++) {
          await log.append(records('x'.repeat(round + 1), 'y'))
          if (round % 10 === 9) await log.roll()
          else await Promise.resolve()
        }
        writing.isDone = true
        assert.equal(await reader, 201)
      }))

    it('refuses everything once it is closed', () =>
      inFolder(async (disk, folder) => {
        const log = await createLog(logOptions(disk, folder))
        log.close()
        log.close()
        assert.throws(() => log.append(records('a')), Fault)
        assert.throws(() => log.roll(), Fault)
        assert.throws(() => log.read(0, 1, 1, 1), Fault)
      }))

    it('is not created over an existing one', () =>
      withLog(async (_log, disk, folder) => {
        await assert.rejects(createLog(logOptions(disk, folder)), Fault)
      }))
  })
}
