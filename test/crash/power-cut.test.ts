/** Power cuts of the built server: reliability 1.1, 1.2, ST20, ST21 and 8.1.3. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { after, test } from 'node:test'
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { cutAndCheck, recordRun, StoreOpener, type RecordedRun } from '../helpers/power-cut-run.ts'
import { buildRecorder } from '../helpers/recorded-calls.ts'
import { createSeededRandom } from '../helpers/seeded-random.ts'

/** STREAM_MANAGER_TEST_SEED repeats a run as far as timing allows; STREAM_MANAGER_POWER_CUTS makes it longer. */
const SEED = Number(process.env['STREAM_MANAGER_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const CUTS = Number(process.env['STREAM_MANAGER_POWER_CUTS'] ?? 120)
const LIVES = 3
const ROUNDS = 25

const folder = mkdtempSync(join(tmpdir(), 'stream-manager-recorder-'))
const recorder = buildRecorder(folder)
const random = createSeededRandom(SEED)
const opener = new StoreOpener()

after(() => {
  opener.close()
  rmSync(folder, { recursive: true, force: true })
})

test('after a power cut during the very first start the next one works', async (t) => {
  const run = await recordRun({ recorder, random, name: 'first', rounds: 0 })
  const { states, dirty } = await cutAndCheck(run, Math.ceil(CUTS / 5), SEED, opener)
  t.diagnostic(`seed ${SEED}: ${run.calls.length} calls, ${states} states, ${dirty} with something to lose`)
  assert.ok(dirty > states / 2)
})

test('after a power cut at any moment of the built server all promises hold and the store opens', async (t) => {
  let start: Pick<RecordedRun, 'start' | 'found'> | undefined
  for (let life = 0; life < LIVES; life += 1) {
    const run = await recordRun({ recorder, random, name: `life${life}`, rounds: ROUNDS, ...(start && { start }) })
    const { states, dirty, last } = await cutAndCheck(run, Math.ceil(CUTS / LIVES), SEED + life, opener)
    t.diagnostic(
      `seed ${SEED}, life ${life}: ${run.calls.length} calls, ${states} states, ${dirty} with something to lose`
    )
    assert.ok(dirty > states / 2)
    start = last
  }
})
