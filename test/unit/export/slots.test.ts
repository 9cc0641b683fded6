import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createBandwidth } from '../../../component/export/bandwidth.ts'
import { createSlots as makeSlots, type Grant, type Slots } from '../../../component/export/slots.ts'
import { createFakeClock, flush } from '../../helpers/fake-clock.ts'

/** Slots that are granted at once. */
const createSlots: typeof makeSlots = (...options) => {
  const slots = makeSlots(...options)
  slots.start()
  return slots
}

/** Requests slots and remembers who got one. */
function crowd(slots: Slots): {
  want: (name: string, priority: number, isSuspect?: boolean) => () => void
  granted: Map<string, Grant>
} {
  const granted = new Map<string, Grant>()
  return {
    granted,
    want: (name, priority, isSuspect = false) =>
      slots.request({ priority, isSuspect, run: (grant) => void granted.set(name, grant) }).cancel
  }
}

test('no more requests run than there are slots', async () => {
  const slots = createSlots(createFakeClock(), 2)
  const { want, granted } = crowd(slots)
  for (const name of ['a', 'b', 'c']) want(name, 10)
  await flush()
  assert.deepEqual([...granted.keys()], ['a', 'b'])
  granted.get('b')?.release()
  await flush()
  assert.deepEqual([...granted.keys()], ['a', 'b', 'c'])
})

test('nothing is granted before the start', async () => {
  const slots = makeSlots(createFakeClock(), 2)
  const { want, granted } = crowd(slots)
  want('a', 10)
  await flush()
  assert.equal(granted.size, 0)
  slots.start()
  await flush()
  assert.deepEqual([...granted.keys()], ['a'])
})

test('better priorities go first, equal ones in the order they became ready', async () => {
  const clock = createFakeClock()
  const { want, granted } = crowd(createSlots(clock, 1))
  want('low', 10)
  clock.advance(1)
  want('middle one', 5)
  clock.advance(1)
  want('middle two', 5)
  clock.advance(1)
  want('high', 1)
  const order: string[] = []
  for (let turn = 0; turn < 4; turn += 1) {
    await flush()
    const name = [...granted.keys()].at(-1) ?? ''
    order.push(name)
    granted.get(name)?.release()
  }
  assert.deepEqual(order, ['high', 'middle one', 'middle two', 'low'])
})

test('an entry gains one priority per minute of waiting, and overtakes nobody of priority 1 who waited longer', async () => {
  const clock = createFakeClock()
  const { want, granted } = crowd(createSlots(clock, 1))
  want('holder', 1)
  await flush()
  want('old', 3)
  clock.advance(60_000)
  want('two', 2)
  granted.get('holder')?.release()
  await flush()
  assert.deepEqual([...granted.keys()], ['holder', 'old'], 'one minute makes 3 a 2, and it waited longer')

  want('older one', 1)
  clock.advance(1)
  want('very old', 10)
  clock.advance(3_600_000)
  want('new one', 1)
  granted.get('old')?.release()
  await flush()
  assert.equal([...granted.keys()].at(-1), 'older one')
  granted.get('older one')?.release()
  await flush()
  assert.equal([...granted.keys()].at(-1), 'two', 'aged to priority 1, waiting longest of the rest')
  granted.get('two')?.release()
  await flush()
  assert.equal([...granted.keys()].at(-1), 'very old')
})

test('a cancelled entry gets no slot', async () => {
  const { want, granted } = crowd(createSlots(createFakeClock(), 1))
  want('a', 1)()
  want('b', 1)
  await flush()
  assert.deepEqual([...granted.keys()], ['b'])
})

test('after the stop nothing is granted', async () => {
  const slots = createSlots(createFakeClock(), 1)
  const { want, granted } = crowd(slots)
  want('a', 1)
  slots.stop()
  await flush()
  assert.equal(granted.size, 0)
})

test('under a bandwidth limit requests start only out of debt, one at a time, and small ones are not starved', async () => {
  const clock = createFakeClock()
  const { want, granted } = crowd(createSlots(clock, 5, createBandwidth(clock, 8_000)))
  want('big', 1)
  want('small', 1)
  await flush()
  assert.deepEqual([...granted.keys()], ['big'], 'its size is not known yet')
  granted.get('big')?.charge(5_000)
  await flush()
  assert.equal(granted.size, 1)
  // One second's worth was in the bucket: 4000 bytes of debt at 1000 bytes a second.
  await clock.advanceAsync(3_999)
  assert.equal(granted.size, 1)
  await clock.advanceAsync(1)
  assert.deepEqual([...granted.keys()], ['big', 'small'])
})

test('a grant that is given back unused does not block the bandwidth', async () => {
  const clock = createFakeClock()
  const { want, granted } = crowd(createSlots(clock, 5, createBandwidth(clock, 8_000)))
  want('a', 1)
  want('b', 1)
  await flush()
  granted.get('a')?.release()
  await flush()
  assert.deepEqual([...granted.keys()], ['a', 'b'])
})

test('what was not sent is given back to the bandwidth', async () => {
  const clock = createFakeClock()
  const { want, granted } = crowd(createSlots(clock, 5, createBandwidth(clock, 8_000)))
  want('a', 1)
  await flush()
  granted.get('a')?.charge(5_000)
  granted.get('a')?.refund(4_000)
  want('b', 1)
  await flush()
  assert.deepEqual([...granted.keys()], ['a', 'b'])
})

test('a silent request lends its slot, and no more requests are in flight than twice the slots', async () => {
  const clock = createFakeClock()
  const { want, granted } = crowd(createSlots(clock, 2))
  for (const name of ['a', 'b', 'c', 'd', 'e']) want(name, 10)
  await flush()
  for (const name of ['a', 'b']) granted.get(name)?.progressed()
  await clock.advanceAsync(4_999)
  assert.equal(granted.size, 2)
  await clock.advanceAsync(1)
  assert.deepEqual([...granted.keys()], ['a', 'b', 'c', 'd'])
  assert.equal(granted.get('a')?.isSilent, true)
  assert.equal(granted.get('c')?.isSilent, false)
  granted.get('c')?.release()
  await flush()
  assert.deepEqual([...granted.keys()], ['a', 'b', 'c', 'd', 'e'])
})

test('a request that makes progress, or waits for something of our own, is not silent', async () => {
  const clock = createFakeClock()
  const { want, granted } = crowd(createSlots(clock, 1))
  want('upload', 10)
  want('next', 10)
  await flush()
  for (let second = 0; second < 20; second += 4) {
    granted.get('upload')?.progressed()
    await clock.advanceAsync(4_000)
  }
  granted.get('upload')?.hold()
  await clock.advanceAsync(600_000)
  assert.deepEqual([...granted.keys()], ['upload'])
  assert.equal(granted.get('upload')?.isSilent, false)
})

test('a request that is taken ever so slowly lends its slot after a minute, but is never cut for that', async () => {
  const clock = createFakeClock()
  const { want, granted } = crowd(createSlots(clock, 1))
  const drip = async (seconds: number): Promise<void> => {
    for (let second = 0; second < seconds; second += 4) {
      granted.get('slow')?.progressed()
      await clock.advanceAsync(4_000)
    }
    granted.get('slow')?.progressed()
    await flush()
  }
  want('suspect', 10, true)
  want('slow', 10)
  want('next', 10)
  await flush()
  await drip(120)
  assert.equal(granted.has('next'), false, 'there is no waiting place')
  assert.equal(granted.get('slow')?.cut.aborted, false)
  granted.get('suspect')?.release()
  await flush()
  assert.equal(granted.has('next'), true)
  assert.equal(granted.get('slow')?.isSilent, true, 'its next request begins in a waiting place')
  want('last', 10)
  granted.get('slow')?.release()
  await flush()
  assert.equal(granted.has('last'), false, 'the slot was given away once')
  granted.get('next')?.release()
  await flush()
  assert.equal(granted.has('last'), true)
})

test('a minute counts only while the destination is waited for', async () => {
  const clock = createFakeClock()
  const { want, granted } = crowd(createSlots(clock, 1))
  want('paced', 10)
  want('next', 10)
  await flush()
  for (let round = 0; round < 14; round += 1) {
    granted.get('paced')?.progressed()
    await clock.advanceAsync(4_000)
    granted.get('paced')?.hold()
    await clock.advanceAsync(60_000)
  }
  granted.get('paced')?.progressed()
  await flush()
  assert.equal(granted.has('next'), false)
  assert.equal(granted.get('paced')?.isSilent, false)
  await clock.advanceAsync(4_000)
  granted.get('paced')?.progressed()
  await flush()
  assert.equal(granted.has('next'), true)
})

test('a suspect begins in a waiting place and keeps nobody from a slot; it is not cut', async () => {
  const clock = createFakeClock()
  const { want, granted } = crowd(createSlots(clock, 1))
  want('suspect one', 1, true)
  want('suspect two', 1, true)
  want('first', 10)
  want('second', 10)
  await flush()
  assert.deepEqual([...granted.keys()], ['suspect one', 'first'])
  granted.get('suspect one')?.progressed()
  await clock.advanceAsync(50_000)
  granted.get('first')?.release()
  await flush()
  assert.deepEqual([...granted.keys()], ['suspect one', 'first', 'second'])
  assert.equal(granted.get('suspect one')?.cut.aborted, false)
  granted.get('suspect one')?.release()
  await flush()
  assert.deepEqual([...granted.keys()], ['suspect one', 'first', 'second', 'suspect two'])
})

test('a silent request is cut only when there is no waiting place, and only when somebody wants its slot', async () => {
  const clock = createFakeClock()
  const { want, granted } = crowd(createSlots(clock, 2))
  for (const name of ['suspect one', 'suspect two']) want(name, 10, true)
  for (const name of ['old', 'young']) want(name, 10)
  await flush()
  granted.get('old')?.progressed()
  await clock.advanceAsync(1)
  granted.get('young')?.progressed()
  await clock.advanceAsync(20_000)
  assert.equal(granted.get('old')?.cut.aborted, false)
  want('next', 10)
  await flush()
  assert.equal(granted.get('old')?.cut.aborted, true)
  assert.equal(granted.get('young')?.cut.aborted, false, 'one cut is enough for one who waits')
  assert.equal(granted.size, 4, 'the slot is free only when the request has ended')
  granted.get('old')?.release()
  await flush()
  assert.equal(granted.has('next'), true)
})

test('a silent request that shows a sign of life again is not cut', async () => {
  const clock = createFakeClock()
  const { want, granted } = crowd(createSlots(clock, 1))
  want('suspect', 10, true)
  want('slow', 10)
  await flush()
  granted.get('slow')?.progressed()
  await clock.advanceAsync(5_000)
  granted.get('slow')?.progressed()
  want('next', 10)
  await clock.advanceAsync(4_999)
  assert.equal(granted.get('slow')?.cut.aborted, false)
  await clock.advanceAsync(1)
  assert.equal(granted.get('slow')?.cut.aborted, true)
})

test('nobody is silent for ever: after five and a half minutes any request is ended', async () => {
  const clock = createFakeClock()
  const { want, granted } = crowd(createSlots(clock, 1))
  want('mute', 10)
  await flush()
  granted.get('mute')?.progressed()
  await clock.advanceAsync(329_999)
  assert.equal(granted.get('mute')?.cut.aborted, false)
  await clock.advanceAsync(1)
  assert.equal(granted.get('mute')?.cut.aborted, true)
  granted.get('mute')?.release()
  assert.equal(clock.pendingTimers, 0)
})

test('among suspects priority counts, and a minute of waiting makes one priority', async () => {
  const clock = createFakeClock()
  const { want, granted } = crowd(createSlots(clock, 1))
  want('holder', 10, true)
  await flush()
  want('old', 3, true)
  clock.advance(60_000)
  want('two', 2, true)
  want('three', 3, true)
  for (const next of ['old', 'two', 'three']) {
    ;[...granted.values()].at(-1)?.release()
    await flush()
    assert.equal([...granted.keys()].at(-1), next)
  }
})
