import assert from 'node:assert/strict'
import { it } from 'node:test'
import { createLog, openLog } from '../../component/store/index.ts'
import { createFaultyDisk } from '../helpers/faulty-disk.ts'
import { logOptions, readTexts, records } from '../helpers/log-helpers.ts'
import { createSeededRandom } from '../helpers/seeded-random.ts'

const FOLDER = '/streams/one'
const PAYLOAD_BYTES = 200
const RECORD_BYTES = 24 + PAYLOAD_BYTES
const BLOCKS_PER_SEGMENT = 13

async function damageWithBlocksOf(blockBytes: number): Promise<void> {
  const disk = createFaultyDisk({ random: createSeededRandom(1), delay: () => Promise.resolve() })
  const segmentBytes = BLOCKS_PER_SEGMENT * blockBytes
  const log = await createLog(logOptions(disk, FOLDER, { rollBytes: 2 * segmentBytes }))
  const messages = 2 * Math.floor(segmentBytes / RECORD_BYTES)
  for (let number = 0; number < messages; number += 1) {
    await log.append(records(`${number}.`.padEnd(PAYLOAD_BYTES, 'x')))
    if (number === messages / 2 - 1) await log.roll()
  }
  await log.sync()
  const expected = await readTexts(log)
  const remembered = {
    state: log.state,
    summaries: new Map(log.sealed.map((summary) => [summary.base, summary] as const))
  }
  log.close()
  const [first = '', second = ''] = disk.paths
  const [one, other] = [disk.contentOf(first), disk.contentOf(second)]
  const middle = blockBytes * Math.floor(BLOCKS_PER_SEGMENT / 2)
  const foreign = [
    Buffer.alloc(blockBytes),
    other.subarray(blockBytes, 2 * blockBytes),
    one.subarray(middle, middle + blockBytes),
    one.subarray(-blockBytes)
  ]
  // The first block holds the header as well.
  const lostMax = Math.ceil(blockBytes / RECORD_BYTES) + 1
  let earlier = disk
  for (let start = 0; start + blockBytes <= one.length; start += blockBytes) {
    for (const block of foreign) {
      const damaged = Buffer.from(one)
      block.copy(damaged, start)
      earlier = earlier.kill()
      earlier.damage(first, damaged)
      earlier.damage(second, other)
      for (const known of [remembered, { summaries: new Map() }]) {
        const { log: opened } = await openLog({ ...logOptions(earlier, FOLDER), ...known, sameBoot: true })
        const found = await readTexts(opened)
        const lost = expected.filter((text) => !found.includes(text))
        assert.deepEqual(
          found,
          expected.filter((text) => !lost.includes(text)),
          'nothing else comes out'
        )
        assert.ok(
          lost.length <= lostMax,
          `block ${foreign.indexOf(block)} at ${start} cost ${lost.map((text) => text.slice(0, 5)).join(' ')}`
        )
        opened.close()
      }
    }
  }
}

it('blocks of zeros, of other files and of other places cost the records that they hit', async () => {
  for (const blockBytes of [512, 4_096]) await damageWithBlocksOf(blockBytes)
})
