import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KIB, MIB } from '../../../component/base/limits.ts'
import { nextTurn, SLICE_BYTES, WHOLE_ANSWER_BYTES_MAX } from '../../../component/base/turn.ts'
import { BatchWriter } from '../../../component/export/batch-writer.ts'
import { UNPOOLED } from '../../../component/export/message-batch.ts'
import { createLog } from '../../../component/store/index.ts'
import { createFaultyDisk } from '../../helpers/faulty-disk.ts'
import { logOptions, records } from '../../helpers/log-helpers.ts'
import { createSeededRandom } from '../../helpers/seeded-random.ts'

const COUNT = 4_000

/** Reads so many messages of 1 KiB; returns how many turns of the event loop that took. */
async function turnsOfRead(count: number, wholeBytes?: number): Promise<number> {
  const disk = createFaultyDisk({ random: createSeededRandom(1) })
  const log = await createLog({ ...logOptions(disk, '/stream'), rollBytes: 64 * MIB })
  const payloads = Array.from({ length: COUNT }, (_, index) => Buffer.alloc(KIB, index))
  for (let next = 0; next < COUNT; next += 500) await log.append(records(...payloads.slice(next, next + 500)))
  const writer = new BatchWriter(UNPOOLED, count, count * KIB)
  const reading = log.readInto(writer, 0, log.next, count, Infinity, wholeBytes)
  let isOver = false
  void reading.then(() => (isOver = true))
  let turns = 0
  const hasEnded = (): boolean => isOver
  for (; !hasEnded(); turns += 1) await nextTurn()
  await reading
  const messages = writer.finish().messages()
  assert.deepEqual(
    messages.map(({ sequenceNumber }) => sequenceNumber),
    Array.from({ length: count }, (_, index) => index)
  )
  assert.ok(messages.every(({ payload }, index) => payload.equals(payloads[index]!)))
  return turns
}

test('a read of many messages lets others have their turn after each slice of it', async () => {
  const turns = await turnsOfRead(COUNT)
  assert.ok(turns >= (COUNT * KIB - WHOLE_ANSWER_BYTES_MAX) / SLICE_BYTES, `${turns} turns`)
})

test('a read of few messages is over in the turn in which they are there', async () => {
  assert.ok((await turnsOfRead(1_000)) <= 3)
})

test('a reader who can wait lets others have their turn from the first slice on', async () => {
  const turns = await turnsOfRead(1_000, SLICE_BYTES)
  assert.ok(turns >= (1_000 * KIB) / SLICE_BYTES - 1, `${turns} turns`)
})
