import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDeparture } from '../../../component/server/departure.ts'

test('who waits for something hears once that the client has gone', () => {
  const departure = createDeparture()
  let heard = 0
  departure.signal.addEventListener('abort', () => (heard += 1))
  assert.equal(departure.signal.aborted, false)
  departure.announce()
  departure.announce()
  assert.equal(heard, 1)
  assert.equal(departure.signal.aborted, true)
})

test('who asks later hears it, too', () => {
  const departure = createDeparture()
  departure.announce()
  assert.equal(departure.signal.aborted, true)
  assert.equal(departure.signal, departure.signal)
})
