import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ExportProgress } from '../../../component/export/source.ts'
import { httpExport } from '../../helpers/export-harness.ts'
import { continued, createTaskHarness, s3Export, succeeded, type TaskHarness } from '../../helpers/task-harness.ts'

const progressOf = (harness: TaskHarness): ExportProgress | undefined => harness.saved.get('id-stream/e')
const statusOf = (harness: TaskHarness) => harness.engine.statuses('id-stream')[0]!

describe('a task', () => {
  it('is done step by step, each after the state of the last one is durable', async () => {
    const harness = createTaskHarness()
    harness.open()
    await harness.put()
    assert.equal(harness.step.step.state, undefined)
    await harness.step.answer(continued('one'))
    assert.equal(progressOf(harness)?.task, 'one')
    await harness.step.answer(continued('two'))
    await harness.step.answer(succeeded)
    assert.deepEqual(harness.history, ['proceed -', 'durable', 'proceed one', 'durable', 'proceed two', 'durable'])
    assert.deepEqual(harness.told, [
      [0, 'inProgress', 'upload started'],
      [0, 'success', 'done']
    ])
    assert.equal(progressOf(harness)?.task, undefined)
    const { lastExportedSequenceNumber, exportedBytesFromStream, exportedMessagesCount } = statusOf(harness)
    assert.deepEqual([lastExportedSequenceNumber, exportedBytesFromStream, exportedMessagesCount], [0n, 7, 1])
  })

  it('that fails for good is passed, and shown until the next one works', async () => {
    const harness = createTaskHarness()
    harness.open()
    await harness.put()
    await harness.put()
    await harness.step.answer({ kind: 'failed', reason: 'NoSuchBucket: gone', events: [] })
    assert.equal(statusOf(harness).errorMessage, 'NoSuchBucket: gone')
    assert.equal(harness.step.step.message?.sequenceNumber, 1)
    await harness.step.answer(continued('s'))
    assert.equal(statusOf(harness).errorMessage, 'NoSuchBucket: gone')
    await harness.step.answer(succeeded)
    assert.equal(statusOf(harness).errorMessage, undefined)
    assert.deepEqual(harness.told, [
      [0, 'inProgress', 'upload started'],
      [0, 'failure', 'NoSuchBucket: gone'],
      [1, 'inProgress', 'upload started'],
      [1, 'success', 'done']
    ])
    assert.equal(statusOf(harness).exportedMessagesCount, 2)
    assert.equal(statusOf(harness).exportedBytesFromStream, 7)
    assert.deepEqual(
      harness.log.at('WARN').map(({ message, fields }) => [message, fields['reason'], fields['first'], fields['last']]),
      [['S3 tasks have failed and will not be tried again', 'NoSuchBucket: gone', 0, 0]]
    )
  })

  it('whose attempt failed is tried again from where it was, with a growing pause', async () => {
    const harness = createTaskHarness()
    harness.open(s3Export({ statusConfig: { statusStreamName: 'statuses', statusLevel: 'debug' } }))
    await harness.put()
    await harness.step.answer(continued('one'))
    await harness.step.answer({ kind: 'retryLater', reason: 'SlowDown: wait', events: [] })
    assert.equal(statusOf(harness).errorMessage, 'SlowDown: wait')
    await harness.clock.advanceAsync(749)
    assert.equal(harness.steps.length, 2)
    await harness.clock.advanceAsync(1)
    assert.equal(harness.step.step.state, 'one')
    await harness.step.answer({ kind: 'retryLater', reason: 'SlowDown: wait', state: 'anew', events: [] })
    await harness.clock.advanceAsync(1_500)
    assert.equal(harness.step.step.state, 'anew')
    await harness.step.answer(continued('next'))
    assert.equal(statusOf(harness).errorMessage, undefined)
    const retry = [0, 'inProgress', 'upload attempt failed, will retry: SlowDown: wait'] as const
    assert.deepEqual(harness.told, [[0, 'inProgress', 'upload started'], retry, retry])
  })

  it('waits while its state cannot be made durable', async () => {
    const harness = createTaskHarness()
    harness.open()
    await harness.put()
    harness.durableError = new Error('disk full')
    await harness.step.answer(continued('one'))
    assert.equal(statusOf(harness).errorMessage, 'MessageStoreWriteError: disk full')
    assert.equal(harness.steps.length, 1)
    harness.durableError = undefined
    await harness.clock.advanceAsync(750)
    assert.equal(harness.step.step.state, 'one')
  })

  it('goes on after a restart, which its first step is told', async () => {
    const before = createTaskHarness()
    before.open()
    await before.put()
    await before.step.answer(continued('one'))
    const harness = createTaskHarness()
    harness.saved.set('id-stream/e', progressOf(before)!)
    harness.open()
    await harness.put()
    assert.deepEqual([harness.step.step.state, harness.step.step.resumed], ['one', true])
    await harness.step.answer({ kind: 'retryLater', reason: 'x', events: [] })
    await harness.clock.advanceAsync(750)
    assert.equal(harness.step.step.resumed, true, 'until a step has worked')
    await harness.step.answer(continued('two'))
    assert.deepEqual([harness.step.step.state, harness.step.step.resumed], ['two', false])
    assert.deepEqual(harness.told, [[0, 'inProgress', 'upload resumed']])
  })

  it('gives its slot back between its steps', async () => {
    const harness = createTaskHarness({ concurrencyMax: 1 })
    harness.engine.open(
      harness.source,
      [s3Export({ priority: 10 }), httpExport({ identifier: 'h', priority: 1 })],
      new Map()
    )
    await harness.put()
    assert.deepEqual([harness.sent.length, harness.steps.length], [1, 0])
    await harness.last.answer({ kind: 'delivered' })
    assert.equal(harness.steps.length, 1)
    await harness.put()
    await harness.step.answer(continued('one'))
    assert.deepEqual([harness.sent.length, harness.steps.length], [2, 1])
  })
})

describe('status messages', () => {
  it('are not written without a status stream', async () => {
    const harness = createTaskHarness()
    harness.open({ kind: 's3', identifier: 'e' })
    await harness.put()
    await harness.step.answer(succeeded)
    assert.deepEqual(harness.told, [])
    assert.equal(progressOf(harness)?.next, 1n)
  })

  it('that are not taken are dropped, and warned of once a minute', async () => {
    const harness = createTaskHarness()
    harness.appendStatus = () => Promise.resolve('the message stream is full')
    harness.open()
    for (let task = 0; task < 3; task++) {
      await harness.put()
      await harness.step.answer(succeeded)
    }
    assert.equal(progressOf(harness)?.next, 3n)
    const warnings = (): number => harness.log.at('WARN').filter(({ message }) => message.startsWith('Status')).length
    assert.equal(warnings(), 1)
    await harness.clock.advanceAsync(60_000)
    await harness.put()
    assert.equal(warnings(), 2)
  })

  it('that hang delay uploads by a few seconds only', async () => {
    const harness = createTaskHarness()
    harness.appendStatus = () => new Promise(() => undefined)
    harness.open()
    await harness.put()
    assert.equal(harness.steps.length, 0)
    await harness.clock.advanceAsync(5_000)
    assert.equal(harness.steps.length, 1)
  })
})

describe('the time to live', () => {
  it('cancels a task that would start late, without starting it', async () => {
    const harness = createTaskHarness()
    harness.source.timeToLiveMs = 60_000
    harness.open(s3Export({ disabled: true }))
    await harness.put()
    await harness.clock.advanceAsync(60_000)
    await harness.put()
    harness.engine.update('id-stream', [s3Export()])
    await harness.flush()
    assert.equal(harness.step.step.message?.sequenceNumber, 1)
    assert.deepEqual(harness.told, [
      [0, 'canceled', 'time to live expired'],
      [1, 'inProgress', 'upload started']
    ])
    assert.equal(statusOf(harness).exportedMessagesCount, 1)
  })

  it('cancels nothing for an hour after a jump of the clock', async () => {
    const harness = createTaskHarness()
    harness.source.timeToLiveMs = 60_000
    harness.open()
    await harness.put()
    await harness.step.answer({ kind: 'retryLater', reason: 'x', events: [] })
    harness.clock.jumpWall(86_400_000)
    await harness.clock.advanceAsync(750)
    assert.equal(harness.steps.length, 2)
    await harness.step.answer({ kind: 'retryLater', reason: 'x', waitMs: 300_000, events: [] })
    for (let minutes = 0; minutes < 60; minutes += 5) {
      await harness.clock.advanceAsync(300_000)
      await harness.step.answer({ kind: 'retryLater', reason: 'x', waitMs: 300_000, events: [] })
    }
    assert.deepEqual(harness.told.at(-1), [0, 'canceled', 'time to live expired'])
  })

  it('cancels what the sweep removes, also the task under way and those of a disabled export', async () => {
    const harness = createTaskHarness()
    harness.open()
    for (let task = 0; task < 4; task++) await harness.put()
    await harness.step.answer(continued('one'))
    const { step } = harness
    await harness.source.expire(3)
    await harness.flush()
    assert.equal(step.signal.aborted, true)
    assert.deepEqual(harness.told, [
      [0, 'inProgress', 'upload started'],
      [0, 'canceled', 'time to live expired'],
      [1, 'canceled', 'time to live expired'],
      [2, 'canceled', 'time to live expired'],
      [3, 'inProgress', 'upload started']
    ])
    assert.ok(harness.history.includes('abort one'))
    assert.equal(
      harness.steps.find((pending) => pending.step.state === 'one' && pending.step.action === 'abort')?.step.message,
      undefined
    )
    harness.engine.update('id-stream', [s3Export({ disabled: true })])
    await harness.put()
    await harness.source.expire(5)
    await harness.flush()
    assert.deepEqual(harness.told.slice(5), [
      [3, 'canceled', 'time to live expired'],
      [4, 'canceled', 'time to live expired']
    ])
  })
})

describe('a task that is removed', () => {
  it('to make room is cancelled and cleaned up', async () => {
    const harness = createTaskHarness()
    harness.open()
    await harness.put()
    await harness.put()
    await harness.step.answer(continued('one'))
    harness.source.drop(1)
    await harness.step.answer(continued('two'))
    assert.deepEqual(harness.told, [
      [0, 'inProgress', 'upload started'],
      [0, 'canceled', 'removed from the stream'],
      [1, 'inProgress', 'upload started']
    ])
    assert.ok(harness.history.includes('abort two'))
    assert.equal(progressOf(harness)?.task, undefined)
  })

  it('while the server was down leaves no unfinished upload', async () => {
    const harness = createTaskHarness()
    harness.saved.set('id-stream/e', {
      next: 0n,
      startSequenceNumber: 0n,
      exportedBytes: 0,
      processedMessages: 0,
      skippedMessages: 0,
      task: 'old'
    })
    await harness.put()
    await harness.put()
    harness.source.drop(1)
    harness.open()
    await harness.flush()
    assert.deepEqual(harness.history, ['abort old', 'proceed -'])
  })

  it('is cleaned up a few times at most, then there is a warning', async () => {
    const harness = createTaskHarness()
    harness.open()
    await harness.put()
    await harness.step.answer(continued('one'))
    harness.source.drop(1)
    await harness.step.answer({ kind: 'retryLater', reason: 'x', events: [] })
    await harness.clock.advanceAsync(750)
    for (let attempt = 1; attempt <= 3; attempt++) {
      assert.equal(harness.step.step.action, 'abort')
      const events = [{ level: 'warn', status: 'warning', message: 'not removed' }] as const
      await harness.step.answer({ kind: 'retryLater', reason: 'x', events })
      await harness.clock.advanceAsync(30_000)
    }
    assert.deepEqual(harness.history.filter((entry) => entry.startsWith('abort')).length, 3)
    assert.deepEqual(harness.told.at(-1), [0, 'warning', 'not removed'])
  })
})

describe('the end of an export', () => {
  it('cancels all unfinished tasks of a deleted stream, and lets the stream go then', async () => {
    const harness = createTaskHarness()
    harness.open()
    for (let task = 0; task < 3; task++) await harness.put()
    await harness.step.answer(continued('one'))
    const closed = harness.engine.close('id-stream')
    await harness.flush()
    assert.ok(harness.saved.size > 0, 'until the upload is given up')
    await harness.step.answer({ kind: 'failed', reason: 'AbortError: aborted', events: [] })
    await closed
    assert.deepEqual(harness.told, [
      [0, 'inProgress', 'upload started'],
      [0, 'canceled', 'stream deleted'],
      [1, 'canceled', 'stream deleted'],
      [2, 'canceled', 'stream deleted']
    ])
    assert.ok(harness.history.includes('abort one'))
    assert.equal(harness.saved.size, 0)
  })

  it('is the last that is told of a task, also when its step ends later', async () => {
    const harness = createTaskHarness()
    harness.open(s3Export({ statusConfig: { statusStreamName: 'statuses', statusLevel: 'trace' } }))
    await harness.put()
    await harness.engine.close('id-stream')
    await harness.flush()
    assert.deepEqual(harness.told, [
      [0, 'inProgress', 'upload started'],
      [0, 'canceled', 'stream deleted']
    ])
  })

  it('does not cancel a task whose end was told already', async () => {
    const harness = createTaskHarness()
    harness.open()
    await harness.put()
    await harness.put()
    let release = (): void => undefined
    harness.appendStatus = (payload) =>
      payload.includes('"status":0')
        ? new Promise((resolve) => (release = () => resolve(undefined)))
        : Promise.resolve(undefined)
    await harness.step.answer(succeeded)
    const closed = harness.engine.close('id-stream')
    release()
    await closed
    await harness.flush()
    assert.deepEqual(harness.told.map(([task, status]) => [task, status]).sort(), [
      [0, 'inProgress'],
      [0, 'success'],
      [1, 'canceled']
    ])
  })

  it('cancels the tasks of a deleted definition', async () => {
    const harness = createTaskHarness()
    harness.open()
    await harness.put()
    await harness.put()
    harness.engine.update('id-stream', [])
    await harness.flush()
    assert.deepEqual(harness.told.slice(1), [
      [0, 'canceled', 'export definition deleted'],
      [1, 'canceled', 'export definition deleted']
    ])
    await harness.put()
    assert.equal(harness.steps.length, 1)
    assert.equal(harness.saved.size, 0)
  })

  it('comes also when a definition of another kind takes the identifier', async () => {
    const harness = createTaskHarness()
    harness.open()
    await harness.put()
    harness.engine.update('id-stream', [httpExport()])
    await harness.flush()
    assert.deepEqual(harness.told.at(-1), [0, 'canceled', 'export definition deleted'])
    assert.deepEqual(harness.last.numbers, [0])
  })

  it('does not come with the end of the server', async () => {
    const harness = createTaskHarness()
    harness.open()
    await harness.put()
    await harness.step.answer(continued('one'))
    const stopped = harness.engine.stop(1_000)
    await harness.clock.advanceAsync(1_000)
    await stopped
    assert.deepEqual(harness.told, [[0, 'inProgress', 'upload started']])
    assert.equal(progressOf(harness)?.task, 'one')
    assert.equal(harness.history.includes('abort one'), false)
  })
})

describe('bandwidth', () => {
  it('is shared by the bodies of tasks, piece by piece and in turns', async () => {
    const harness = createTaskHarness({ bandwidthBitsPerSecond: 8_000 })
    harness.open()
    await harness.put()
    const { pace } = harness.step
    const signal = new AbortController().signal
    const sent: string[] = []
    for (const body of ['a', 'b']) {
      void (async () => {
        for (let piece = 0; piece < 5; piece++) {
          await pace(1_000, signal)
          sent.push(body)
        }
      })()
    }
    await harness.clock.advanceAsync(4_000)
    assert.ok(sent.length >= 4 && sent.length <= 6, String(sent))
    assert.deepEqual(
      sent,
      sent.map((_, index) => (index % 2 === 0 ? 'a' : 'b'))
    )
  })

  it('holds nobody up who gives up', async () => {
    const harness = createTaskHarness({ bandwidthBitsPerSecond: 8_000 })
    harness.open()
    await harness.put()
    const abort = new AbortController()
    await harness.step.pace(100_000, abort.signal)
    const waiting = harness.step.pace(1_000, abort.signal)
    abort.abort()
    await waiting
  })
})
