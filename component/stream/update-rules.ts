import { startSequenceNumberOf } from '../model/export-definition.ts'
import { FAILURES, type Failure } from '../model/failure.ts'
import type { StreamDefinition } from '../model/stream-definition.ts'
import type { StorageStatus } from '../model/stream-info.ts'

function refusal(message: string): Failure {
  return { kind: 'invalidRequest', message }
}

/** A segment larger than the stream is refused, unless it was created so and neither size changes. */
function segmentSizeObstacle(current: StreamDefinition, next: StreamDefinition): Failure | undefined {
  if (BigInt(next.segmentSizeBytes) <= next.maxSizeBytes) return undefined
  const isUnchanged = next.segmentSizeBytes === current.segmentSizeBytes && next.maxSizeBytes === current.maxSizeBytes
  if (isUnchanged) return undefined
  return refusal(`streamSegmentSize ${next.segmentSizeBytes} is larger than maxSize ${next.maxSizeBytes.toString()}`)
}

/** An export can be sent back or forward, but only to a message that exists (behaviour 3.7). */
function startNumberObstacle(current: StreamDefinition, next: StreamDefinition, newest: number): Failure | undefined {
  const before = new Map(current.exports.map((item) => [item.identifier, startSequenceNumberOf(item)]))
  for (const item of next.exports) {
    const start = startSequenceNumberOf(item)
    const startBefore = before.get(item.identifier)
    if (startBefore === undefined || startBefore === start || start < BigInt(newest)) continue
    return refusal(`startSequenceNumber ${start.toString()} must be less than the newest sequence number ${newest}`)
  }
  return undefined
}

/**
 * What stands against replacing `current` by `next`, or undefined (behaviour 3.7).
 * @param mayDropData whether what does not fit into a smaller stream may go
 */
export function updateObstacle(
  current: StreamDefinition,
  next: StreamDefinition,
  status: StorageStatus,
  mayDropData = false
): Failure | undefined {
  if (next.persistence !== current.persistence) return FAILURES.persistenceChanged
  if (next.maxSizeBytes < BigInt(status.totalBytes) && !mayDropData) {
    return refusal(
      `maxSize ${next.maxSizeBytes.toString()} is smaller than the current size ${status.totalBytes} of the message stream`
    )
  }
  return segmentSizeObstacle(current, next) ?? startNumberObstacle(current, next, status.newestSequenceNumber)
}
