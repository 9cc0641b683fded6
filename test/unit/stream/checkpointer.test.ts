import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CHECKPOINT_INTERVAL_MS } from '../../../component/base/limits.ts'
import { createCheckpointer } from '../../../component/stream/checkpointer.ts'
import { createFakeCatalogue } from '../../helpers/fake-catalogue.ts'
import { createFakeClock, flush } from '../../helpers/fake-clock.ts'
import { createPromiseGate } from '../../helpers/promise-gate.ts'
import { createRecordingLog } from '../../helpers/recording-log.ts'
import { createScriptedLog, type ScriptedLog } from '../../helpers/scripted-log.ts'

const ID = '00000000000000aa'

function scene() {
  const clock = createFakeClock()
  const catalogue = createFakeCatalogue()
  const logger = createRecordingLog()
  const log = createScriptedLog()
  const checkpointer = createCheckpointer({ catalogue, clock, logger })
  return {
    clock,
    catalogue,
    logger,
    log,
    checkpointer,
    keys: () => [...catalogue.durable.keys()].sort(),
    async write(count: number) {
      await writeSegments(log, count)
      checkpointer.logChanged(ID, log)
    }
  }
}

/** Segments of one message each, sealed and durable. */
async function writeSegments(log: ScriptedLog, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    void log.append([{ payload: Buffer.from('x'), ingestTimeMs: 1 }])
    void log.roll()
  }
  await log.sync()
}

test('states and sealed segments are written a second after the first change, in one commit', async () => {
  const { clock, catalogue, checkpointer, write, keys } = scene()
  await write(2)
  await clock.advanceAsync(CHECKPOINT_INTERVAL_MS - 1)
  checkpointer.put(`export/${ID}/k`, Buffer.from('progress'))
  assert.equal(catalogue.commits.length, 0)
  await clock.advanceAsync(1)
  assert.equal(catalogue.commits.length, 1)
  assert.deepEqual(keys(), [`export/${ID}/k`, `segment/${ID}/0`, `segment/${ID}/1`, `state/${ID}`])
  assert.equal(clock.pendingTimers, 0)
})

test('a segment is written once, and only when it is durable', async () => {
  const { catalogue, log, checkpointer, write } = scene()
  await write(1)
  void log.append([{ payload: Buffer.from('y'), ingestTimeMs: 1 }])
  void log.roll()
  await checkpointer.flush()
  assert.deepEqual(catalogue.commits[0], [`state/${ID}=`, `segment/${ID}/0=`])
  await log.sync()
  checkpointer.logChanged(ID, log)
  await checkpointer.flush()
  assert.deepEqual(catalogue.commits[1], [`state/${ID}=`, `segment/${ID}/1=`])
})

test('what recovery found in the catalogue is not written again', async () => {
  const { catalogue, log, checkpointer } = scene()
  await writeSegments(log, 3)
  checkpointer.segmentsKnown(ID, [1, 0])
  checkpointer.logChanged(ID, log)
  await checkpointer.flush()
  assert.deepEqual(catalogue.commits[0], [`state/${ID}=`, `segment/${ID}/2=`])
})

test('files of dropped segments go once the catalogue knows, with their records', async () => {
  const { catalogue, log, checkpointer, write, keys } = scene()
  await write(4)
  await checkpointer.flush()
  log.dropOldestSegment()
  log.dropOldestSegment()
  checkpointer.logChanged(ID, log)
  const commit = createPromiseGate()
  catalogue.delay = () => commit.promise
  const flushed = checkpointer.flush()
  await flush()
  // Dropped during the commit: the catalogue will know of it only after the next one.
  log.dropOldestSegment()
  assert.equal(log.dropped.length, 3)
  commit.open()
  await flushed
  assert.deepEqual(
    log.dropped.map(({ base }) => base),
    [2]
  )
  assert.deepEqual(keys(), [`segment/${ID}/2`, `segment/${ID}/3`, `state/${ID}`])
})

test('records of segments that were sealed and dropped within one second do not stay behind', async () => {
  const { log, checkpointer, write, keys } = scene()
  await write(5)
  await checkpointer.flush()
  for (let dropped = 0; dropped < 3; dropped += 1) log.dropOldestSegment()
  checkpointer.logChanged(ID, log)
  await checkpointer.flush()
  assert.deepEqual(keys(), [`segment/${ID}/3`, `segment/${ID}/4`, `state/${ID}`])
})

test('a commit that fails keeps the files, is said once, and is tried again', async () => {
  const { clock, catalogue, log, logger, checkpointer, write } = scene()
  await write(2)
  await checkpointer.flush()
  log.dropOldestSegment()
  checkpointer.logChanged(ID, log)
  catalogue.fails = () => true
  await assert.rejects(checkpointer.flush(), /broken/)
  await clock.advanceAsync(3 * CHECKPOINT_INTERVAL_MS)
  assert.equal(log.dropped.length, 1)
  assert.equal(logger.at('ERROR').length, 1)
  catalogue.fails = () => false
  await clock.advanceAsync(CHECKPOINT_INTERVAL_MS)
  assert.equal(log.dropped.length, 0)
})

test('nothing of a deleted stream is written, not even when it was deleted during a commit', async () => {
  const { clock, catalogue, log, checkpointer, write } = scene()
  await write(2)
  checkpointer.put(`export/${ID}/k`, Buffer.from('progress'))
  checkpointer.put('export/other/k', Buffer.from('progress'))
  checkpointer.forget(ID)
  await clock.advanceAsync(CHECKPOINT_INTERVAL_MS)
  assert.deepEqual(catalogue.commits, [['export/other/k=']])

  log.dropOldestSegment()
  for (const fails of [false, true]) {
    checkpointer.logChanged(ID, log)
    const commit = createPromiseGate()
    catalogue.delay = () => commit.promise
    catalogue.fails = () => fails
    const flushed = checkpointer.flush()
    checkpointer.forget(ID)
    commit.open()
    await flushed.catch(() => undefined)
  }
  catalogue.fails = () => false
  const before = catalogue.commits.length
  await clock.advanceAsync(10 * CHECKPOINT_INTERVAL_MS)
  assert.equal(catalogue.commits.length, before)
  assert.equal(log.dropped.length, 1)
})

test('stopping writes what is left and leaves no timer', async () => {
  const { clock, catalogue, checkpointer, write, keys } = scene()
  await write(1)
  await checkpointer.stop()
  assert.deepEqual(keys(), [`segment/${ID}/0`, `state/${ID}`])
  assert.equal(clock.pendingTimers, 0)
  checkpointer.put('late', Buffer.from('x'))
  catalogue.fails = () => true
  await checkpointer.stop()
  assert.equal(clock.pendingTimers, 0)
})
