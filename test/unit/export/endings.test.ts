import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ExportProgress } from '../../../component/export/source.ts'
import { httpExport } from '../../helpers/export-harness.ts'
import { continued, createTaskHarness, s3Export, type TaskHarness } from '../../helpers/task-harness.ts'

/** More than are told at a time. */
const TASKS = 1_200
const PAGE = 500

async function withTasks(count = TASKS): Promise<TaskHarness> {
  const harness = createTaskHarness()
  for (let task = 0; task < count; task++) {
    harness.source.appendPayload(Buffer.from(JSON.stringify({ inputUrl: 'file:/f', bucket: 'bucket', key: 'key' })))
  }
  await harness.flush()
  return harness
}

const recordsOf = ({ saved }: TaskHarness): Map<string, ExportProgress> =>
  new Map([...saved].map(([key, record]) => [key.replace('id-stream/', ''), record]))

const canceledIn = ({ told }: TaskHarness): number[] =>
  told.filter(([, status]) => status === 'canceled').map(([task]) => task)

/** Takes `count` status messages and then no more, as a server does that is about to be killed. */
function tellOnly(harness: TaskHarness, count: number): void {
  let taken = 0
  harness.appendStatus = () => (taken++ < count ? Promise.resolve(undefined) : new Promise(() => undefined))
}

describe('an export that is gone', () => {
  it('has the rest of its tasks told after a kill, and its upload given up', async () => {
    const before = await withTasks()
    before.open()
    await before.flush()
    await before.step.answer(continued('one'))
    tellOnly(before, PAGE)
    before.engine.update('id-stream', [])
    await before.flush()
    const records = recordsOf(before)
    assert.deepEqual([...records.keys()], ['e/1'])
    assert.equal(records.get('e/1')?.next, BigInt(PAGE))

    const harness = await withTasks(TASKS + 5)
    harness.engine.open(harness.source, [], records)
    await harness.flush()
    assert.deepEqual(
      canceledIn(harness),
      Array.from({ length: TASKS - PAGE }, (_, index) => PAGE + index)
    )
    assert.deepEqual(harness.told[0], [PAGE, 'canceled', 'export definition deleted'])
    assert.deepEqual([harness.step.step.action, harness.step.step.state], ['abort', 'one'])
    await harness.step.answer({ kind: 'failed', reason: 'AbortError: aborted', events: [] })
    assert.equal(harness.saved.size, 0)
    assert.equal(harness.history.at(-1), 'durable')
  })

  it('has its tasks told where its newest definition says, although a kill came before the engine heard', async () => {
    const renamed = s3Export({ statusConfig: { statusStreamName: 'elsewhere' } })
    const before = await withTasks(1)
    before.open()
    before.engine.update('id-stream', [renamed])
    assert.deepEqual(recordsOf(before).get('e')?.statusConfig, { statusStreamName: 'elsewhere' })
    before.engine.update('id-stream', [s3Export({ statusConfig: {} })])
    assert.deepEqual(recordsOf(before).get('e')?.statusConfig, {})

    // A kill between the commit of a definition and that of the record leaves them apart until the next start.
    const between = await withTasks(1)
    between.engine.open(between.source, [renamed], recordsOf(before))
    assert.deepEqual(recordsOf(between).get('e')?.statusConfig, { statusStreamName: 'elsewhere' })

    const after = await withTasks(1)
    after.engine.open(after.source, [], recordsOf(between))
    await after.flush()
    assert.deepEqual(after.told, [[0, 'canceled', 'export definition deleted']])
    assert.deepEqual(after.toldTo, ['elsewhere'])
  })

  it('changes its record in one commit, before anything is told', async () => {
    const harness = await withTasks(3)
    harness.open()
    await harness.flush()
    await harness.step.answer(continued('one'))
    let recordsAtCommit: string[] | undefined
    harness.appendStatus = () => {
      recordsAtCommit ??= [...recordsOf(harness).keys()]
      assert.equal(harness.history.at(-1), 'durable')
      return Promise.resolve(undefined)
    }
    harness.engine.update('id-stream', [])
    await harness.flush()
    assert.deepEqual(recordsAtCommit, ['e/1'])
  })

  it('is known by its progress when it was removed right before a kill', async () => {
    const before = await withTasks(3)
    before.open()
    await before.flush()
    await before.step.answer(continued('one'))
    const harness = await withTasks(3)
    harness.engine.open(harness.source, [], recordsOf(before))
    await harness.flush()
    assert.deepEqual(canceledIn(harness), [0, 1, 2])
    assert.deepEqual([...recordsOf(harness).keys()], ['e/1'], 'until the upload is given up')
  })

  it('is known also when it was never attempted', async () => {
    const before = await withTasks(3)
    before.source.drop(1)
    before.open(s3Export({ disabled: true }))
    const harness = await withTasks(3)
    harness.engine.open(harness.source, [], recordsOf(before))
    await harness.flush()
    assert.deepEqual(canceledIn(harness), [1, 2])
  })

  it('may have left its identifier to one of another kind', async () => {
    const before = await withTasks(2)
    before.open()
    await before.flush()
    const harness = await withTasks(2)
    harness.engine.open(harness.source, [httpExport({ identifier: 'e' })], recordsOf(before))
    harness.engine.start()
    await harness.flush()
    assert.deepEqual(canceledIn(harness), [0, 1])
    assert.deepEqual(harness.last.numbers, [0, 1])
  })

  it('keeps what is left when the server stops, and lets nobody remove the data', async () => {
    const harness = await withTasks()
    harness.open(s3Export({ disabled: true }))
    tellOnly(harness, PAGE)
    const refused = assert.rejects(harness.engine.close('id-stream'), /stop before all tasks/)
    await harness.flush()
    const stopped = harness.engine.stop(1_000)
    await harness.clock.advanceAsync(10_000)
    await stopped
    await refused
    assert.equal(recordsOf(harness).get('e/1')?.next, BigInt(PAGE))

    const next = await withTasks()
    next.engine.open(next.source, [], recordsOf(harness))
    await next.engine.close('id-stream')
    assert.equal(canceledIn(next).length, TASKS - PAGE)
    assert.deepEqual(next.told[0], [PAGE, 'canceled', 'stream deleted'])
    assert.equal(next.saved.size, 0)
  })

  it('does not wait out its pauses when the server stops', async () => {
    const harness = await withTasks(1)
    harness.open()
    await harness.flush()
    await harness.step.answer(continued('one'))
    const refused = assert.rejects(harness.engine.close('id-stream'))
    await harness.flush()
    await harness.step.answer({ kind: 'retryLater', reason: 'no network', events: [] })
    void harness.engine.stop(0)
    await refused
    assert.equal(recordsOf(harness).get('e/1')?.task, 'one')
  })
})
