import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSyncGathering } from '../../../component/stream/sync-gathering.ts'
import { createFakeClock, flush } from '../../helpers/fake-clock.ts'

/** Whether a sync may begin, for so many waiting appends. */
function scene() {
  const clock = createFakeClock()
  const gathering = createSyncGathering(clock)
  let waiting = 0
  return {
    clock,
    gathering,
    arrive(count = 1) {
      waiting += count
      gathering.waits(waiting)
    },
    gather() {
      const state = { begins: false }
      const gathered = gathering.gather(() => waiting)
      if (gathered === undefined) state.begins = true
      else void gathered.then(() => (state.begins = true))
      return state
    }
  }
}

test('a sync begins at once while nothing is known', () => {
  const { gather, arrive } = scene()
  arrive()
  assert.equal(gather().begins, true)
})

test('a sync waits for those whom the last one served, and for those who came meanwhile', async () => {
  const { gathering, gather, arrive } = scene()
  gathering.served(2, 100, 1)
  arrive()
  const sync = gather()
  arrive()
  await flush()
  assert.equal(sync.begins, false)
  arrive()
  await flush()
  assert.equal(sync.begins, true)
  arrive(0)
  assert.equal(gather().begins, true)
})

test('who does not come back holds up nobody for longer than 2 ms, or a quarter of a sync', async () => {
  for (const [durationMs, waitMs] of [
    [100, 2],
    [6, 1.5]
  ] as const) {
    const { clock, gathering, gather, arrive } = scene()
    gathering.served(5, durationMs, 0)
    arrive()
    const sync = gather()
    await clock.advanceAsync(waitMs - 0.1)
    assert.equal(sync.begins, false)
    await clock.advanceAsync(0.1)
    assert.equal(sync.begins, true)
    assert.equal(clock.pendingTimers, 0)
  }
})

test('a wait too short for a timer ends by the clock or with the last arrival', async () => {
  const late = scene()
  late.gathering.served(2, 2, 0)
  late.arrive()
  const first = late.gather()
  await flush()
  assert.equal(first.begins, false)
  late.clock.advance(0.5)
  await flush()
  assert.equal(first.begins, true)

  const complete = scene()
  complete.gathering.served(2, 2, 0)
  complete.arrive()
  const second = complete.gather()
  complete.arrive()
  await flush()
  assert.equal(second.begins, true)
})

test('the time since the last sync counts as waited', async () => {
  const { clock, gathering, gather, arrive } = scene()
  gathering.served(5, 100, 0)
  await clock.advanceAsync(2)
  arrive()
  assert.equal(gather().begins, true)
})
