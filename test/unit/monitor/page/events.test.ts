import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { eventsBetween } from '../../../../component/monitor/page/events.ts'
import type { ExportSnapshot, StreamSnapshot } from '../../../../component/monitor/page/snapshot.ts'
import { exportOf, snapshotOf, streamOf } from '../../../helpers/page-state.ts'

const between = (before: readonly StreamSnapshot[], after: readonly StreamSnapshot[]): string[] =>
  eventsBetween(snapshotOf(before), snapshotOf(after)).map(({ text }) => text)

const ofExport = (before: Partial<ExportSnapshot>, after: Partial<ExportSnapshot>): string[] =>
  between([streamOf({ exports: [exportOf(before)] })], [streamOf({ exports: [exportOf(after)] })])

describe('what happens while the page is open', () => {
  it('is no mere activity', () => {
    assert.deepEqual(ofExport({ state: 'idle' }, { state: 'sending', waitingMessages: 9, exportedMessages: 200 }), [])
  })

  it('is an export that fails, in words, and that works again', () => {
    const failing = { state: 'failing', error: 'TimeoutError: no answer' } as const
    assert.deepEqual(ofExport({}, failing), ['Export cloud of sensor fails: TimeoutError: no answer'])
    assert.deepEqual(ofExport(failing, failing), [])
    assert.deepEqual(ofExport(failing, { state: 'sending' }), ['Export cloud of sensor works again'])
  })

  it('is the loss of messages', () => {
    assert.deepEqual(ofExport({ skippedMessages: 1 }, { skippedMessages: 3, droppedMessages: 1 }), [
      'Export cloud of sensor has skipped 2 messages',
      '1 message of sensor was lost before export cloud got to it'
    ])
  })

  it('is what comes and goes', () => {
    const other = streamOf({ name: 'other' })
    assert.deepEqual(between([streamOf()], [other]), ['Stream other was created', 'Stream sensor was deleted'])
    assert.deepEqual(between([streamOf()], [streamOf({ exports: [exportOf()] })]), ['Export cloud of sensor was added'])
    assert.deepEqual(ofExport({}, { state: 'disabled' }), ['Export cloud of sensor was disabled'])
    assert.deepEqual(ofExport({ state: 'disabled' }, {}), ['Export cloud of sensor was enabled'])
  })

  it('is that appends fail, and work again', () => {
    const failing = [streamOf({ problem: 'the disk is full' })]
    assert.deepEqual(between([streamOf()], failing), ['Appends to sensor fail: the disk is full'])
    assert.deepEqual(between(failing, [streamOf()]), ['Appends to sensor work again'])
  })
})
