import { BATCH_SIZE_MAX, type ExportDefinition } from '../model/export-definition.ts'
import type { Flight } from './cursor.ts'
import type { BatchLimits, PartialOutcome } from './sink.ts'

/** Messages per request as the definition asks for (protocol 5.8). */
export function batchSizeOf(definition: ExportDefinition): number {
  return (definition.kind === 's3' ? undefined : definition.batchSize) ?? BATCH_SIZE_MAX[definition.kind]
}

/** What the destination would have counted for the messages that were left out of the request. */
export function unsentBytes(flight: Flight, { unsent = [] }: PartialOutcome, limits: BatchLimits): number {
  return unsent.reduce((sum, index) => {
    const message = flight.messages[index]
    return message === undefined ? sum : sum + limits.sizeOf(message)
  }, 0)
}
