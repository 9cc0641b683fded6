import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ExportBatch, OnProgress, SendOutcome } from '../../../component/export/sink.ts'
import type { KinesisExport } from '../../../component/model/export-definition.ts'
import { httpExportRequest } from '../../../component/sinks/http/request.ts'
import { putRecordsBody } from '../../../component/sinks/kinesis/request.ts'
import { limitsOf } from '../../../component/sinks/limits.ts'
import { createExportHarness, createFakeSource, httpExport } from '../../helpers/export-harness.ts'
import { createSeededRandom } from '../../helpers/seeded-random.ts'

const SHARD = { id: 'shardId-0', startKey: 0n, endKey: 2n ** 128n - 1n }
const kinesisExport: KinesisExport = { kind: 'kinesis', identifier: 'k', kinesisStreamName: 'target' }
const random = createSeededRandom(1)

/** What really goes over the line: payloads in base64 between names, keys and numbers. */
function bodyBytes({ streamName, definition, messages }: ExportBatch): number {
  return definition.kind === 'kinesis'
    ? putRecordsBody('target', messages, () => SHARD, random).length
    : httpExportRequest(streamName, 'jsonBatched', messages).body.length
}

for (const definition of [httpExport(), kinesisExport]) {
  for (const [size, rates] of [
    [20, [40_000]],
    [300, [40_000, 250_000]],
    [20_000, [250_000, 2_000_000]]
  ] as const) {
    test(`${definition.kind}: the bandwidth counts bodies, of messages of ${size} bytes too`, async () => {
      for (const bytesPerSecond of rates) {
        let bytes = 0
        const sendBatch = (batch: ExportBatch, _signal: AbortSignal, onProgress?: OnProgress): Promise<SendOutcome> => {
          bytes += bodyBytes(batch)
          onProgress?.(bodyBytes(batch))
          return Promise.resolve({ kind: 'delivered' })
        }
        const harness = createExportHarness({ bandwidthBitsPerSecond: bytesPerSecond * 8, limitsOf, sendBatch })
        const source = createFakeSource(harness.clock)
        source.append(Math.ceil((32 * bytesPerSecond) / size), size)
        harness.engine.open(source, [definition], new Map())
        await harness.clock.advanceAsync(30_000)
        const ratio = bytes / (30 * bytesPerSecond)
        assert.ok(ratio > 0.9 && ratio < 1.1, `${bytesPerSecond} bytes/s: ratio ${ratio}`)
        await harness.engine.stop(0)
      }
    })
  }
}

test('a request whose bodies are never told costs what it was expected to take, without what was left out', async () => {
  const harness = createExportHarness({ bandwidthBitsPerSecond: 8 * 16_384 })
  const source = createFakeSource(harness.clock)
  source.append(2, 16_384)
  source.append(1, 10)
  harness.engine.open(source, [httpExport({ batchSize: 2 })], new Map())
  await harness.flush()
  assert.deepEqual(harness.last.numbers, [0])
  await harness.last.answer({ kind: 'partial', failed: [], unsent: [0], reason: '', waitMs: 1 })
  await harness.clock.advanceAsync(1)
  assert.equal(harness.sent.length, 2, 'nothing has been used up')
})
