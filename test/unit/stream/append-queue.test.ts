import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '../../../component/base/fault.ts'
import { APPEND_GROUP_COUNT_MAX } from '../../../component/base/limits.ts'
import { FAILURES } from '../../../component/model/failure.ts'
import { createAppendQueue } from '../../../component/stream/append-queue.ts'
import type { AppendPolicy } from '../../../component/stream/retention.ts'
import { noSpaceGuard } from '../../../component/stream/space-guard.ts'
import type { SyncDone } from '../../../component/stream/sync-loop.ts'
import { flush } from '../../helpers/fake-clock.ts'
import { createPromiseGate } from '../../helpers/promise-gate.ts'
import { createScriptedLog, SCRIPTED_HEADER_BYTES } from '../../helpers/scripted-log.ts'

const POLICY: AppendPolicy = {
  bytesMax: 1_000_000,
  rollBytes: 500_000,
  overwritesOldest: false,
  syncsBeforeAcknowledging: false,
  usesDisk: true
}

/** A queue over a scripted log; `answers` are numbers and texts of failures, in the order they were given. */
function scene(policy: Partial<AppendPolicy> = {}, recheck: () => boolean = () => false) {
  const log = createScriptedLog()
  const answers: string[] = []
  const waitingForSync: SyncDone[] = []
  let shortage: string | undefined
  const deferred: (() => void)[] = []
  const queue = createAppendQueue({
    log,
    space: { ...noSpaceGuard, shortage: () => shortage, recheck },
    policy: () => ({ ...POLICY, ...policy }),
    wallMs: () => 7_000,
    defer: (action) => void deferred.push(action),
    written: () => undefined,
    whenDurable: (done) => void waitingForSync.push(done),
    dropOldest: () => void log.dropOldestSegment(),
    failureOf: (fault) => ({ kind: 'unknownFailure', message: fault.message })
  })
  return {
    log,
    queue,
    answers,
    waitingForSync,
    setShortage: (text: string | undefined) => (shortage = text),
    append(...payloads: readonly string[]) {
      for (const payload of payloads) {
        queue.append({
          payload: Buffer.from(payload),
          ingestTimeMs: 0,
          done(failure, sequenceNumber) {
            const name = payload.slice(0, 8)
            answers.push(failure === undefined ? `${name} is ${sequenceNumber}` : `${name}: ${failure.message}`)
          }
        })
      }
    },
    /** Ends the turn of the event loop and lets everything end that it began. */
    async turn() {
      for (const action of deferred.splice(0)) action()
      await flush()
    }
  }
}

const sized = (name: string, bytes: number): string => name.padEnd(bytes - SCRIPTED_HEADER_BYTES, '.')

test('appends of one turn share a write and are acknowledged in order', async () => {
  const { log, append, answers, turn } = scene()
  append('a', 'b')
  append('c')
  assert.deepEqual(log.calls, [])
  await turn()
  append('d')
  await turn()
  assert.deepEqual(log.calls, ['append a,b,c', 'append d'])
  assert.deepEqual(answers, ['a is 0', 'b is 1', 'c is 2', 'd is 3'])
})

test('appends behind other work of their turn have the time of that turn', async () => {
  const { log, queue, append, turn } = scene()
  void queue.exclusively(() => Promise.resolve())
  append('a')
  await turn()
  assert.equal(log.activeLastIngestMs, 7_000)
})

test('a group has a bound', async () => {
  const { log, append, answers, turn } = scene()
  append(...Array.from({ length: APPEND_GROUP_COUNT_MAX + 1 }, () => 'x'))
  await turn()
  assert.equal(log.calls.length, 2)
  assert.equal(answers.length, APPEND_GROUP_COUNT_MAX + 1)
})

test('appends that arrive during a slow write go into the next one', async () => {
  const { log, append, answers, turn } = scene()
  const slow = createPromiseGate()
  log.onAppend = () => slow.promise
  append('a')
  await turn()
  append('b')
  append('c')
  await turn()
  assert.deepEqual([log.calls, answers], [['append a'], []])
  slow.open()
  await turn()
  assert.deepEqual(log.calls, ['append a', 'append b,c'])
  assert.deepEqual(answers, ['a is 0', 'b is 1', 'c is 2'])
})

test('a segment is sealed before it grows beyond its size, and never while it is empty', async () => {
  const { log, append, turn } = scene({ rollBytes: 100 })
  append(sized('large', 150), sized('a', 50), sized('b', 50), sized('c', 50))
  await turn()
  assert.deepEqual(log.calls, ['append large...', 'roll', 'append a.......,b.......', 'roll', 'append c.......'])
  assert.deepEqual(
    log.sealed.map(({ bytes }) => bytes),
    [150, 100]
  )
})

test('a message larger than the stream is refused and takes no number', async () => {
  const { append, answers, turn } = scene({ bytesMax: 100 })
  append(sized('too big', 101), sized('fits', 100))
  await turn()
  assert.deepEqual(answers, [`too big.: ${FAILURES.messageTooLarge.message}`, 'fits.... is 0'])
})

test('a full stream that rejects keeps what it has, and takes what still fits', async () => {
  const { log, append, answers, turn } = scene({ bytesMax: 200, rollBytes: 100 })
  append(sized('a', 90), sized('b', 90), sized('c', 90), sized('d', 20 + SCRIPTED_HEADER_BYTES))
  await turn()
  append(sized('e', 20 + 1))
  await turn()
  const full = FAILURES.streamFull.message
  assert.deepEqual(answers, ['a....... is 0', 'b....... is 1', `c.......: ${full}`, `d.......: ${full}`, `e: ${full}`])
  assert.equal(log.calls.filter((call) => call === 'roll').length, 1)
  assert.deepEqual(log.dropped, [])
})

test('an overwriting stream drops just as many of the oldest segments as the message needs', async () => {
  const { log, append, answers, turn } = scene({ bytesMax: 400, rollBytes: 100, overwritesOldest: true })
  append(...['a', 'b', 'c', 'd'].map((name) => sized(name, 100)))
  await turn()
  assert.equal(log.oldest, 0)
  append(sized('e', 100))
  await turn()
  assert.equal(log.oldest, 1)
  append(sized('f', 250))
  await turn()
  assert.equal(log.oldest, 4)
  assert.equal(log.totalBytes, 350)
  assert.deepEqual(answers.slice(-2), ['e....... is 4', 'f....... is 5'])
})

test('an overwriting stream whose only segment is active seals it to make room', async () => {
  const { log, append, turn } = scene({ bytesMax: 100, rollBytes: 100, overwritesOldest: true })
  append(sized('a', 60))
  await turn()
  append(sized('b', 60))
  await turn()
  assert.deepEqual(log.calls, ['append a.......', 'roll', 'drop 0', 'append b.......'])
})

test('a disk without space refuses before anything is written, and begins no segment for it', async () => {
  const { log, append, answers, setShortage, turn } = scene({ rollBytes: 100 })
  append(sized('a', 90))
  await turn()
  setShortage('no space left on the device: 0 bytes are free')
  append(sized('b', 90))
  await turn()
  setShortage(undefined)
  append(sized('c', 90))
  await turn()
  assert.deepEqual(answers, [
    'a....... is 0',
    'b.......: no space left on the device: 0 bytes are free',
    'c....... is 1'
  ])
  assert.deepEqual(log.calls, ['append a.......', 'roll', 'append c.......'])
})

test('where other programs take the space, an overwriting stream gives up one segment and no more (reliability ST2)', async () => {
  const { log, append, answers, setShortage, turn } = scene({ rollBytes: 100, overwritesOldest: true })
  append(...['a', 'b', 'c', 'd'].map((name) => sized(name, 90)))
  await turn()
  setShortage('no space')
  append(sized('e', 90))
  await turn()
  assert.equal(log.dropped.length, 1)
  assert.equal(answers.at(-1), 'e.......: no space')
  append(sized('f', 90), sized('g', 90))
  await turn()
  append(sized('h', 90))
  await turn()
  assert.equal(log.dropped.length, 1)
  assert.equal(answers.at(-1), 'h.......: no space')
})

test('on a full disk an overwriting stream drops segments as long as that gives space', async () => {
  let shortBy = 3
  const current = scene({ rollBytes: 100, overwritesOldest: true }, () => {
    shortBy -= 1
    if (shortBy === 0) current.setShortage(undefined)
    return true
  })
  const { log, append, answers, setShortage, turn } = current
  append(...['a', 'b', 'c', 'd', 'e'].map((name) => sized(name, 90)))
  await turn()
  setShortage('no space')
  append(sized('f', 90))
  await turn()
  assert.equal(log.dropped.length, 3)
  assert.equal(answers.at(-1), 'f....... is 5')
})

for (const [name, isLater] of [
  ['at once', false],
  ['later', true]
] as const) {
  test(`a write that fails ${name} refuses exactly its group`, async () => {
    const { log, append, answers, turn } = scene({ rollBytes: 100 })
    let writes = 0
    log.onAppend = () => {
      writes += 1
      if (writes !== 2) return undefined
      const fault = new Fault('cannot write: ENOSPC')
      if (isLater) return Promise.reject(fault)
      throw fault
    }
    append(sized('a', 100), sized('b', 50), sized('c', 50), sized('d', 100))
    await turn()
    const failed = 'cannot write: ENOSPC'
    assert.deepEqual(answers, ['a....... is 0', `b.......: ${failed}`, `c.......: ${failed}`, 'd....... is 1'])
  })
}

test('a roll that fails refuses its append; the next one tries again', async () => {
  const { log, append, answers, turn } = scene({ rollBytes: 100 })
  append(sized('a', 90))
  await turn()
  log.onRoll = () => Promise.reject(new Fault('no new segment'))
  append(sized('b', 90))
  await turn()
  log.onRoll = () => undefined
  append(sized('c', 90))
  await turn()
  assert.deepEqual(answers, ['a....... is 0', 'b.......: no new segment', 'c....... is 1'])
})

test('with flushOnWrite nothing is acknowledged before the sync, and an end before that is a refusal', async () => {
  const { append, answers, waitingForSync, turn } = scene({ syncsBeforeAcknowledging: true })
  append('a', 'b')
  await turn()
  append('c')
  await turn()
  assert.deepEqual([answers, waitingForSync.length], [[], 2])
  waitingForSync[0]?.(undefined)
  waitingForSync[1]?.(FAILURES.streamMissing)
  assert.deepEqual(answers, ['a is 0', 'b is 1', `c: ${FAILURES.streamMissing.message}`])
})

test('exclusive actions take their turn between appends', async () => {
  const { log, queue, append, turn } = scene()
  const gate = createPromiseGate()
  append('a')
  const action = queue.exclusively(async () => {
    log.calls.push('action begins')
    await gate.promise
    log.calls.push('action ends')
  })
  append('b')
  await turn()
  assert.deepEqual(log.calls, ['append a', 'action begins'])
  gate.open()
  await action
  await turn()
  assert.deepEqual(log.calls, ['append a', 'action begins', 'action ends', 'append b'])
})

test('an exclusive action that fails tells its caller and nobody else', async () => {
  const { queue, append, answers, turn } = scene()
  const failed = assert.rejects(
    queue.exclusively(() => {
      throw new Fault('no')
    }),
    /no/
  )
  append('a')
  await turn()
  await failed
  assert.deepEqual(answers, ['a is 0'])
})

test('closing refuses what is queued and what comes later, but not what is being written', async () => {
  const { log, queue, append, answers, turn } = scene({ rollBytes: 100 })
  const slow = createPromiseGate()
  log.onAppend = () => slow.promise
  append(sized('a', 90))
  await turn()
  append('b', 'c')
  queue.close(FAILURES.streamMissing)
  append('d')
  slow.open()
  await turn()
  const missing = FAILURES.streamMissing.message
  assert.deepEqual(answers, [`d: ${missing}`, 'a....... is 0', `b: ${missing}`, `c: ${missing}`])
})

test('an append that waited for a segment when the stream was closed is not written', async () => {
  const { log, queue, append, answers, turn } = scene({ rollBytes: 100 })
  const roll = createPromiseGate()
  log.onRoll = () => roll.promise
  append(sized('a', 90), sized('b', 90))
  await turn()
  queue.close(FAILURES.streamMissing)
  roll.open()
  await turn()
  assert.deepEqual(answers, ['a....... is 0', `b.......: ${FAILURES.streamMissing.message}`])
  assert.deepEqual(log.calls, ['append a.......', 'roll'])
})
