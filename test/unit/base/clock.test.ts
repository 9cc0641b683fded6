import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../../../component/base/clock.ts'

test('a timer of more than 2^31 milliseconds does not fire at once', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let fired = 0
  const timer = systemClock.after(2 ** 31 + 5_000, () => (fired += 1))
  t.mock.timers.tick(1)
  assert.equal(fired, 0)
  t.mock.timers.tick(2 ** 31 - 2)
  assert.equal(fired, 0, 'it is armed again')
  timer.cancel()
})
