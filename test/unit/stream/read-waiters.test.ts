import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createReadWaiters } from '../../../component/stream/read-waiters.ts'
import { createFakeClock, flush } from '../../helpers/fake-clock.ts'

test('a reader waits until its number is reached', async () => {
  const clock = createFakeClock()
  const waiters = createReadWaiters(clock)
  const { signal } = new AbortController()
  const five = waiters.wait(5, 1_000, signal)
  const seven = waiters.wait(7, 1_000, signal)
  waiters.advance(4)
  waiters.advance(6)
  assert.equal(await five, true)
  waiters.advance(7)
  assert.equal(await seven, true)
  assert.equal(clock.pendingTimers, 0)
})

test('a reader whose time is over hears so, and leaves nothing behind', async () => {
  const clock = createFakeClock()
  const waiters = createReadWaiters(clock)
  const wait = waiters.wait(5, 1_000, new AbortController().signal)
  clock.advance(1_000)
  assert.equal(await wait, false)
  waiters.advance(5)
  assert.equal(clock.pendingTimers, 0)
})

test('a reader that has gone stops waiting', async () => {
  const clock = createFakeClock()
  const waiters = createReadWaiters(clock)
  const gone = new AbortController()
  const wait = waiters.wait(5, 1_000, gone.signal)
  gone.abort()
  assert.equal(await wait, false)
  assert.equal(await waiters.wait(5, 1_000, gone.signal), false)
  assert.equal(clock.pendingTimers, 0)
})

test('all readers stop waiting when the stream is deleted, later ones wait again', async () => {
  const clock = createFakeClock()
  const waiters = createReadWaiters(clock)
  const { signal } = new AbortController()
  const waits = [waiters.wait(5, 1_000, signal), waiters.wait(9, 1_000, signal)]
  waiters.cancelAll()
  assert.deepEqual(await Promise.all(waits), [false, false])
  const again = waiters.wait(3, 1_000, signal)
  waiters.advance(3)
  await flush()
  assert.equal(await again, true)
})
