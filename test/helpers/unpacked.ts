import { packBatch } from '../../component/export/batch-writer.ts'
import type { ExportBatch, OnProgress, PackedExport, SendBatch, SendOutcome } from '../../component/export/sink.ts'

/** Sends messages, as sinks do. */
export type SendMessages = (batch: ExportBatch, signal: AbortSignal, onProgress?: OnProgress) => Promise<SendOutcome>

/** Has the engine's batches sent without a worker between. */
export const unpacked =
  (send: SendMessages): SendBatch =>
  ({ batch, ...rest }, signal, onProgress) =>
    send({ ...rest, messages: batch.messages() }, signal, onProgress)

/** The other way round, as the engine hands a batch to the worker's host. */
export const packed = ({ messages, ...rest }: ExportBatch): PackedExport => ({ ...rest, batch: packBatch(messages) })
