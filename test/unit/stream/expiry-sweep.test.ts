import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '../../../component/base/fault.ts'
import { createExpirySweep } from '../../../component/stream/expiry-sweep.ts'
import { createFakeClock, flush } from '../../helpers/fake-clock.ts'
import { createRecordingLog } from '../../helpers/recording-log.ts'
import { createScriptedLog } from '../../helpers/scripted-log.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

function scene(timeToLiveMs: number | undefined) {
  const clock = createFakeClock()
  const log = createScriptedLog()
  const logger = createRecordingLog()
  let ttl = timeToLiveMs
  let changes = 0
  const announced: string[] = []
  const sweep = createExpirySweep({
    log,
    clock,
    logger,
    streamName: 's',
    timeToLiveMs: () => ttl,
    async expiring(before) {
      await Promise.resolve()
      announced.push(`${log.oldest} to ${before}`)
    },
    exclusively: async (action) => action(),
    changed: () => void (changes += 1)
  })
  return {
    clock,
    log,
    logger,
    sweep,
    changes: () => changes,
    announced,
    setTimeToLive: (ms: number | undefined) => (ttl = ms),
    /** Appends a message now. */
    write(name: string) {
      void log.append([{ payload: Buffer.from(name), ingestTimeMs: clock.wallMs() }])
    },
    seal: () => void log.roll()
  }
}

test('segments go whole, once the newest message in them has expired', async () => {
  const { clock, log, sweep, write, seal, changes } = scene(100_000)
  write('a')
  await clock.advanceAsync(30_000)
  write('b')
  seal()
  write('c')
  sweep.restart()
  await clock.advanceAsync(70_000)
  // a has expired, b has not.
  assert.equal(log.oldest, 0)
  await clock.advanceAsync(29_999)
  assert.equal(log.oldest, 0)
  await clock.advanceAsync(10_001)
  assert.equal(log.oldest, log.next)
  assert.equal(changes(), 2)
})

test('the active segment is sealed to expire, and keeps the numbers going (behaviour 4.4)', async () => {
  const { clock, log, sweep, write } = scene(60_000)
  write('a')
  write('b')
  sweep.restart()
  await clock.advanceAsync(120_000)
  assert.deepEqual([log.oldest, log.next, log.totalBytes], [2, 2, 0])
  assert.equal(log.calls.filter((call) => call === 'roll').length, 1)
})

test('expired segments make room even when the disk has none for a new one', async () => {
  const { clock, log, logger, sweep, write, seal } = scene(60_000)
  write('a')
  seal()
  write('b')
  log.onRoll = () => Promise.reject(new Fault('no space left on the device'))
  sweep.restart()
  await clock.advanceAsync(120_000)
  assert.equal(log.oldest, 1)
  assert.ok(logger.at('WARN').length > 0)
  log.onRoll = () => undefined
  await clock.advanceAsync(60_000)
  assert.equal(log.oldest, 2)
})

test('sweeps come every tenth of the time to live, but not more often than every 5 s nor less than every minute', async () => {
  for (const [timeToLiveMs, periodMs] of [
    [60_000, 6_000],
    [1_000, 5_000],
    [30 * DAY_MS, 60_000],
    [9_223_372_036_854, 60_000]
  ] as const) {
    const { clock, sweep } = scene(timeToLiveMs)
    sweep.restart()
    await clock.advanceAsync(0)
    assert.equal(clock.nextTimerMs, periodMs)
    sweep.stop()
  }
})

test('a time to live of years expires after years (reliability CK3)', async () => {
  const { clock, log, sweep, write } = scene(400 * DAY_MS)
  write('a')
  clock.advance(399 * DAY_MS)
  sweep.restart()
  await clock.advanceAsync(0)
  assert.equal(log.oldest, 0)
  sweep.stop()
  const later = scene(400 * DAY_MS)
  later.write('a')
  later.clock.advance(400 * DAY_MS)
  later.sweep.restart()
  await later.clock.advanceAsync(0)
  assert.equal(later.log.oldest, 1)
})

test('a clock that jumps forward by years expires nothing for an hour (reliability CK1)', async () => {
  const { clock, log, logger, sweep, write } = scene(HOUR_MS)
  write('a')
  sweep.restart()
  await clock.advanceAsync(60_000)
  clock.jumpWall(365 * DAY_MS)
  await clock.advanceAsync(HOUR_MS - 1)
  assert.equal(log.oldest, 0)
  assert.equal(logger.at('WARN').length, 1)
  await clock.advanceAsync(60_001)
  assert.equal(log.oldest, 1)
})

test('an update of the stream does not end the rest after a jump', async () => {
  const { clock, log, sweep, write } = scene(HOUR_MS)
  write('a')
  sweep.restart()
  await clock.advanceAsync(60_000)
  clock.jumpWall(DAY_MS)
  await clock.advanceAsync(60_000)
  sweep.restart()
  await clock.advanceAsync(HOUR_MS - 60_001)
  assert.equal(log.oldest, 0)
  await clock.advanceAsync(60_001)
  assert.equal(log.oldest, 1)
})

test('a clock behind the stored messages expires nothing, also when the active segment is empty', async () => {
  const { clock, log, logger, sweep, write, seal } = scene(60_000)
  write('a')
  seal()
  clock.jumpWall(-DAY_MS)
  sweep.restart()
  await clock.advanceAsync(0)
  assert.equal(log.oldest, 0)
  assert.equal(logger.at('WARN').length, 1)
  assert.equal(clock.nextTimerMs, HOUR_MS)
})

test('a shorter time to live holds at once, none at all ends the sweeps', async () => {
  const { clock, log, sweep, write, setTimeToLive } = scene(DAY_MS)
  write('a')
  sweep.restart()
  await clock.advanceAsync(120_000)
  assert.equal(log.oldest, 0)
  setTimeToLive(60_000)
  sweep.restart()
  await clock.advanceAsync(0)
  assert.equal(log.oldest, 1)
  setTimeToLive(undefined)
  sweep.restart()
  assert.equal(clock.pendingTimers, 0)
})

test('stopping ends a sweep under way', async () => {
  const { clock, sweep } = scene(60_000)
  sweep.restart()
  clock.advance(0)
  sweep.stop()
  await flush()
  assert.equal(clock.pendingTimers, 0)
})

test('those who wait for messages hear of their end before they are dropped', async () => {
  const { clock, log, sweep, write, seal, announced } = scene(60_000)
  write('a')
  seal()
  write('b')
  write('c')
  seal()
  await clock.advanceAsync(10_000)
  write('d')
  sweep.restart()
  await clock.advanceAsync(55_000)
  assert.deepEqual([announced, log.oldest], [['0 to 3'], 3])
  await clock.advanceAsync(30_000)
  assert.deepEqual([announced, log.oldest], [['0 to 3', '3 to 4'], 4])
})
