/** A message as it is stored. `payload` may be a view into a larger buffer; it is never written to. */
export interface StoredMessage {
  /** 0 for the first message of a stream, then rising by 1; gaps only where data was removed or damaged. */
  readonly sequenceNumber: number
  /** Wall clock of the server at the append, milliseconds since the epoch. */
  readonly ingestTimeMs: number
  readonly payload: Buffer
}
