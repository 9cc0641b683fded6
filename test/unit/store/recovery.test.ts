import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Fault } from '../../../component/base/fault.ts'
import {
  createLog,
  openLog,
  readMetadata,
  writeDefinitionFile,
  type StreamLog
} from '../../../component/store/index.ts'
import { RECORD_HEADER_BYTES } from '../../../component/store/record.ts'
import { createFaultyDisk, failing, type FaultyDisk } from '../../helpers/faulty-disk.ts'
import { asNewerFormat, logOptions, readTexts, records, STREAM_ID } from '../../helpers/log-helpers.ts'
import { createSeededRandom } from '../../helpers/seeded-random.ts'

const FOLDER = '/streams/one'
const path = (base: number): string => `${FOLDER}/${String(base).padStart(19, '0')}.log`
const newDisk = (): FaultyDisk => createFaultyDisk({ random: createSeededRandom(1), delay: () => Promise.resolve() })

function catalogueOf(log: StreamLog) {
  return { state: log.state, summaries: new Map(log.sealed.map((summary) => [summary.base, summary])) }
}

type Remembered = ReturnType<typeof catalogueOf>

function reopen(disk: FaultyDisk, remembered: Partial<Remembered>, sameBoot: boolean) {
  return openLog({ ...logOptions(disk, FOLDER), summaries: new Map(), ...remembered, sameBoot })
}

/** Turns a bit of record `index` in a segment of one-byte records. */
function hit(disk: FaultyDisk, base: number, index: number): void {
  const bytes = disk.contentOf(path(base))
  const start = bytes.readUInt32LE(12)
  const at = start + index * (RECORD_HEADER_BYTES + 1) + RECORD_HEADER_BYTES
  bytes[at] = (bytes[at] ?? 0) ^ 1
  disk.damage(path(base), bytes)
}

describe('recovery', () => {
  it('does not read durable segments that the catalogue describes', async () => {
    const disk = newDisk()
    const log = await createLog(logOptions(disk, FOLDER))
    for (let segment = 0; segment < 5; segment++) {
      await log.append(records('a', 'b'))
      await log.roll()
    }
    await log.sync()
    const remembered = catalogueOf(log)
    log.close()
    const next = disk.kill()
    const opened: string[] = []
    next.rule = ({ operation, path: file }) => {
      if (operation === 'open') opened.push(file)
      return undefined
    }
    const { log: again } = await reopen(next, remembered, true)
    assert.deepEqual([...new Set(opened)], [path(10)])
    assert.deepEqual([again.oldest, again.next, again.durableNext, again.sealed.length], [0, 10, 10, 5])
    assert.equal(again.totalBytes, 10 * again.recordBytes(1))
  })

  it('looks at the folder once, and tells the metadata that is kept in it', async () => {
    const disk = newDisk()
    const log = await createLog(logOptions(disk, FOLDER))
    await log.append(records('a', 'b'))
    await log.sync()
    const remembered = catalogueOf(log)
    log.close()
    const next = disk.kill()
    const calls: string[] = []
    next.rule = ({ operation }) => {
      if (operation === 'open' || operation === 'list') calls.push(operation)
      return undefined
    }
    const { metadata } = await reopen(next, remembered, true)
    // The newest segment is opened to see that no newer program wrote it, and to be appended to.
    assert.deepEqual(calls, ['list', 'open', 'open'])
    assert.deepEqual(metadata, Buffer.from('metadata'))
  })

  it('tells the metadata of the definition file where there is one', async () => {
    const disk = newDisk()
    const log = await createLog(logOptions(disk, FOLDER))
    await log.append(records('a'))
    log.close()
    const { clock } = logOptions(disk, FOLDER)
    await writeDefinitionFile({ disk, folder: FOLDER, streamId: STREAM_ID, clock }, Buffer.from('newer'))
    assert.deepEqual((await reopen(disk, {}, true)).metadata, Buffer.from('newer'))
  })

  it('tells the metadata of what is left when the newest segment is cut off', async () => {
    const disk = newDisk()
    const log = await createLog(logOptions(disk, FOLDER))
    await log.append(records('a', 'b'))
    await log.sync()
    await log.roll()
    await log.append(records('c'))
    const next = disk.cutPower()
    const { metadata } = await reopen(next, { state: log.state }, false)
    assert.deepEqual(metadata, readMetadata(next, FOLDER, STREAM_ID))
  })

  it('after a power cut keeps the records before the first damage behind the durable point', async () => {
    const disk = newDisk()
    const log = await createLog(logOptions(disk, FOLDER))
    await log.append(records('a', 'b'))
    await log.sync()
    const remembered = catalogueOf(log)
    await log.append(records('c', 'd', 'e'))
    await log.roll()
    await log.append(records('f'))
    hit(disk, 0, 3)
    const { log: again, report } = await reopen(disk.kill(), remembered, false)
    assert.deepEqual(await readTexts(again), ['0:a', '1:b', '2:c'])
    assert.equal(again.next, 5)
    assert.ok(report.cutBytes > 0)
    assert.deepEqual(report.lost, [])
  })

  it('without a power cut keeps the records behind damage, too', async () => {
    const disk = newDisk()
    const log = await createLog(logOptions(disk, FOLDER))
    await log.append(records('a', 'b'))
    await log.sync()
    const remembered = catalogueOf(log)
    await log.append(records('c', 'd', 'e'))
    await log.roll()
    await log.append(records('f'))
    hit(disk, 0, 3)
    const { log: again, report } = await reopen(disk.kill(), remembered, true)
    assert.deepEqual(await readTexts(again), ['0:a', '1:b', '2:c', '4:e', '5:f'])
    assert.deepEqual(report, { cutBytes: 0, lost: [{ from: 3, to: 4 }], missingSegments: [] })
  })

  it('never cuts good records before the durable point', async () => {
    const disk = newDisk()
    const log = await createLog(logOptions(disk, FOLDER))
    await log.append(records('a', 'b', 'c', 'd'))
    const early = catalogueOf(log)
    await log.sync()
    const remembered = {
      state: { ...log.state, durable: { ...log.state.durable, segmentBase: 99 } },
      summaries: early.summaries
    }
    hit(disk, 0, 1)
    const { log: again, report } = await reopen(disk.kill(), remembered, false)
    assert.deepEqual(await readTexts(again), ['0:a', '2:c', '3:d'])
    assert.deepEqual(report.lost, [{ from: 1, to: 2 }])
  })

  it('cuts what damage across the durable point has separated', async () => {
    const disk = newDisk()
    const log = await createLog(logOptions(disk, FOLDER))
    await log.append(records('a', 'b'))
    await log.sync()
    const { state } = catalogueOf(log)
    await log.append(records('c', 'd'))
    hit(disk, 0, 1)
    hit(disk, 0, 2)
    const unfit = { ...state, durable: { ...state.durable, offset: state.durable.offset - 1 } }
    const { log: again } = await reopen(disk.kill(), { state: unfit }, false)
    assert.deepEqual(await readTexts(again), ['0:a'])
  })

  it('keeps one copy of what it cuts, until the log opens without damage', async () => {
    const disk = newDisk()
    const log = await createLog(logOptions(disk, FOLDER))
    await log.append(records('a'))
    await log.sync()
    const remembered = catalogueOf(log)
    disk.damage(path(0), Buffer.concat([disk.contentOf(path(0)), Buffer.alloc(3 * 1024 * 1024, 'torn')]))
    const second = disk.kill()
    const { log: again, report } = await reopen(second, remembered, false)
    assert.equal(report.cutBytes, 3 * 1024 * 1024)
    const copy = `${path(0)}.corrupt`
    assert.equal(second.contentOf(copy).length, 1024 * 1024)
    again.close()
    const third = second.kill()
    await reopen(third, remembered, false)
    assert.ok(!third.paths.includes(copy))
  })

  it('gives no number again that the catalogue has seen', async () => {
    const disk = newDisk()
    const log = await createLog(logOptions(disk, FOLDER))
    await log.append(records('a'))
    const state = { ...log.state, next: 100 }
    const { log: again } = await reopen(disk.kill(), { state }, true)
    assert.equal(again.next, 100)
    assert.equal(again.durableNext, 100)
    await again.append(records('b'))
    assert.deepEqual(await readTexts(again), ['0:a', '100:b'])
    await again.sync()
    const { log: third, report } = await reopen(disk.kill(), {}, true)
    assert.deepEqual(report.lost, [])
    assert.deepEqual(await readTexts(third), ['0:a', '100:b'])
  })

  it('removes segments that retention had dropped', async () => {
    const disk = newDisk()
    const log = await createLog(logOptions(disk, FOLDER))
    for (const text of ['a', 'b', 'c']) {
      await log.append(records(text))
      await log.roll()
    }
    await log.sync()
    log.dropOldestSegment()
    log.dropOldestSegment()
    const remembered = catalogueOf(log)
    const second = disk.kill()
    const { log: again, report } = await reopen(second, remembered, true)
    assert.deepEqual(report, { cutBytes: 0, lost: [], missingSegments: [] })
    assert.deepEqual(await readTexts(again), ['2:c'])
    assert.ok(!second.paths.includes(path(0)) && !second.paths.includes(path(1)))
  })

  it('removes what retention had dropped also when a power cut has taken all that came behind it', async () => {
    const disk = newDisk()
    const log = await createLog(logOptions(disk, FOLDER))
    await log.append(records('a', 'b', 'c'))
    await log.roll()
    await log.sync()
    log.dropOldestSegment()
    const remembered = catalogueOf(log)
    assert.deepEqual([log.oldest, log.next], [3, 3])
    log.close()
    const next = disk.kill()
    next.removeFile(path(3))
    const { log: again } = await reopen(next, remembered, false)
    assert.deepEqual([again.oldest, again.next, again.totalBytes], [3, 3, 0])
    assert.deepEqual(await readTexts(again), [])
    await again.append(records('d'))
    await again.sync()
    assert.deepEqual(await readTexts(again), ['3:d'])
    again.close()
    const { log: last } = await reopen(next.cutPower(), catalogueOf(again), false)
    assert.deepEqual(await readTexts(last), ['3:d'])
  })

  it('adopts a segment whose rename was lost, and removes leftovers', async () => {
    const disk = newDisk()
    const log = await createLog(logOptions(disk, FOLDER))
    await log.append(records('a', 'b'))
    await log.roll()
    await log.append(records('c'))
    await log.sync()
    const remembered = catalogueOf(log)
    log.close()
    disk.rename(path(2), `${FOLDER}/spare.log`)
    disk.damage(`${FOLDER}/copy.log`, Buffer.from('unfinished'))
    for (const known of [remembered, {}]) {
      const next = disk.kill()
      const { log: again } = await reopen(next, known, false)
      assert.deepEqual(await readTexts(again), ['0:a', '1:b', '2:c'])
      assert.deepEqual(next.paths, [path(0), path(2)])
      again.close()
    }
  })

  it('makes the folder anew when it is gone', async () => {
    const disk = newDisk()
    const log = await createLog(logOptions(disk, FOLDER))
    await log.append(records('a', 'b'))
    await log.sync()
    const remembered = catalogueOf(log)
    disk.removeFolder(FOLDER)
    const { log: again, report } = await reopen(disk.kill(), remembered, false)
    assert.deepEqual([again.oldest, again.next], [2, 2])
    assert.deepEqual(report.lost, [{ from: 0, to: 2 }])
  })

  it('leaves a newer format untouched', async () => {
    const disk = newDisk()
    const log = await createLog(logOptions(disk, FOLDER))
    await log.append(records('a'))
    disk.damage(path(0), asNewerFormat(disk.contentOf(path(0))))
    const next = disk.kill()
    const changes: string[] = []
    next.rule = ({ operation }) => {
      if (!['open', 'read', 'list'].includes(operation)) changes.push(operation)
      return undefined
    }
    await assert.rejects(reopen(next, {}, true), /format version 2/)
    assert.deepEqual(changes, [])
  })

  it('leaves a segment of another stream alone', async () => {
    const disk = newDisk()
    const log = await createLog(logOptions(disk, FOLDER))
    await log.append(records('a'))
    const before = disk.contentOf(path(0))
    const options = { ...logOptions(disk.kill(), FOLDER), streamId: 'another' }
    const { log: again } = await openLog({ ...options, summaries: new Map(), sameBoot: true })
    assert.deepEqual(await readTexts(again), [])
    await again.append(records('b'))
    assert.deepEqual(await readTexts(again), ['1:b'])
    assert.deepEqual(disk.kill().contentOf(path(0)), before)
  })

  it('copes with empty files and folders in the way', async () => {
    const disk = newDisk()
    const log = await createLog(logOptions(disk, FOLDER))
    await log.append(records('a'))
    await log.sync()
    const remembered = catalogueOf(log)
    disk.damage(path(5), Buffer.alloc(0))
    disk.makeFolder(path(3))
    disk.damage(`${FOLDER}/notes.txt`, Buffer.from('of somebody else'))
    for (const known of [remembered, {}]) {
      const { log: again } = await reopen(disk.kill(), known, true)
      await again.append(records('b'))
      assert.deepEqual(await readTexts(again, 0, 1), ['0:a', `${again.next - 1}:b`])
      assert.equal(disk.kill().contentOf(`${FOLDER}/notes.txt`).toString(), 'of somebody else')
      again.close()
      for (const file of disk.kill().paths)
        if (!file.endsWith('00.log') && !file.endsWith('.txt')) disk.kill().removeFile(file)
    }
  })

  it('opens a log on a disk that takes no writes, for reading', async () => {
    const disk = newDisk()
    const log = await createLog(logOptions(disk, FOLDER))
    await log.append(records('a', 'b'))
    const remembered = catalogueOf(log)
    disk.damage(path(0), Buffer.concat([disk.contentOf(path(0)), Buffer.from('torn')]))
    const next = disk.kill()
    next.rule = ({ operation }) =>
      ['write', 'truncate', 'create', 'rename', 'remove'].includes(operation) ? { code: 'EROFS' } : undefined
    const { log: again } = await reopen(next, remembered, true)
    assert.deepEqual(await readTexts(again), ['0:a', '1:b'])
    await assert.rejects(async () => again.append(records('c')), Fault)
    next.rule = () => undefined
    await again.sync()
    await again.append(records('c'))
    assert.deepEqual(await readTexts(again), ['0:a', '1:b', '2:c'])
  })

  it('leaves out a segment that cannot be opened', async () => {
    const disk = newDisk()
    const log = await createLog(logOptions(disk, FOLDER))
    await log.append(records('a'))
    await log.roll()
    await log.append(records('b'))
    const next = disk.kill()
    next.rule = failing({ operation: 'open', path: path(0) }, { code: 'EACCES' })
    const { log: again } = await reopen(next, {}, true)
    assert.deepEqual(await readTexts(again), ['1:b'])
  })
})

it('a segment that could not be opened once is there again at the next start', async () => {
  const disk = newDisk()
  const log = await createLog(logOptions(disk, FOLDER))
  await log.append(records('a'))
  await log.roll()
  await log.append(records('b'))
  await log.sync()
  const killed = disk.kill()
  killed.rule = failing({ operation: 'open', path: path(0) }, { code: 'EIO' })
  const { log: second } = await reopen(killed, { state: log.state }, true)
  assert.equal(second.oldest, 1)
  const { state } = second
  second.close()
  const again = killed.kill()
  const { log: third } = await reopen(again, { state }, true)
  assert.deepEqual(await readTexts(third), ['0:a', '1:b'])
  // Once newer messages have gone, those go, too.
  const { log: fourth } = await reopen(killed.kill(), { state }, true)
  await fourth.roll()
  fourth.dropOldestSegment()
  assert.equal(fourth.state.oldest, fourth.oldest)
})

describe('the newest segment', () => {
  const fillAndKill = async (): Promise<{ readonly disk: FaultyDisk; readonly remembered: Remembered }> => {
    const disk = newDisk()
    const log = await createLog(logOptions(disk, FOLDER))
    await log.append(records('a'))
    await log.sync()
    const remembered = catalogueOf(log)
    await log.append(records('b', 'c'))
    return { disk: disk.kill(), remembered }
  }

  it('may hold numbers that nothing else knows: none is given again when it cannot be opened or read', async () => {
    for (const operation of ['open', 'read'] as const) {
      const { disk, remembered } = await fillAndKill()
      // Before segments are recovered, the newest one is looked at for its format.
      let calls = 0
      disk.rule = (call) => (call.operation === operation && ++calls > 1 ? { code: 'EIO' } : undefined)
      const { log } = await reopen(disk, remembered, true)
      disk.rule = () => undefined
      await log.append(records('d'))
      assert.ok(log.next > 4, `${log.next - 1} was given`)
      log.close()
      const { log: again } = await reopen(disk.kill(), remembered, true)
      const texts = await readTexts(again)
      assert.deepEqual(texts.slice(0, 3), ['0:a', '1:b', '2:c'])
      assert.match(texts[3] ?? '', /^\d+:d$/)
    }
  })

  it('is waited for when only descriptors or memory are short: nothing is changed', async () => {
    for (const code of ['EMFILE', 'ENFILE', 'ENOMEM']) {
      const { disk, remembered } = await fillAndKill()
      let calls = 0
      disk.rule = ({ operation }) => (operation === 'open' && ++calls > 1 ? { code } : undefined)
      await assert.rejects(reopen(disk, remembered, true), Fault)
      disk.rule = () => undefined
      const { log } = await reopen(disk, remembered, true)
      assert.deepEqual(await readTexts(log), ['0:a', '1:b', '2:c'])
    }
  })
})

describe('the metadata in the headers', () => {
  it('is that of the newest readable segment', async () => {
    const disk = newDisk()
    const log = await createLog({ ...logOptions(disk, FOLDER), metadata: Buffer.from('first') })
    await log.append(records('x'.repeat(900)))
    for (let turn = 0; turn < 20; turn++) await Promise.resolve()
    log.setMetadata(Buffer.from('second'))
    await log.roll()
    assert.equal(readMetadata(disk, FOLDER, STREAM_ID)?.toString(), 'second')
    disk.damage(path(1), Buffer.from('damaged'))
    assert.equal(readMetadata(disk, FOLDER, STREAM_ID)?.toString(), 'first')
    assert.equal(readMetadata(disk, FOLDER, 'another'), undefined)
    assert.equal(readMetadata(disk, '/nowhere', STREAM_ID), undefined)
  })
})
