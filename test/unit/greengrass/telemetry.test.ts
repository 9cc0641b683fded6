import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MetricIncrement, MetricsOutcome, Nucleus } from '../../../component/greengrass/nucleus.ts'
import { startTelemetry } from '../../../component/greengrass/telemetry.ts'
import { createFakeClock, flush } from '../../helpers/fake-clock.ts'
import { createRecordingLog } from '../../helpers/recording-log.ts'

const MINUTE_MS = 60_000
const ADDED: MetricsOutcome = { kind: 'added' }
const REFUSED: MetricsOutcome = { kind: 'refused', reason: 'ServiceError' }

function createScene() {
  const clock = createFakeClock()
  const log = createRecordingLog()
  const reports: (readonly MetricIncrement[])[] = []
  const scene = {
    clock,
    log,
    reports,
    counters: { BytesAppended: 0, BytesUploadedToS3: 0 },
    /** What the nucleus makes of a report; undefined: it never answers. */
    outcome: ADDED as MetricsOutcome | undefined,
    answer: (): void => undefined
  }
  const nucleus: Nucleus = {
    publishPort: () => Promise.resolve(),
    reportRunning: () => Promise.resolve(),
    validateToken: () => Promise.resolve(false),
    putMetrics(increments) {
      reports.push(increments)
      const { outcome } = scene
      if (outcome !== undefined) return Promise.resolve(outcome)
      return new Promise((resolve) => (scene.answer = () => resolve(ADDED)))
    },
    followToken: () => undefined,
    close: () => undefined
  }
  const telemetry = startTelemetry({ nucleus, counters: () => ({ ...scene.counters }), clock, log })
  return Object.assign(scene, { telemetry })
}

test('every minute the nucleus is told by how much the counters have grown', async () => {
  const scene = createScene()
  const { clock, reports, counters } = scene
  counters.BytesAppended = 10
  await clock.advanceAsync(MINUTE_MS - 1)
  assert.deepEqual(reports, [])
  await clock.advanceAsync(1)
  assert.deepEqual(reports, [[{ name: 'BytesAppended', bytes: 10 }]])
  counters.BytesAppended = 15
  counters.BytesUploadedToS3 = 3
  await clock.advanceAsync(MINUTE_MS)
  assert.deepEqual(reports[1], [
    { name: 'BytesAppended', bytes: 5 },
    { name: 'BytesUploadedToS3', bytes: 3 }
  ])
})

test('a minute in which nothing happened is not reported', async () => {
  const { clock, reports, counters, log } = createScene()
  await clock.advanceAsync(10 * MINUTE_MS)
  assert.deepEqual(reports, [])
  counters.BytesAppended = 1
  await clock.advanceAsync(10 * MINUTE_MS)
  assert.equal(reports.length, 1)
  assert.deepEqual(log.entries, [])
})

test('what could not be sent comes with the next report', async () => {
  const scene = createScene()
  const { clock, reports, counters, log } = scene
  scene.outcome = { kind: 'unsent' }
  counters.BytesAppended = 10
  await clock.advanceAsync(MINUTE_MS)
  scene.outcome = ADDED
  counters.BytesAppended = 12
  await clock.advanceAsync(MINUTE_MS)
  assert.deepEqual(reports, [[{ name: 'BytesAppended', bytes: 10 }], [{ name: 'BytesAppended', bytes: 12 }]])
  assert.deepEqual(log.entries, [])
})

test('what may have been added is not sent again', async () => {
  const scene = createScene()
  const { clock, reports, counters, log } = scene
  scene.outcome = { kind: 'unknown' }
  counters.BytesAppended = 10
  await clock.advanceAsync(MINUTE_MS)
  counters.BytesAppended = 12
  await clock.advanceAsync(MINUTE_MS)
  assert.deepEqual(reports, [[{ name: 'BytesAppended', bytes: 10 }], [{ name: 'BytesAppended', bytes: 2 }]])
  assert.equal(log.entries.length, log.at('DEBUG').length)
})

test('a nucleus that refuses is asked again every hour, is told of everything then, and is one line in the log', async () => {
  const scene = createScene()
  const { clock, reports, counters, log } = scene
  scene.outcome = REFUSED
  for (let minute = 1; minute <= 121; minute += 1) {
    counters.BytesAppended += 1
    await clock.advanceAsync(MINUTE_MS)
  }
  assert.deepEqual(
    reports.map(([increment]) => increment?.bytes),
    [1, 61, 121]
  )
  assert.deepEqual(
    log.entries.filter(({ level }) => level !== 'DEBUG').map(({ level, fields }) => [level, fields]),
    [['INFO', { reason: 'ServiceError' }]]
  )
  await scene.telemetry.stop(1_000)
  assert.equal(reports.length, 3)
})

test('the end is reported at once, and nothing after it', async () => {
  const { clock, reports, counters, telemetry } = createScene()
  counters.BytesAppended = 7
  await telemetry.stop(1_000)
  assert.deepEqual(reports, [[{ name: 'BytesAppended', bytes: 7 }]])
  counters.BytesAppended = 8
  await clock.advanceAsync(10 * MINUTE_MS)
  assert.equal(reports.length, 1)
  assert.equal(clock.pendingTimers, 0)
})

test('a report under way at the end is awaited, and only the rest is sent after it', async () => {
  const scene = createScene()
  const { clock, reports, counters, telemetry } = scene
  scene.outcome = undefined
  counters.BytesAppended = 7
  await clock.advanceAsync(MINUTE_MS)
  counters.BytesAppended = 9
  const stopped = telemetry.stop(1_000)
  await flush()
  assert.equal(reports.length, 1)
  scene.outcome = ADDED
  scene.answer()
  await stopped
  assert.deepEqual(reports, [[{ name: 'BytesAppended', bytes: 7 }], [{ name: 'BytesAppended', bytes: 2 }]])
})

test('a nucleus that does not answer keeps the server from ending only for so long', async () => {
  const scene = createScene()
  const { clock, counters, telemetry } = scene
  scene.outcome = undefined
  counters.BytesAppended = 7
  let hasStopped = false
  const stopped = telemetry.stop(1_000).then(() => (hasStopped = true))
  await clock.advanceAsync(999)
  assert.equal(hasStopped, false)
  await clock.advanceAsync(1)
  await stopped
})
