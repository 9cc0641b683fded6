import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SendOutcome } from '../../../component/export/sink.ts'
import { createExportHarness, createFakeSource, httpExport } from '../../helpers/export-harness.ts'

const NOTICE = 'Export goes on, with a remark of its destination'
const notice = 'shards cannot be listed'

/** Messages of the log that are told when a batch of two ends so. */
async function toldOf(outcome: SendOutcome): Promise<readonly string[]> {
  const harness = createExportHarness()
  const source = createFakeSource(harness.clock)
  source.append(2)
  harness.engine.open(source, [httpExport()], new Map())
  await harness.flush()
  await harness.last.answer({ ...outcome, notice })
  return harness.log.entries.map(({ message }) => message)
}

test('a remark of the destination is told of an export that goes on', async () => {
  const accepted: readonly SendOutcome[] = [
    { kind: 'delivered' },
    { kind: 'partial', failed: [], unsent: [1], reason: '', waitMs: 100 }
  ]
  for (const outcome of accepted) assert.deepEqual(await toldOf(outcome), [NOTICE])
})

test('of one that fails only the failure is told', async () => {
  const failed: readonly SendOutcome[] = [
    { kind: 'retryLater', reason: 'TimeoutError: no answer' },
    { kind: 'partial', failed: [1], reason: 'InternalFailure: x' }
  ]
  for (const outcome of failed) assert.deepEqual(await toldOf(outcome), ['Export failed and will be repeated'])
})
