import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '../../../component/base/fault.ts'
import { BACKGROUND_SYNC_INTERVAL_MS } from '../../../component/base/limits.ts'
import { FAILURES } from '../../../component/model/failure.ts'
import { createSyncLoop } from '../../../component/stream/sync-loop.ts'
import { createFakeClock, flush } from '../../helpers/fake-clock.ts'
import { createPromiseGate, type PromiseGate } from '../../helpers/promise-gate.ts'
import { createRecordingLog } from '../../helpers/recording-log.ts'
import { createScriptedLog } from '../../helpers/scripted-log.ts'

const FAULT = new Fault('cannot sync: EIO')

/** A loop whose syncs end when the test says so. */
function scene() {
  const clock = createFakeClock()
  const log = createScriptedLog()
  const logger = createRecordingLog()
  const syncs: PromiseGate[] = []
  const answers: string[] = []
  let rises = 0
  log.onSync = () => {
    const gate = createPromiseGate()
    syncs.push(gate)
    return gate.promise
  }
  const loop = createSyncLoop({ log, clock, logger, streamName: 's', durable: () => void (rises += 1) })
  return {
    clock,
    log,
    logger,
    loop,
    syncs,
    answers,
    rises: () => rises,
    write(name: string) {
      void log.append([{ payload: Buffer.from(name), ingestTimeMs: 1 }])
      loop.written()
    },
    writeAndWait(name: string) {
      void log.append([{ payload: Buffer.from(name), ingestTimeMs: 1 }])
      loop.written()
      loop.whenDurable((failure) => answers.push(failure === undefined ? name : `${name}: ${failure.message}`))
    },
    async end(index: number, fault?: Fault) {
      if (fault === undefined) syncs[index]!.open()
      else syncs[index]!.fail(fault)
      await flush()
    }
  }
}

test('an append is acknowledged by a sync that began after its write, which later ones share', async () => {
  const { writeAndWait, end, syncs, answers } = scene()
  writeAndWait('a')
  writeAndWait('b')
  writeAndWait('c')
  assert.equal(syncs.length, 1)
  await end(0)
  // The first sync began when only a had been written.
  assert.deepEqual(answers, ['a'])
  assert.equal(syncs.length, 2)
  await end(1)
  assert.deepEqual(answers, ['a', 'b', 'c'])
  assert.equal(syncs.length, 2)
})

test('what nobody waits for is synced within a second, once', async () => {
  const { write, end, syncs, clock, rises } = scene()
  write('a')
  await clock.advanceAsync(400)
  write('b')
  await clock.advanceAsync(BACKGROUND_SYNC_INTERVAL_MS - 401)
  assert.equal(syncs.length, 0)
  await clock.advanceAsync(1)
  assert.equal(syncs.length, 1)
  await end(0)
  assert.equal(rises(), 1)
  assert.equal(clock.pendingTimers, 0)
})

test('what is written during a background sync has its own second', async () => {
  const { write, end, syncs, clock } = scene()
  write('a')
  await clock.advanceAsync(BACKGROUND_SYNC_INTERVAL_MS)
  write('b')
  assert.equal(clock.pendingTimers, 0)
  await end(0)
  assert.equal(clock.nextTimerMs, BACKGROUND_SYNC_INTERVAL_MS)
  await clock.advanceAsync(BACKGROUND_SYNC_INTERVAL_MS)
  assert.equal(syncs.length, 2)
})

test('a failed sync acknowledges nobody and is tried again, ever more slowly', async () => {
  const { writeAndWait, end, syncs, answers, clock, logger } = scene()
  writeAndWait('a')
  const delays: (number | undefined)[] = []
  for (let attempt = 0; attempt < 7; attempt += 1) {
    await end(attempt, FAULT)
    delays.push(clock.nextTimerMs)
    // More messages do not hasten it.
    writeAndWait(`more ${attempt}`)
    assert.equal(syncs.length, attempt + 1)
    await clock.advanceAsync(clock.nextTimerMs ?? 0)
  }
  assert.deepEqual(delays, [500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000])
  assert.deepEqual(answers, [])
  await end(7)
  assert.equal(answers.length, 8)
  assert.equal(answers[0], 'a')
  assert.equal(logger.at('ERROR').length, 1)
  assert.equal(logger.at('INFO').length, 1)
})

test('stopping syncs what is left and answers those who wait', async () => {
  const { write, writeAndWait, end, loop, answers, clock } = scene()
  writeAndWait('a')
  write('b')
  const stopped = loop.stop(FAILURES.streamMissing)
  await end(0)
  await end(1)
  await stopped
  assert.deepEqual(answers, ['a'])
  assert.equal(clock.pendingTimers, 0)
})

test('stopping while the disk fails tries once more and refuses those who wait', async () => {
  const { writeAndWait, end, loop, syncs, answers, clock } = scene()
  writeAndWait('a')
  await end(0, FAULT)
  const stopped = loop.stop(FAILURES.streamMissing)
  await flush()
  await end(1, FAULT)
  await stopped
  assert.deepEqual(answers, [`a: ${FAILURES.streamMissing.message}`])
  assert.equal(clock.pendingTimers, 0)
  await clock.advanceAsync(60_000)
  assert.equal(syncs.length, 2)
})

test('a deleted stream refuses all who wait, and its log is left alone', async () => {
  const { writeAndWait, end, loop, syncs, answers, clock, rises } = scene()
  writeAndWait('a')
  writeAndWait('b')
  loop.drop(FAILURES.streamMissing)
  const missing = FAILURES.streamMissing.message
  assert.deepEqual(answers, [`b: ${missing}`])
  await end(0, FAULT)
  assert.deepEqual(answers, [`b: ${missing}`, `a: ${missing}`])
  loop.whenDurable((failure) => answers.push(String(failure?.message)))
  assert.equal(answers.at(-1), missing)
  await clock.advanceAsync(60_000)
  assert.deepEqual([syncs.length, rises(), clock.pendingTimers], [1, 0, 0])
})

test('a sync that ends well after the stream was deleted still tells the truth', async () => {
  const { writeAndWait, end, loop, answers, rises } = scene()
  writeAndWait('a')
  loop.drop(FAILURES.streamMissing)
  await end(0)
  assert.deepEqual(answers, ['a'])
  assert.equal(rises(), 0)
})

test('clients that append again as soon as they are answered all share each sync', async () => {
  const { clock, writeAndWait, end, syncs, answers } = scene()
  writeAndWait('a1')
  for (const name of ['b1', 'c1']) writeAndWait(name)
  await clock.advanceAsync(8)
  await end(0)
  assert.deepEqual(answers, ['a1'])
  // The second sync waits for the client that has just been answered.
  assert.equal(syncs.length, 1)
  writeAndWait('a2')
  await flush()
  assert.equal(syncs.length, 2)
  await clock.advanceAsync(8)
  await end(1)
  assert.deepEqual(answers, ['a1', 'b1', 'c1', 'a2'])
  for (const name of ['a3', 'b2']) writeAndWait(name)
  await flush()
  assert.equal(syncs.length, 2)
  writeAndWait('c2')
  await flush()
  assert.equal(syncs.length, 3)
})
