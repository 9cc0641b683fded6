import { KIB, MIB } from '../base/limits.ts'
import { SLICE_BYTES } from '../base/turn.ts'
import { memoryBytes, type Stream } from '../stream/index.ts'
import { BatchWriter } from './batch-writer.ts'
import type { ExportSource } from './source.ts'

/** With its index a batch of this size still is memory that is used again. */
const BATCH_MEMORY_BYTES_MAX = 8 * MIB - 64 * KIB

/** The side of a stream that exports see: its durable messages and nothing else. */
export function exportSourceOf(stream: Stream): ExportSource {
  const { log, removals } = stream
  return {
    streamId: stream.id,
    streamName: stream.name,
    get oldest() {
      return log.oldest
    },
    get durableNext() {
      return log.durableNext
    },
    get storedNext() {
      return log.next
    },
    get removals() {
      return removals.list
    },
    read: (from, countMax, bytesMax) => log.read(from, log.durableNext, countMax, bytesMax),
    async readBatch(from, countMax, bytesMax, pool) {
      const limit = log.durableNext
      const count = Math.max(0, Math.min(countMax, limit - Math.max(from, log.oldest)))
      const writer = new BatchWriter(pool, count, memoryBytes(log, count, bytesMax, BATCH_MEMORY_BYTES_MAX))
      try {
        // Nobody waits for an export as clients do for their answers.
        await log.readInto(writer, from, limit, count, bytesMax, SLICE_BYTES)
      } catch (error) {
        writer.discard()
        throw error
      }
      return writer.finish()
    },
    readStored: (from, countMax, bytesMax) => log.read(from, log.next, countMax, bytesMax),
    get timeToLiveMs() {
      return stream.definition.timeToLiveMs
    },
    onExpiring: (listener) => stream.onExpiring(listener),
    onDurable: (listener) => stream.onDurable(listener)
  }
}
