import { assert } from '../base/assert.ts'
import type { ArrayBufferPool } from '../base/buffer-pool.ts'
import type { StoredMessage } from '../model/message.ts'
import {
  DOUBLE_BYTES,
  FIELDS,
  indexBytes,
  INGEST_TIME,
  LENGTH,
  MessageBatch,
  OFFSET,
  UNPOOLED
} from './message-batch.ts'

/**
 * Makes a batch while its messages are read: gives the memory that they are read to, and takes them one by one. What was
 * read elsewhere is copied, into more memory if need be.
 */
export class BatchWriter {
  readonly #pool: ArrayBufferPool
  readonly #payloadsAt: number
  readonly #expectedBytes: number
  /** Memory that has become too small: payloads in it were copied, but somebody may still read to it. */
  readonly #outgrown: ArrayBuffer[] = []
  #memory: ArrayBuffer | undefined
  #index: Float64Array = new Float64Array(0)
  #bytes: Buffer = Buffer.alloc(0)
  /** Memory below is in use. */
  #end: number
  #count = 0

  /**
   * @param countMax bound on the messages
   * @param expectedBytes for all of them, with what is read between them; more are possible
   */
  constructor(pool: ArrayBufferPool, countMax: number, expectedBytes: number) {
    this.#pool = pool
    this.#payloadsAt = indexBytes(countMax)
    this.#expectedBytes = expectedBytes
    this.#end = this.#payloadsAt
  }

  /** Messages taken so far. */
  get count(): number {
    return this.#count
  }

  /** Memory to read to; undefined when what was expected is used up. */
  memory(bytes: number): Buffer | undefined {
    this.#prepare(bytes)
    const from = this.#end
    if (from + bytes > this.#bytes.length) return undefined
    this.#end += bytes
    return this.#bytes.subarray(from, this.#end)
  }

  /** Takes the next message. @param payload lies in memory that `memory` gave, or anywhere else */
  take(sequenceNumber: number, ingestTimeMs: number, payload: Buffer): void {
    const offset = payload.buffer === this.#memory ? payload.byteOffset : this.#copy(payload)
    const at = 1 + this.#count * FIELDS
    assert(at + FIELDS <= this.#index.length, 'a batch has no more messages than was said')
    this.#index[at] = sequenceNumber
    this.#index[at + INGEST_TIME] = ingestTimeMs
    this.#index[at + OFFSET] = offset
    this.#index[at + LENGTH] = payload.length
    this.#count += 1
  }

  /** The batch, which now owns the memory. */
  finish(): MessageBatch {
    this.#prepare(0)
    assert(this.#memory !== undefined, 'memory was prepared')
    const batch = new MessageBatch(this.#pool, this.#memory, this.#count)
    this.#memory = undefined
    this.discard()
    return batch
  }

  /** Gives all memory back: there will be no batch. Nobody may read to it any more. */
  discard(): void {
    for (const memory of this.#outgrown) this.#pool.giveBack(memory)
    this.#outgrown.length = 0
    if (this.#memory !== undefined) this.#pool.giveBack(this.#memory)
    this.#memory = undefined
  }

  #copy(payload: Buffer): number {
    this.#prepare(payload.length)
    if (this.#end + payload.length > this.#bytes.length) this.#grow(this.#end + payload.length)
    const offset = this.#end
    this.#bytes.set(payload, offset)
    this.#end += payload.length
    return offset
  }

  #prepare(bytes: number): void {
    if (this.#memory === undefined) this.#use(this.#pool.take(this.#payloadsAt + Math.max(this.#expectedBytes, bytes)))
  }

  #grow(bytesMin: number): void {
    const [before, memory] = [this.#bytes, this.#memory]
    this.#use(this.#pool.take(Math.max(bytesMin, 2 * before.length)))
    this.#bytes.set(before.subarray(0, this.#end))
    if (memory !== undefined) this.#outgrown.push(memory)
  }

  #use(memory: ArrayBuffer): void {
    this.#memory = memory
    this.#bytes = Buffer.from(memory)
    this.#index = new Float64Array(memory, 0, this.#payloadsAt / DOUBLE_BYTES)
  }
}

/** A batch of messages that are there already; they are copied. */
export function packBatch(messages: readonly StoredMessage[], pool: ArrayBufferPool = UNPOOLED): MessageBatch {
  const bytes = messages.reduce((sum, { payload }) => sum + payload.length, 0)
  const writer = new BatchWriter(pool, messages.length, bytes)
  for (const { sequenceNumber, ingestTimeMs, payload } of messages) writer.take(sequenceNumber, ingestTimeMs, payload)
  return writer.finish()
}
