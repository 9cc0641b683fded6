import assert from 'node:assert/strict'
import { test } from 'node:test'
import { packBatch } from '../../../component/export/batch-writer.ts'
import { politeSend } from '../../../component/exporter/index.ts'
import type { PackedExport, SendOutcome } from '../../../component/export/sink.ts'

test('a batch is handed over in the next turn, with all that belongs to it, and its outcome comes back', async () => {
  const batch: PackedExport = {
    streamName: 's',
    definition: { kind: 'http', identifier: 'e', uri: 'http://localhost/' },
    batch: packBatch([])
  }
  const { signal } = new AbortController()
  const onProgress = (): void => undefined
  const outcome: SendOutcome = { kind: 'delivered' }
  const handed: unknown[][] = []
  const send = politeSend((...args) => {
    handed.push(args)
    return Promise.resolve(outcome)
  })
  const sent = send(batch, signal, onProgress)
  assert.equal(handed.length, 0)
  assert.equal(await sent, outcome)
  assert.deepEqual(handed, [[batch, signal, onProgress]])
})
