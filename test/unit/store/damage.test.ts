import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createLog, openLog, type LogState, type SegmentSummary } from '../../../component/store/index.ts'
import { createFaultyDisk, failing, type FaultyDisk } from '../../helpers/faulty-disk.ts'
import { logOptions, readTexts, records } from '../../helpers/log-helpers.ts'
import { createSeededRandom } from '../../helpers/seeded-random.ts'

const FOLDER = '/streams/one'
const SEGMENTS = ['0000000000000000000.log', '0000000000000000003.log', '0000000000000000006.log']
const ALL = ['0:aaaaa', '1:bbbbb', '2:ccccc', '3:ddddd', '4:eeeee', '5:fffff', '6:ggggg', '7:hhhhh']
const HEADER_BYTES = 36 + 16 + 8
const RECORD_BYTES = 24 + 5

interface Remembered {
  readonly state?: LogState
  readonly summaries: ReadonlyMap<number, SegmentSummary>
}

/** Three segments, all durable, and what the catalogue remembers of them. */
async function smallStore(): Promise<{ disk: FaultyDisk; remembered: Remembered }> {
  const disk = createFaultyDisk({ random: createSeededRandom(1), delay: () => Promise.resolve() })
  const log = await createLog(logOptions(disk, FOLDER))
  for (const [index, text] of ALL.entries()) {
    await log.append(records(text.slice(2)))
    if (index === 2 || index === 5) await log.roll()
  }
  await log.sync()
  const remembered = { state: log.state, summaries: new Map(log.sealed.map((summary) => [summary.base, summary])) }
  log.close()
  return { disk: disk.kill(), remembered }
}

const NOTHING: Remembered = { summaries: new Map() }

/** Opens the store, reads everything, and appends one more. */
async function reopen(disk: FaultyDisk, remembered: Remembered, sameBoot: boolean): Promise<string[]> {
  const { log } = await openLog({ ...logOptions(disk, FOLDER), ...remembered, sameBoot })
  const texts = await readTexts(log)
  const next = log.next
  await log.append(records('new'))
  await log.sync()
  assert.deepEqual((await readTexts(log)).at(-1), `${next}:new`)
  log.close()
  assert.equal(disk.openFiles, 0)
  return texts
}

/** Records whose bytes include `offset` of a segment. */
function hitRecord(segment: number, offset: number): string | undefined {
  return offset < HEADER_BYTES ? undefined : ALL[segment * 3 + Math.floor((offset - HEADER_BYTES) / RECORD_BYTES)]
}

describe('a damaged store', () => {
  for (const catalogue of ['with', 'without'] as const) {
    it(`misses only the record that a flipped bit hits, ${catalogue} the catalogue`, async () => {
      const { disk, remembered } = await smallStore()
      for (const [segment, name] of SEGMENTS.entries()) {
        const path = `${FOLDER}/${name}`
        const original = disk.contentOf(path)
        for (let offset = 0; offset < original.length; offset++) {
          const saved = disk.paths.map((file): [string, Buffer] => [file, disk.contentOf(file)])
          const damaged = Buffer.from(original)
          damaged[offset] = (damaged[offset] ?? 0) ^ (1 << (offset % 8))
          disk.damage(path, damaged)
          const known = catalogue === 'with' ? remembered : NOTHING
          const texts = await reopen(disk, known, offset % 2 === 0)
          const hit = hitRecord(segment, offset)
          assert.deepEqual(
            texts,
            ALL.filter((text) => text !== hit),
            `byte ${offset} of ${name}`
          )
          restore(disk, saved)
        }
      }
    })

    it(`serves what is left of a file cut at any length, ${catalogue} the catalogue`, async () => {
      const { disk, remembered } = await smallStore()
      for (const [segment, name] of SEGMENTS.entries()) {
        const path = `${FOLDER}/${name}`
        const original = disk.contentOf(path)
        for (let length = 0; length < original.length; length++) {
          const saved = disk.paths.map((file): [string, Buffer] => [file, disk.contentOf(file)])
          disk.damage(path, original.subarray(0, length))
          const known = catalogue === 'with' ? remembered : NOTHING
          const texts = await reopen(disk, known, length % 2 === 0)
          const whole = Math.max(0, Math.floor((length - HEADER_BYTES) / RECORD_BYTES))
          const lost = ALL.slice(segment * 3 + whole, segment * 3 + 3)
          assert.deepEqual(
            texts,
            ALL.filter((text) => !lost.includes(text)),
            `${name} cut to ${length}`
          )
          restore(disk, saved)
        }
      }
    })
  }

  for (const name of SEGMENTS) {
    it(`goes on when ${name} is missing`, async () => {
      const { disk, remembered } = await smallStore()
      disk.removeFile(`${FOLDER}/${name}`)
      const base = Number(name.slice(0, 19))
      const options = logOptions(disk, FOLDER)
      const { log, report } = await openLog({ ...options, ...remembered, sameBoot: true })
      assert.deepEqual(
        await readTexts(log),
        ALL.filter((text) => Math.floor(Number(text.slice(0, 1)) / 3) * 3 !== base)
      )
      assert.deepEqual(report.lost, [{ from: base, to: Math.min(base + 3, 8) }])
      assert.deepEqual(report.missingSegments, base === 6 ? [] : [base])
      assert.equal(log.next, 8)
      log.close()
    })
  }

  it('treats a segment that vanishes while it is open as expired', async () => {
    const { disk, remembered } = await smallStore()
    const options = logOptions(disk, FOLDER)
    const { log } = await openLog({ ...options, ...remembered, sameBoot: true })
    disk.removeFile(`${FOLDER}/${SEGMENTS[1] ?? ''}`)
    assert.deepEqual(await readTexts(log), [...ALL.slice(0, 3), ...ALL.slice(6)])
    await readTexts(log)
    assert.equal(options.logger.at('WARN').length, 1)
    log.close()
  })

  it('reports a damaged record once, however often it is met', async () => {
    const { disk, remembered } = await smallStore()
    const path = `${FOLDER}/${SEGMENTS[0] ?? ''}`
    const bytes = disk.contentOf(path)
    bytes[HEADER_BYTES + RECORD_BYTES + 26] = 0
    disk.damage(path, bytes)
    const options = logOptions(disk, FOLDER)
    const { log } = await openLog({ ...options, ...remembered, sameBoot: true })
    for (let round = 0; round < 3; round++) await readTexts(log)
    assert.equal(options.logger.at('ERROR').length, 1)
    log.close()
  })

  it('reports a file that was cut between two records, with the numbers that are lost', async () => {
    const { disk, remembered } = await smallStore()
    const path = `${FOLDER}/${SEGMENTS[1] ?? ''}`
    for (const kept of [2, 1, 0]) {
      disk.damage(path, disk.contentOf(path).subarray(0, HEADER_BYTES + kept * RECORD_BYTES))
      const options = logOptions(disk, FOLDER)
      const { log } = await openLog({ ...options, ...remembered, sameBoot: true })
      for (const countMax of [1, 1_000]) {
        assert.deepEqual(await readTexts(log, 0, countMax), [...ALL.slice(0, 3 + kept), ...ALL.slice(6)])
      }
      const bytes = (3 - kept) * RECORD_BYTES
      assert.deepEqual(
        options.logger.at('ERROR').map(({ fields }) => fields),
        [{ segment: path, bytes, from: 3 + kept, to: 5 }]
      )
      log.close()
    }
  })

  it('reports nothing missing in a segment from which a recovery had left messages out', async () => {
    const { disk } = await smallStore()
    const path = `${FOLDER}/${SEGMENTS[1] ?? ''}`
    disk.damage(path, disk.contentOf(path).subarray(0, HEADER_BYTES + RECORD_BYTES))
    const options = logOptions(disk, FOLDER)
    const { log, report } = await openLog({ ...options, ...NOTHING, sameBoot: true })
    assert.deepEqual(report.lost, [{ from: 4, to: 6 }])
    await readTexts(log)
    assert.deepEqual(options.logger.at('ERROR'), [])
    log.close()
  })

  it('never takes the image of a record inside a payload for a record', async () => {
    const { disk } = await smallStore()
    const stolen = disk.contentOf(`${FOLDER}/${SEGMENTS[0] ?? ''}`)
    const image = stolen.subarray(HEADER_BYTES + RECORD_BYTES, HEADER_BYTES + 2 * RECORD_BYTES)
    const options = { ...logOptions(disk, '/streams/two'), streamId: 'another stream' }
    const log = await createLog(options)
    await log.append(records('a', Buffer.concat([Buffer.alloc(50), image, Buffer.alloc(50)]), 'c'))
    await log.sync()
    log.close()
    const path = '/streams/two/0000000000000000000.log'
    const bytes = disk.contentOf(path)
    const at = bytes.indexOf(image) - 60
    bytes[at] = (bytes[at] ?? 0) ^ 1
    disk.damage(path, bytes)
    const opened = await openLog({ ...options, summaries: new Map(), sameBoot: true })
    assert.deepEqual(await readTexts(opened.log), ['0:a', '2:c'])
    opened.log.close()
  })

  it('reads around a block that the disk cannot read', async () => {
    const disk = createFaultyDisk({ random: createSeededRandom(1) })
    const log = await createLog(logOptions(disk, FOLDER))
    await log.append(records(...Array.from({ length: 40 }, (_, index) => String(index).padEnd(1000, '.'))))
    disk.rule = ({ operation, position, bytes }) =>
      operation === 'read' && position < 12_288 && position + bytes > 8_192 ? { code: 'EIO' } : undefined
    const read = await log.read(0, 40, 100, 1e6)
    assert.ok(read.length >= 34 && read.length < 40)
    disk.rule = () => undefined
    assert.equal((await log.read(0, 40, 100, 1e6)).length, 40)
    log.close()
  })

  it('says so when nothing can be read at all', async () => {
    const { disk, remembered } = await smallStore()
    const { log } = await openLog({ ...logOptions(disk, FOLDER), ...remembered, sameBoot: true })
    disk.rule = failing({ operation: 'read' }, { code: 'EIO' })
    await assert.rejects(log.read(0, 8, 10, 1000), /EIO/)
    disk.rule = failing({ operation: 'open' }, { code: 'EMFILE' })
    await assert.rejects(log.read(3, 8, 10, 1000), /EMFILE/)
    disk.rule = () => undefined
    assert.deepEqual(await readTexts(log), ALL)
    log.close()
  })
})

function restore(disk: FaultyDisk, saved: readonly [string, Buffer][]): void {
  for (const path of disk.paths) disk.removeFile(path)
  for (const [path, bytes] of saved) disk.damage(path, bytes)
}
