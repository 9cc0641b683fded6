import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeProgress, encodeProgress } from '../../../component/export/progress-codec.ts'

const PROGRESS = {
  next: 2n ** 63n - 1n,
  startSequenceNumber: 7n,
  lastExportTimeMs: 1_700_000_000_000,
  exportedBytes: 12,
  processedMessages: 3,
  skippedMessages: 1
}

test('progress comes back as it was saved', () => {
  assert.deepEqual(decodeProgress(encodeProgress(PROGRESS)), PROGRESS)
  const { next, startSequenceNumber, exportedBytes, processedMessages, skippedMessages } = PROGRESS
  const untried = { next, startSequenceNumber, exportedBytes, processedMessages, skippedMessages }
  assert.deepEqual(decodeProgress(encodeProgress(untried)), untried)
  const withTask = { ...PROGRESS, task: '{"key":"é"}' }
  assert.deepEqual(decodeProgress(encodeProgress(withTask)), withTask)
  assert.deepEqual(decodeProgress(encodeProgress({ ...PROGRESS, task: undefined })), PROGRESS)
  const statusConfig = { statusStreamName: 'statuses' }
  for (const ofTasks of [
    { statusConfig },
    { task: 't', statusConfig: { ...statusConfig, statusLevel: 'trace' } },
    { ended: { reason: 'stream deleted', below: 2 ** 40 } },
    { task: 't', statusConfig, ended: { reason: 'r', below: 0 } }
  ] as const) {
    assert.deepEqual(decodeProgress(encodeProgress({ ...PROGRESS, ...ofTasks })), { ...PROGRESS, ...ofTasks })
  }
})

test('a bad value never stops a start: the export begins anew', () => {
  const damaged = [
    '',
    'null',
    '{}',
    '[]',
    '["-1","0",null,0,0,0]',
    '["1","x",null,0,0,0]',
    '["1","0",null,-1,0,0]',
    '["1","0",null,0,0]'
  ]
  for (const text of damaged) assert.equal(decodeProgress(Buffer.from(text)), undefined, text)
})
