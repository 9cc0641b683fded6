import assert from 'node:assert/strict'
import { Fault } from '../../../component/base/fault.ts'
import { createLog, openLog, type LogState, type SegmentSummary } from '../../../component/store/index.ts'
import { createFaultyDisk } from '../../helpers/faulty-disk.ts'
import { logOptions, readAll, records } from '../../helpers/log-helpers.ts'
import { createSeededRandom } from '../../helpers/seeded-random.ts'
import { below, mutate } from '../mutate.ts'
import type { FuzzTarget } from '../target.ts'

const FOLDER = '/streams/one'
const TEXTS = Array.from({ length: 24 }, (_, number) => `${number}.`.repeat(1 + ((number * 7) % 30)))

interface Sample {
  readonly files: readonly (readonly [name: string, bytes: Buffer])[]
  readonly state: LogState
  readonly summaries: ReadonlyMap<number, SegmentSummary>
}

let sample: Promise<Sample> | undefined

/** A log of several segments; what is damaged are copies of it. */
async function makeSample(): Promise<Sample> {
  const disk = createFaultyDisk({ random: createSeededRandom(1), delay: () => Promise.resolve() })
  const log = await createLog(logOptions(disk, FOLDER))
  for (const [number, text] of TEXTS.entries()) {
    await log.append(records(text))
    if (number % 8 === 7) await log.roll()
  }
  await log.sync()
  const { state } = log
  const summaries = new Map(log.sealed.map((summary) => [summary.base, summary]))
  log.close()
  return { files: disk.paths.map((path) => [path, disk.contentOf(path)]), state, summaries }
}

/**
 * An input: which file (1 byte), what the catalogue knows (bit 0) and whether the boot is the same (bit 1), and the bytes
 * that stand in the file now.
 */
const file = (input: Buffer, count: number): number => (input[0] ?? 0) % count

async function open(input: Buffer, { files, state, summaries }: Sample): Promise<void> {
  const disk = createFaultyDisk({ random: createSeededRandom(1), delay: () => Promise.resolve() })
  disk.makeFolder(FOLDER)
  const damaged = file(input, files.length)
  for (const [index, [path, bytes]] of files.entries()) disk.damage(path, index === damaged ? input.subarray(2) : bytes)
  const choice = input[1] ?? 0
  const known = choice % 2 === 1 ? { state, summaries } : { summaries: new Map<number, SegmentSummary>() }
  const { log } = await openLog({ ...logOptions(disk, FOLDER), ...known, sameBoot: choice % 4 >= 2 })
  const found = await readAll(log)
  for (const { sequenceNumber, payload } of found) {
    assert.equal(payload.toString(), TEXTS[sequenceNumber], `message ${sequenceNumber}`)
  }
  const { next } = log
  assert.ok(next >= TEXTS.length || choice % 2 === 0, 'no number that the catalogue knows is given again')
  assert.ok(found.length === 0 || next > found.at(-1)!.sequenceNumber)
  await log.append(records('new'))
  await log.sync()
  assert.equal((await readAll(log)).at(-1)?.payload.toString(), 'new')
  log.close()
  assert.equal(disk.openFiles, 0)
}

/** The recovery and the reader of a log with changed bytes in one of its segments. */
export const segments: FuzzTarget = {
  name: 'segments',
  inputCount: 1_500,
  generate(random) {
    const number = below(random, 256)
    const choice = below(random, 256)
    const bytes = SAMPLE_BYTES[number % SAMPLE_BYTES.length]!
    const tokens = [Buffer.alloc(4), Buffer.alloc(64), Buffer.alloc(512), ...SAMPLE_BYTES]
    return Buffer.concat([Buffer.from([number, choice]), mutate(random, bytes, { others: SAMPLE_BYTES, tokens })])
  },
  async run(input) {
    try {
      await open(input, await (sample ??= makeSample()))
    } catch (error) {
      // Other formats are refused, nothing else.
      if (!(error instanceof Fault) || !/format/.test(error.message)) throw error
    }
  }
}

const SAMPLE_BYTES = (await (sample ??= makeSample())).files.map(([, bytes]) => bytes)
