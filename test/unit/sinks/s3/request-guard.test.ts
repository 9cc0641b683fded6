import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createRequestGuard, inTime, type RequestGuard } from '../../../../component/sinks/s3/request-guard.ts'
import { createFakeClock, type FakeClock } from '../../../helpers/fake-clock.ts'

const MINUTE_MS = 60_000
const CHUNK = 64 * 1024

function guarded(signal = new AbortController().signal): { clock: FakeClock; guard: RequestGuard } {
  const clock = createFakeClock()
  return { clock, guard: createRequestGuard(clock, signal) }
}

describe('a request', () => {
  it('of which nothing is taken ends after five minutes', () => {
    const { clock, guard } = guarded()
    clock.advance(5 * MINUTE_MS - 1)
    assert.equal(guard.signal.aborted, false)
    clock.advance(1)
    assert.equal(guard.signal.aborted, true)
    assert.match(String(guard.failure), /^TimeoutError: less than 64 KiB were taken in five minutes$/)
  })

  it('that is taken byte by byte ends, too', () => {
    const { clock, guard } = guarded()
    for (let second = 0; second < 5 * 60; second++) {
      assert.equal(guard.signal.aborted, false)
      guard.took(200)
      clock.advance(1_000)
    }
    assert.equal(guard.signal.aborted, true)
  })

  it('over a slow line may take hours', () => {
    const { clock, guard } = guarded()
    for (let chunk = 0; chunk < 100; chunk++) {
      clock.advance(5 * MINUTE_MS - 1)
      guard.took(CHUNK / 2)
      guard.took(CHUNK / 2)
    }
    assert.equal(guard.signal.aborted, false)
  })

  it('may wait for our own bandwidth as long as it takes', async () => {
    const { clock, guard } = guarded()
    const wait = async (ms: number): Promise<void> => {
      await Promise.resolve()
      clock.advance(ms)
    }
    for (let chunk = 0; chunk < 10; chunk++) {
      await guard.exempt(() => wait(60 * MINUTE_MS))
      clock.advance(MINUTE_MS / 10)
      guard.took(1_000)
    }
    assert.equal(guard.signal.aborted, false)
    clock.advance(4 * MINUTE_MS - 1)
    assert.equal(guard.signal.aborted, false)
    clock.advance(1)
    assert.equal(guard.signal.aborted, true)
  })

  it('has its answer a minute after its body', () => {
    const { clock, guard } = guarded()
    guard.sent(0)
    clock.advance(MINUTE_MS - 1)
    assert.equal(guard.signal.aborted, false)
    clock.advance(1)
    assert.match(String(guard.failure), /^TimeoutError: no answer in time$/)
  })

  it('ends with the signal from outside, or for a reason of its own', () => {
    const outside = new AbortController()
    const aborted = guarded(outside.signal).guard
    outside.abort()
    aborted.fail(new Error('late'))
    assert.deepEqual([aborted.signal.aborted, aborted.failure], [true, undefined])
    const { clock, guard } = guarded()
    guard.fail(new Error('the disk'))
    clock.advance(10 * MINUTE_MS)
    assert.deepEqual([guard.signal.aborted, guard.failure?.message], [true, 'the disk'])
  })

  it('leaves no timer behind, and its connection alone unless it is to be cut', () => {
    for (const isCut of [false, true]) {
      const { clock, guard } = guarded()
      guard.end(isCut)
      guard.took(CHUNK)
      assert.deepEqual([clock.pendingTimers, guard.signal.aborted], [0, isCut])
    }
  })
})

describe('a small request', () => {
  const never = (signal: AbortSignal): Promise<never> =>
    new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))))

  it('has a minute to connect and one for its answer', async () => {
    const clock = createFakeClock()
    const failing = assert.rejects(
      inTime(clock, new AbortController().signal, never),
      /^TimeoutError: no answer in time$/
    )
    await clock.advanceAsync(2 * MINUTE_MS - 1)
    assert.equal(clock.pendingTimers, 1)
    await clock.advanceAsync(1)
    await failing
  })

  it('fails with its own error when it has one', async () => {
    const clock = createFakeClock()
    const fails = (): Promise<never> => Promise.reject(new Error('its own'))
    await assert.rejects(inTime(clock, new AbortController().signal, fails), /its own/)
    assert.equal(clock.pendingTimers, 0)
  })
})
