import type { ExportDefinition } from '../model/export-definition.ts'
import type { StoredMessage } from '../model/message.ts'

/** How a request to a destination ended. Only what the destination documents as acceptance counts as delivered. */
export type SendOutcome =
  | { readonly kind: 'delivered' }
  /** `failed` are indices into the batch, ascending; all others were accepted. */
  | { readonly kind: 'partial'; readonly failed: readonly number[]; readonly reason: string }
  /** The whole batch may be sent again; `waitMs` is the destination's own wish. */
  | { readonly kind: 'retryLater'; readonly reason: string; readonly waitMs?: number }
  /** The destination will never accept this batch as it is: isolate the offender, then skip it. */
  | { readonly kind: 'rejected'; readonly reason: string }

/** What fits into one request of a destination. */
export interface BatchLimits {
  readonly countMax: number
  readonly bytesMax: number
  /** What the destination counts for one message, in bytes. */
  sizeOf(message: StoredMessage): number
}

/** A batch of one export on its way to its destination. */
export interface ExportBatch {
  readonly streamName: string
  readonly definition: ExportDefinition
  readonly messages: readonly StoredMessage[]
}

/** Sends one batch; aborting `signal` ends it with `retryLater`. Never rejects. */
export type SendBatch = (batch: ExportBatch, signal: AbortSignal) => Promise<SendOutcome>
