import type { ExportDefinition } from '../model/export-definition.ts'
import type { StoredMessage } from '../model/message.ts'
import type { MessageBatch } from './message-batch.ts'

/**
 * How a request to a destination ended. Only what the destination documents as acceptance counts as delivered. `waitMs`
 * is the pause before the next request of this export that the destination, or its pacing rule, asks for; the engine
 * bounds it to five minutes and holds no slot meanwhile.
 */
export type SendOutcome = (
  | { readonly kind: 'delivered'; readonly waitMs?: number }
  | PartialOutcome
  /** The whole batch may be sent again. */
  | { readonly kind: 'retryLater'; readonly reason: string; readonly waitMs?: number }
  /** The destination will never accept this batch as it is: isolate the offender, then skip it. */
  | { readonly kind: 'rejected'; readonly reason: string; readonly waitMs?: number }
) & {
  /** What the operator should know although the export works: it is logged now and then, and is no error. */
  readonly notice?: string
}

/** A message that the destination will never accept. */
export interface Rejection {
  /** Index into the batch. */
  readonly index: number
  readonly reason: string
}

/**
 * An answer that tells messages apart. All lists are about indices into the batch, ascending, without overlap; messages in
 * none of them were accepted. While any are failed or unsent, nothing behind the batch is sent.
 */
export interface PartialOutcome {
  readonly kind: 'partial'
  /** May be sent again, after the backoff. */
  readonly failed: readonly number[]
  /** These are skipped. */
  readonly rejected?: readonly Rejection[]
  /** Not part of the request: sent again after `waitMs` alone. Without a pause another list or acceptance must progress. */
  readonly unsent?: readonly number[]
  /** What happened to the first failed message; without effect when there is none. */
  readonly reason: string
  readonly waitMs?: number
}

/** What fits into one request of a destination. */
export interface BatchLimits {
  readonly countMax: number
  readonly bytesMax: number
  /** What the destination counts for one message with so many bytes of payload, in bytes. */
  sizeOf(payloadBytes: number): number
  /** What such a message takes in a request's body, about, where that is more than what the destination counts. */
  bodyBytesOf?(payloadBytes: number): number
}

/** A batch of one export on its way to its destination. */
export interface ExportBatch {
  readonly streamName: string
  readonly definition: ExportDefinition
  readonly messages: readonly StoredMessage[]
}

/** The same on the way to the thread that sends it; its memory is back when the outcome tells messages apart. */
export interface PackedExport {
  readonly streamName: string
  readonly definition: ExportDefinition
  readonly batch: MessageBatch
}

/**
 * To be called whenever the destination has taken a part of a request, or anything else shows that it is there.
 * @param bodyBytes given instead when a body of so many bytes begins to be sent, which says nothing about the destination
 */
export type OnProgress = (bodyBytes?: number) => void

/** Sends one batch; aborting `signal` ends it with `retryLater`. Never rejects. */
export type SendBatch = (packed: PackedExport, signal: AbortSignal, onProgress?: OnProgress) => Promise<SendOutcome>

/**
 * One destination, as the exporter worker uses it: sends the batches of one export, at most one at a time.
 */
export interface Sink {
  /** Sends one batch; aborting `signal` ends it with `retryLater`. Never rejects. */
  send(batch: ExportBatch, signal: AbortSignal, onProgress?: OnProgress): Promise<SendOutcome>
  /** Gives connections back. Requests under way are not waited for. */
  close(): void
}
