import { SLICE_BYTES } from '../base/turn.ts'
import { memoryBytes, type Stream } from '../stream/index.ts'
import type { ExportSource } from './source.ts'

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
    read(from, countMax, bytesMax, memory) {
      const limit = log.durableNext
      const count = Math.min(countMax, limit - Math.max(from, log.oldest))
      const into = count > 0 ? memory?.(memoryBytes(log, count, bytesMax)) : undefined
      // Nobody waits for an export as clients do for their answers.
      return log.read(from, limit, countMax, bytesMax, { memory: into, wholeBytes: SLICE_BYTES })
    },
    readStored: (from, countMax, bytesMax) => log.read(from, log.next, countMax, bytesMax),
    get timeToLiveMs() {
      return stream.definition.timeToLiveMs
    },
    onExpiring: (listener) => stream.onExpiring(listener),
    onDurable: (listener) => stream.onDurable(listener)
  }
}
