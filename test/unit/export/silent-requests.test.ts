import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HttpExport } from '../../../component/model/export-definition.ts'
import {
  createExportHarness,
  createFakeSource,
  httpExport,
  type ExportHarness,
  type FakeSource
} from '../../helpers/export-harness.ts'
import { continued, createTaskHarness, succeeded } from '../../helpers/task-harness.ts'

const DELIVERED = { kind: 'delivered' } as const
const FAILED = { kind: 'retryLater', reason: 'TimeoutError: t' } as const

/** An engine with one slot, and one waiting place. */
function start(): ExportHarness & { open(name: string, fields?: Partial<HttpExport>): Promise<FakeSource> } {
  const harness = createExportHarness({ concurrencyMax: 1 })
  return Object.assign(harness, {
    async open(name: string, fields: Partial<HttpExport> = {}) {
      const source = createFakeSource(harness.clock, name)
      source.append(1)
      harness.engine.open(source, [httpExport({ uri: `http://${name}/`, ...fields })], new Map())
      await harness.flush()
      return source
    }
  })
}

const streamsOf = ({ sent }: ExportHarness): string[] => sent.map(({ batch }) => batch.streamName)

function messageOf(harness: ExportHarness, name: string): string | undefined {
  return harness.engine.statuses(`id-${name}`)[0]?.errorMessage
}

/** `a` hangs in the waiting place, `b` in the slot, `c` wants it. */
async function crowded(): Promise<ReturnType<typeof start>> {
  const h = start()
  await h.open('a')
  await h.clock.advanceAsync(5_000)
  await h.open('b')
  await h.open('c')
  await h.clock.advanceAsync(5_000)
  return h
}

test('the export whose request was ended for others says so, and its data is sent again', async () => {
  const h = await crowded()
  assert.equal(h.sent[1]?.signal.aborted, true)
  await h.sent[1].answer({ kind: 'retryLater', reason: 'AbortError: aborted' })
  assert.deepEqual(streamsOf(h), ['a', 'b', 'c'])
  assert.equal(messageOf(h, 'b'), 'TimeoutError: no answer within 5 s, and other exports waited')
  await h.sent[0]?.answer(DELIVERED)
  await h.clock.advanceAsync(1_000)
  assert.deepEqual(streamsOf(h), ['a', 'b', 'c', 'b'], 'b begins in the waiting place')
  assert.deepEqual(h.last.numbers, [0])
})

test('an answer that comes while a request is being ended for others counts', async () => {
  const h = await crowded()
  await h.sent[1]?.answer(DELIVERED)
  assert.equal(messageOf(h, 'b'), undefined)
  assert.equal(h.engine.totals.http.deliveredMessages, 1)
})

test('a slow success leaves an export suspect, a quick one of any kind clears it', async () => {
  for (const quick of [DELIVERED, { kind: 'retryLater', reason: 'refused', waitMs: 0 }] as const) {
    const h = start()
    const slow = await h.open('slow')
    await h.clock.advanceAsync(20_000)
    await h.last.answer(DELIVERED)
    await h.open('other')
    slow.append(1)
    await h.flush()
    assert.deepEqual(streamsOf(h), ['slow', 'other', 'slow'], 'not in the slot')
    await h.last.answer(quick)
    slow.append(1)
    await h.clock.advanceAsync(1_000)
    assert.equal(h.sent.length, 3, 'it wants the slot, which the other one has')
  }
})

test('what ends a request before its time neither clears a suspicion nor makes one', async () => {
  const h = start()
  await h.open('a')
  await h.clock.advanceAsync(60_000)
  await h.last.answer(FAILED)
  await h.clock.advanceAsync(750)
  // A replay ends the request under way.
  h.engine.update('id-a', [httpExport({ uri: 'http://a/', startSequenceNumber: 1n })])
  assert.equal(h.last.signal.aborted, true)
  await h.last.answer({ kind: 'retryLater', reason: 'AbortError: aborted' })
  h.engine.update('id-a', [httpExport({ uri: 'http://a/', startSequenceNumber: 0n })])
  await h.flush()
  await h.open('b')
  assert.deepEqual(streamsOf(h), ['a', 'a', 'a', 'b'], 'a left the slot to b')
})

test('another destination is judged anew, the same one is not', async () => {
  for (const [uri, sees] of [
    ['http://a/', true],
    ['http://elsewhere/', false]
  ] as const) {
    const h = start()
    await h.open('a')
    await h.clock.advanceAsync(60_000)
    await h.last.answer(FAILED)
    h.engine.update('id-a', [httpExport({ uri })])
    await h.flush()
    await h.open('b')
    assert.equal(streamsOf(h).includes('b'), sees)
  }
})

test('a body that makes progress keeps its slot', async () => {
  let progressed: (() => void) | undefined
  const h = createExportHarness({
    concurrencyMax: 1,
    sendBatch: (_batch, _signal, onProgress) => {
      progressed ??= onProgress
      return new Promise(() => undefined)
    }
  })
  for (const name of ['a', 'b']) {
    const source = createFakeSource(h.clock, name)
    source.append(1)
    h.engine.open(source, [httpExport()], new Map())
  }
  const attempts = (): number =>
    ['a', 'b'].filter((name) => h.saved.get(`id-${name}/e`)?.lastExportTimeMs !== undefined).length
  for (let second = 0; second < 60; second += 4) {
    await h.clock.advanceAsync(4_000)
    progressed?.()
  }
  assert.equal(attempts(), 1)
  await h.clock.advanceAsync(5_000)
  assert.equal(attempts(), 2)
})

test('steps of tasks are silent only while the service is waited for', async () => {
  const harness = createTaskHarness({ concurrencyMax: 1 })
  const source = createFakeSource(harness.clock, 'other')
  harness.open()
  await harness.put()
  await harness.step.answer(continued('begun'))
  harness.engine.open(source, [httpExport({ priority: 1 })], new Map())
  source.append(1)
  // The pace of the harness has no limit: its wait is over in the next turn.
  for (let second = 0; second < 60; second += 4) {
    await harness.clock.advanceAsync(4_000)
    await harness.step.pace(1, harness.step.signal)
  }
  assert.equal(harness.sent.length, 0, 'a part that is taken piece by piece keeps its slot')
  await harness.clock.advanceAsync(5_000)
  assert.equal(harness.sent.length, 1, 'one that is not lends it')
  await harness.step.answer(succeeded)
})

test('a notice is logged once an hour, another one after a minute, and is no error', async () => {
  const h = start()
  const source = await h.open('a')
  const answer = async (notice: string): Promise<void> => {
    await h.last.answer({ ...DELIVERED, notice })
    source.append(1)
    await h.flush()
  }
  const notices = (): unknown[] => h.log.at('INFO').map(({ fields }) => fields['notice'])
  await answer('one')
  await answer('one')
  await answer('two')
  assert.deepEqual(notices(), ['one'])
  await h.clock.advanceAsync(60_000)
  await answer('two')
  await h.clock.advanceAsync(3_599_999)
  await answer('two')
  assert.deepEqual(notices(), ['one', 'two'])
  await h.clock.advanceAsync(1)
  await answer('two')
  assert.deepEqual(notices(), ['one', 'two', 'two'])
  assert.equal(messageOf(h, 'a'), undefined)
  assert.equal(h.log.at('WARN').length, 0)
})
