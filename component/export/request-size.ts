import { BATCH_SIZE_MAX, type ExportDefinition } from '../model/export-definition.ts'
import type { Flight } from './cursor.ts'
import type { BatchLimits, OnProgress, PartialOutcome, SendOutcome } from './sink.ts'
import type { Grant } from './slots.ts'
import type { TaskProgress } from './task.ts'

/** Messages per request as the definition asks for (protocol 5.8). */
export function batchSizeOf(definition: ExportDefinition): number {
  return (definition.kind === 's3' ? undefined : definition.batchSize) ?? BATCH_SIZE_MAX[definition.kind]
}

/**
 * The limits of one request when the bandwidth bounds it: then its body counts, which may be longer than what the
 * destination counts, and is never shorter.
 * @param requestBytesMax of the bandwidth; Infinity when there is none
 */
export function limitsWithin(limits: BatchLimits, requestBytesMax: number): BatchLimits {
  if (requestBytesMax >= limits.bytesMax) return limits
  return { ...limits, bytesMax: requestBytesMax, sizeOf: limits.bodyBytesOf ?? limits.sizeOf }
}

/**
 * Charges a request to the bandwidth (behaviour 6.4): what it will take as far as that is known when it is granted, and
 * what its bodies do take once they are sent.
 */
export interface RequestCharge {
  /** Tells the grant of progress. The first body that begins takes the place of what was charged in advance. */
  readonly onProgress: OnProgress
  /** The request is over. */
  settle(outcome: SendOutcome | TaskProgress): void
}

/** Charges the flight's size in advance. @param limits the flight was cut with */
export function chargeRequest(grant: Grant, flight: Flight, limits: BatchLimits): RequestCharge {
  let advanceBytes = flight.bytes
  grant.charge(advanceBytes)
  return {
    onProgress(bodyBytes) {
      if (bodyBytes === undefined) {
        grant.progressed()
        return
      }
      grant.refund(advanceBytes - bodyBytes)
      advanceBytes = 0
    },
    settle(outcome) {
      if (advanceBytes > 0 && outcome.kind === 'partial') grant.refund(unsentBytes(flight, outcome, limits))
    }
  }
}

/** What the messages that were left out of the request would have taken. */
function unsentBytes(flight: Flight, { unsent = [] }: PartialOutcome, limits: BatchLimits): number {
  return unsent.reduce((sum, index) => sum + limits.sizeOf(flight.batch.payloadBytesAt(index)), 0)
}
