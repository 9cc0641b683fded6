import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createLog, type StreamLog } from '../../../component/store/index.ts'
import { READ_WINDOW_BYTES, READ_WINDOWS_MAX, ReadWindows } from '../../../component/store/read-windows.ts'
import { segmentOfSummary, type Segment } from '../../../component/store/segment.ts'
import { createFaultyDisk } from '../../helpers/faulty-disk.ts'
import { logOptions, records } from '../../helpers/log-helpers.ts'
import { createSeededRandom } from '../../helpers/seeded-random.ts'

const COUNT = 4_000
const textOf = (sequenceNumber: number): string => `${sequenceNumber}`.padEnd(200, 'x')

interface Scene {
  readonly log: StreamLog
  /** Reads of the disk since the last look. */
  reads(): number
  /** Reads that begin at or behind this offset fail; undefined: none. */
  failFrom(position: number | undefined): void
}

/** A log whose messages lie in one sealed segment. */
async function openScene(): Promise<Scene> {
  const disk = createFaultyDisk({ random: createSeededRandom(1) })
  const log = await createLog({ ...logOptions(disk, '/stream'), rollBytes: 10_000_000 })
  for (let next = 0; next < COUNT; next += 100) {
    await log.append(records(...Array.from({ length: 100 }, (_, index) => textOf(next + index))))
  }
  await log.sync()
  await log.roll()
  let reads = 0
  let failing: number | undefined
  disk.rule = ({ operation, position, bytes }) => {
    if (operation !== 'read') return undefined
    reads += 1
    return failing !== undefined && position + bytes > failing ? { code: 'EIO' } : undefined
  }
  return {
    log,
    reads() {
      const before = reads
      reads = 0
      return before
    },
    failFrom: (position) => (failing = position)
  }
}

async function readOne(log: StreamLog, from: number, countMax = 1): Promise<void> {
  const messages = await log.read(from, log.next, countMax, 1_000_000, Buffer.alloc(64 * 1024))
  assert.deepEqual(
    messages.map(({ sequenceNumber, payload }) => [sequenceNumber, payload.toString()]),
    Array.from({ length: Math.min(countMax, COUNT - from) }, (_, index) => [from + index, textOf(from + index)])
  )
}

describe('a reader that takes few messages at a time', () => {
  it('makes the disk be read a window at a time', async () => {
    const { log, reads } = await openScene()
    for (let from = 0; from < COUNT; from += 1) await readOne(log, from)
    assert.ok(reads() < (COUNT * 250) / READ_WINDOW_BYTES + 4)
  })

  it('may ask for the next ones before it has an answer', async () => {
    const { log, reads } = await openScene()
    for (let from = 0; from < COUNT; from += 8) {
      await Promise.all(Array.from({ length: 4 }, (_, index) => readOne(log, from + index * 2, 2)))
    }
    assert.ok(reads() < (4 * COUNT * 250) / READ_WINDOW_BYTES + 8)
  })

  it('begins anywhere with a read of what it wants', async () => {
    const { log } = await openScene()
    for (const from of [0, 3_999, 17, 2_000, 1_999, 3_000]) await readOne(log, from)
  })

  it('gets the right messages when there are more readers than windows', async () => {
    const { log } = await openScene()
    for (let step = 0; step < 20; step += 1) {
      for (let reader = 0; reader < 2 * READ_WINDOWS_MAX; reader += 1) await readOne(log, reader * 100 + step, 1)
    }
  })

  it('gets what the disk refused to read once it can be read', async () => {
    const { log, failFrom } = await openScene()
    await readOne(log, 0)
    failFrom(20_000)
    for (let from = 1; from < 10; from += 1) await readOne(log, from)
    failFrom(undefined)
    for (let from = 10; from < 500; from += 1) await readOne(log, from)
  })
})

describe('the windows', () => {
  const segment = (base: number): Segment => segmentOfSummary({ base, next: base + 1, bytes: 100, lastIngestMs: 0 })
  const bytes = Buffer.alloc(50)

  it('are found by any of their bytes', () => {
    const windows = new ReadWindows()
    const one = segment(0)
    windows.keep(one, { start: 100, bytes })
    assert.deepEqual(
      [99, 100, 149, 150].map((offset) => windows.find(one, offset)?.start),
      [undefined, 100, 100, undefined]
    )
    assert.equal(windows.find(segment(0), 100), undefined)
  })

  it('are worth nothing once their file was cut, or is forgotten', () => {
    const windows = new ReadWindows()
    const [cut, gone] = [segment(0), segment(1)]
    for (const one of [cut, gone]) windows.keep(one, { start: 0, bytes })
    cut.cuts += 1
    windows.forget(gone)
    assert.deepEqual([windows.find(cut, 0), windows.find(gone, 0)], [undefined, undefined])
  })

  it('are bounded; the one used longest ago goes first', () => {
    const windows = new ReadWindows()
    const segments = Array.from({ length: READ_WINDOWS_MAX + 1 }, (_, index) => segment(index))
    for (const one of segments.slice(0, -1)) windows.keep(one, { start: 0, bytes })
    assert.notEqual(windows.find(segments[0]!, 0), undefined)
    windows.keep(segments.at(-1)!, { start: 0, bytes })
    assert.deepEqual(
      segments.map((one) => windows.find(one, 0) !== undefined),
      segments.map((_, index) => index !== 1)
    )
  })
})
