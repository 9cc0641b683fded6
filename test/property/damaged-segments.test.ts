import assert from 'node:assert/strict'
import { it } from 'node:test'
import { createLog, openLog } from '../../component/store/index.ts'
import { createFaultyDisk } from '../helpers/faulty-disk.ts'
import { logOptions, readTexts, records } from '../helpers/log-helpers.ts'
import { createSeededRandom } from '../helpers/seeded-random.ts'

const FOLDER = '/streams/one'
const BLOCK_BYTES = 512
const MESSAGES = 60

it('blocks of zeros and of other files cost the records that they hit', async () => {
  const disk = createFaultyDisk({ random: createSeededRandom(1), delay: () => Promise.resolve() })
  const log = await createLog(logOptions(disk, FOLDER, { rollBytes: 8_192 }))
  for (let number = 0; number < MESSAGES; number += 1) {
    await log.append(records(`${number}.`.padEnd(200, 'x')))
    if (number === MESSAGES / 2 - 1) await log.roll()
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
  const foreign = [Buffer.alloc(BLOCK_BYTES), other.subarray(BLOCK_BYTES, 2 * BLOCK_BYTES)]
  let earlier = disk
  for (let start = 0; start + BLOCK_BYTES <= one.length; start += BLOCK_BYTES) {
    for (const block of foreign) {
      const damaged = Buffer.from(one)
      block.copy(damaged, start)
      earlier = earlier.kill()
      earlier.damage(first, damaged)
      earlier.damage(second, other)
      const { log: opened } = await openLog({ ...logOptions(earlier, FOLDER), ...remembered, sameBoot: true })
      const found = await readTexts(opened)
      const lost = expected.filter((text) => !found.includes(text))
      assert.deepEqual(
        found,
        expected.filter((text) => !lost.includes(text)),
        'nothing else comes out'
      )
      // A block of 512 bytes touches at most four records of 224 bytes; the first one holds the header as well.
      assert.ok(
        lost.length <= 4,
        `block ${foreign.indexOf(block)} at ${start} cost ${lost.map((text) => text.slice(0, 5)).join(' ')}; ${opened.oldest}`
      )
      opened.close()
    }
  }
})
