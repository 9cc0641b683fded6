import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '../../../component/base/fault.ts'
import { announce } from '../../../component/greengrass/announce.ts'
import type { Nucleus } from '../../../component/greengrass/nucleus.ts'
import { createFakeClock, flush, type FakeClock } from '../../helpers/fake-clock.ts'
import { createRecordingLog, type RecordingLog } from '../../helpers/recording-log.ts'
import { createFixedRandom } from '../../helpers/seeded-random.ts'

interface Scene {
  readonly clock: FakeClock
  readonly log: RecordingLog
  /** What was tried, in order. */
  readonly told: string[]
  /** What the nucleus does not take. */
  readonly failing: Set<string>
  readonly stop: AbortController
  announce(): Promise<void>
}

function createScene(...failing: string[]): Scene {
  const scene = {
    clock: createFakeClock(),
    log: createRecordingLog(),
    told: [] as string[],
    failing: new Set(failing),
    stop: new AbortController()
  }
  const tell = (what: string): Promise<void> => {
    scene.told.push(what)
    return scene.failing.has(what) ? Promise.reject(new Fault('not now')) : Promise.resolve()
  }
  const nucleus: Nucleus = {
    publishPort: (port) => tell(`port ${port}`),
    reportRunning: () => tell('RUNNING'),
    validateToken: () => Promise.resolve(false),
    putMetrics: () => Promise.resolve({ kind: 'unsent' }),
    followToken: () => undefined,
    close: () => undefined
  }
  const { clock, log, stop } = scene
  const options = { nucleus, port: 8088, clock, random: createFixedRandom(0), log, signal: stop.signal }
  return { ...scene, announce: () => announce(options) }
}

test('the port comes first, and both are told once', async () => {
  const { announce, told, clock, log } = createScene()
  await announce()
  await clock.advanceAsync(1_000_000)
  assert.deepEqual(told, ['port 8088', 'RUNNING'])
  assert.deepEqual(log.entries, [])
})

test('what was not taken is told again after growing pauses, with one warning', async () => {
  const { announce, told, failing, clock, log } = createScene('port 8088')
  await announce()
  assert.deepEqual(told, ['port 8088', 'RUNNING'])
  const triesMs: number[] = []
  while (triesMs.length < 9) {
    const tries = told.length
    const startMs = clock.monotonicMs()
    while (told.length === tries) await clock.advanceAsync(clock.nextTimerMs ?? assert.fail('nothing is planned'))
    triesMs.push(clock.monotonicMs() - startMs)
  }
  assert.deepEqual(triesMs, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000])
  failing.clear()
  await clock.advanceAsync(30_000)
  assert.equal(clock.pendingTimers, 0)
  assert.equal(told.filter((what) => what === 'RUNNING').length, 1)
  assert.deepEqual(
    log.entries.filter(({ level }) => level !== 'DEBUG').map(({ level, fields }) => [level, fields['what']]),
    [
      ['WARN', 'port'],
      ['INFO', 'port']
    ]
  )
})

test('the order is kept when both are told again', async () => {
  const { announce, told, failing, clock } = createScene('port 8088', 'RUNNING')
  await announce()
  failing.clear()
  await clock.advanceAsync(500)
  assert.deepEqual(told, ['port 8088', 'RUNNING', 'port 8088', 'RUNNING'])
})

test('a stop ends the attempts', async () => {
  const { announce, told, stop, clock } = createScene('port 8088', 'RUNNING')
  await announce()
  stop.abort()
  await flush()
  assert.equal(clock.pendingTimers, 0)
  assert.equal(told.length, 2)
})
