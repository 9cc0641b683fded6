import { nextSlice } from '../base/turn.ts'
import type { SendBatch } from '../export/sink.ts'

/**
 * Gives clients a turn before each batch. The outcome of the one before, the departure of the next and the read of the one
 * behind it would otherwise follow each other at once, a millisecond in which no append is answered.
 */
export function politeSend(send: SendBatch): SendBatch {
  return async (packed, signal, onProgress) => {
    await nextSlice()
    return send(packed, signal, onProgress)
  }
}
