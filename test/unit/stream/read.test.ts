import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '../../../component/base/fault.ts'
import { READ_REPLY_BYTES_MAX } from '../../../component/base/limits.ts'
import { FAILURES, type Failure } from '../../../component/model/failure.ts'
import type { StoredMessage } from '../../../component/model/message.ts'
import { createReadWaiters, createWaitingPlaces } from '../../../component/stream/read-waiters.ts'
import { readMessages, waitMs, type ReadOptions } from '../../../component/stream/read.ts'
import { createFakeClock, flush } from '../../helpers/fake-clock.ts'
import { createScriptedLog } from '../../helpers/scripted-log.ts'

/** A log of messages of one byte, of which some may be damaged or too large for the answer. */
function scene(options: { places?: number } = {}) {
  const clock = createFakeClock()
  const waiters = createReadWaiters(clock)
  const gone = new AbortController()
  const reserved: number[] = []
  const damaged = new Set<number>()
  let firstStored = 0
  let countPerRead = Infinity
  let closed: Failure | undefined
  let fault: Fault | undefined
  const scripted = createScriptedLog()
  const log = Object.defineProperty(scripted, 'oldest', { get: () => firstStored })
  const write = (count: number): void => {
    void log.append(Array.from({ length: count }, () => ({ payload: Buffer.from('x'), ingestTimeMs: 1 })))
    waiters.advance(log.next)
  }
  log.read = (from, limit, countMax, bytesMax) => {
    log.calls.push(`read ${from} to ${limit}, ${countMax}`)
    if (fault !== undefined) return Promise.reject(fault)
    const messages: StoredMessage[] = []
    const count = Math.min(countMax, bytesMax === READ_REPLY_BYTES_MAX ? countPerRead : 1)
    for (let sequenceNumber = Math.max(from, firstStored); sequenceNumber < limit; sequenceNumber += 1) {
      if (messages.length >= count) break
      if (!damaged.has(sequenceNumber)) messages.push({ sequenceNumber, ingestTimeMs: 1, payload: Buffer.from('x') })
    }
    return Promise.resolve(messages)
  }
  const places = createWaitingPlaces(options.places ?? 10)
  const read = async (wish: Partial<ReadOptions>): Promise<string | number[]> => {
    const full = { from: 0, minCount: 1, maxCount: Math.max(1, wish.minCount ?? 1), timeoutMs: 0, ...wish }
    const reader = {
      signal: gone.signal,
      reserve(bytes: number) {
        reserved.push(bytes)
        return Promise.resolve(!gone.signal.aborted)
      },
      memory: (bytes: number) => Buffer.alloc(bytes)
    }
    const result = await readMessages({ log, waiters, places, clock, closedBecause: () => closed }, full, reader)
    if (!result.ok) return `${result.failure.kind}: ${result.failure.message}`
    return result.value.map(({ sequenceNumber }) => sequenceNumber)
  }
  return {
    clock,
    log,
    read,
    write,
    damaged,
    gone,
    reserved,
    expire: (below: number) => (firstStored = below),
    limitAnswersTo: (count: number) => (countPerRead = count),
    fail: (next: Fault | undefined) => void (fault = next),
    close(failure: Failure) {
      closed = failure
      waiters.cancelAll()
    }
  }
}

const text = ({ kind, message }: Failure): string => `${kind}: ${message}`

test('a read returns what is there, up to its maximum', async () => {
  const { read, write } = scene()
  write(5)
  assert.deepEqual(await read({ minCount: 2, maxCount: 10 }), [0, 1, 2, 3, 4])
  assert.deepEqual(await read({ from: 1, minCount: 2, maxCount: 3 }), [1, 2, 3])
  assert.deepEqual(await read({ from: 4 }), [4])
})

test('a start below the oldest message means the oldest', async () => {
  const { read, write, expire } = scene()
  write(5)
  expire(3)
  assert.deepEqual(await read({ minCount: 2, maxCount: 9 }), [3, 4])
  assert.equal(await read({ minCount: 3 }), text(FAILURES.readTimedOut))
})

test('without a time-out the texts tell a start beyond the end from too few messages', async () => {
  const { read, write } = scene()
  assert.equal(await read({}), text(FAILURES.readBeyondEnd))
  write(3)
  assert.equal(await read({ from: 3 }), text(FAILURES.readBeyondEnd))
  assert.equal(await read({ from: Number.MAX_SAFE_INTEGER }), text(FAILURES.readBeyondEnd))
  assert.equal(await read({ from: 2, minCount: 2 }), text(FAILURES.readTimedOut))
})

test('a read waits for its minimum, not for its maximum', async () => {
  const { read, write, clock } = scene()
  write(1)
  const answer = read({ minCount: 3, maxCount: 10, timeoutMs: 10_000 })
  await flush()
  write(1)
  await flush()
  assert.equal(clock.pendingTimers, 1)
  write(1)
  assert.deepEqual(await answer, [0, 1, 2])
  assert.equal(clock.pendingTimers, 0)
})

test('a wait ends a little before its client gives up, without a partial answer', async () => {
  const { read, write, clock, log } = scene()
  write(1)
  const answer = read({ minCount: 2, timeoutMs: 10_000 })
  await flush()
  assert.equal(clock.nextTimerMs, 9_900)
  await clock.advanceAsync(9_900)
  assert.equal(await answer, text(FAILURES.readTimedOut))
  assert.equal(waitMs(1_000), 980)
  // Nothing was read to learn that.
  assert.deepEqual(log.calls, ['append x'])
})

test('retention during the wait moves the start, and so what is waited for', async () => {
  const { read, write, expire, clock } = scene()
  write(4)
  const answer = read({ from: 2, minCount: 4, maxCount: 9, timeoutMs: 10_000 })
  await flush()
  expire(4)
  write(2)
  await flush()
  assert.equal(clock.pendingTimers, 1)
  write(2)
  assert.deepEqual(await answer, [4, 5, 6, 7])
})

test('damaged messages are left out, and others take their place in the minimum', async () => {
  const { read, write, damaged } = scene()
  write(6)
  damaged.add(1).add(2)
  assert.deepEqual(await read({ minCount: 3, maxCount: 4 }), [0, 3, 4, 5])
  assert.equal(await read({ minCount: 5 }), text(FAILURES.readTimedOut))
  assert.equal(await read({ from: 1, minCount: 5, maxCount: 9 }), text(FAILURES.readTimedOut))
})

test('a reader who lacks damaged messages is woken for as many others', async () => {
  const { read, write, damaged, log } = scene()
  write(4)
  damaged.add(2).add(3)
  const answer = read({ minCount: 4, maxCount: 9, timeoutMs: 60_000 })
  await flush()
  const before = log.calls.length
  write(1)
  await flush()
  assert.equal(log.calls.length, before + 1)
  write(1)
  assert.deepEqual(await answer, [0, 1, 4, 5])
})

test('a whole stream of damage waits for what comes', async () => {
  const { read, write, damaged } = scene()
  write(2)
  damaged.add(0).add(1)
  assert.equal(await read({}), 'messageStoreReadError: the stored messages cannot be read')
  const answer = read({ timeoutMs: 60_000 })
  await flush()
  write(1)
  assert.deepEqual(await answer, [2])
})

test('an answer is cut at its size as long as the minimum is kept, otherwise refused', async () => {
  const { read, write, limitAnswersTo } = scene()
  write(9)
  limitAnswersTo(3)
  assert.deepEqual(await read({ minCount: 3, maxCount: 9 }), [0, 1, 2])
  assert.match(String(await read({ minCount: 4, maxCount: 9 })), /^responsePayloadTooLarge/)
})

test('memory is set aside for the answer before it is read', async () => {
  const { read, write, reserved } = scene()
  write(1_000)
  await read({ maxCount: 10 })
  const [bytes] = reserved
  assert.ok(bytes !== undefined && bytes > 10 * 25 && bytes < 64 * 1024, String(bytes))
})

test('a disk that cannot be read is a fault', async () => {
  const { read, write, fail } = scene()
  write(1)
  fail(new Fault('cannot read'))
  await assert.rejects(read({}), /cannot read/)
})

test('a read ends with its stream, whether it waits or reads', async () => {
  const { read, write, close, fail } = scene()
  const waiting = read({ timeoutMs: 60_000 })
  await flush()
  close(FAILURES.streamMissing)
  assert.equal(await waiting, text(FAILURES.streamMissing))
  write(1)
  fail(new Fault('the log is closed'))
  assert.equal(await read({}), text(FAILURES.streamMissing))
})

test('a reader who has gone waits no longer', async () => {
  const { read, gone, clock } = scene()
  const answer = read({ timeoutMs: 60_000 })
  await flush()
  gone.abort()
  assert.equal(await answer, text(FAILURES.readTimedOut))
  assert.equal(clock.pendingTimers, 0)
})

test('nothing is read for a reader who has gone while memory was short', async () => {
  const { read, write, gone, log } = scene()
  write(1)
  gone.abort()
  assert.match(String(await read({})), /^serverTimeout/)
  assert.deepEqual(log.calls, ['append x'])
})

test('the places for waiting reads are bounded and given back (reliability CL12)', async () => {
  const { read, write } = scene({ places: 2 })
  const waiting = [read({ timeoutMs: 60_000 }), read({ timeoutMs: 60_000 })]
  await flush()
  assert.equal(await read({ timeoutMs: 60_000 }), 'serverTimeout: too many reads are waiting for messages')
  // Who need not wait needs no place.
  assert.equal(await read({}), text(FAILURES.readBeyondEnd))
  write(1)
  assert.deepEqual(await Promise.all(waiting), [[0], [0]])
  const again = read({ from: 1, timeoutMs: 60_000 })
  await flush()
  write(1)
  assert.deepEqual(await again, [1])
})
