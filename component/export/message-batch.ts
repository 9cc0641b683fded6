import { assert } from '../base/assert.ts'
import type { ArrayBufferPool } from '../base/buffer-pool.ts'
import type { StoredMessage } from '../model/message.ts'

/*
 * A batch lies in one piece of memory, so that it crosses threads without anything to be done for each message:
 *
 *     count | count × (sequence number, ingest time, offset of the payload, its length) | room for more entries
 *     payloads, with anything before, between and behind them
 *
 * The numbers are doubles in the machine's byte order. A payload stays where it was read to, between the headers of
 * records: what is written for it here is its entry.
 */
export const FIELDS = 4
export const DOUBLE_BYTES = 8
export const INGEST_TIME = 1
export const OFFSET = 2
export const LENGTH = 3

/** Bytes of a batch before its payloads. */
export const indexBytes = (count: number): number => (1 + count * FIELDS) * DOUBLE_BYTES

/** Neighbouring numbers. */
export interface NumberRange {
  readonly first: number
  readonly last: number
}

/**
 * Messages of one stream in ascending order, in memory that belongs to a pool. While somebody else has the memory nothing
 * but `count` is known of them.
 */
export class MessageBatch {
  readonly #pool: ArrayBufferPool
  #memory: ArrayBuffer | undefined
  #index: Float64Array = new Float64Array(0)
  #count: number

  /** @param memory from the pool, laid out as above */
  constructor(pool: ArrayBufferPool, memory: ArrayBuffer, count: number) {
    this.#pool = pool
    this.#count = count
    this.takeBack(memory)
  }

  get count(): number {
    return this.#count
  }

  /** Sum of all payloads. */
  get payloadBytes(): number {
    let bytes = 0
    for (let at = 0; at < this.#count; at += 1) bytes += this.payloadBytesAt(at)
    return bytes
  }

  /** Sequence number of a message. @param at its index, below `count` */
  numberAt(at: number): number {
    return this.#field(at, 0)
  }

  payloadBytesAt(at: number): number {
    return this.#field(at, LENGTH)
  }

  /** The message itself; its payload is a view into the batch's memory. */
  messageAt(at: number): StoredMessage {
    assert(this.#memory !== undefined, 'a batch that was handed over has no payloads')
    return {
      sequenceNumber: this.#field(at, 0),
      ingestTimeMs: this.#field(at, INGEST_TIME),
      payload: Buffer.from(this.#memory, this.#field(at, OFFSET), this.#field(at, LENGTH))
    }
  }

  /** Like `messageAt`, with a payload of its own. */
  copyOf(at: number): StoredMessage {
    const message = this.messageAt(at)
    return { ...message, payload: Buffer.from(message.payload) }
  }

  /** Like `messageAt`, for all of them. */
  messages(): StoredMessage[] {
    return Array.from({ length: this.#count }, (_, at) => this.messageAt(at))
  }

  /** Which numbers the batch has, ascending. */
  ranges(): NumberRange[] {
    const ranges: NumberRange[] = []
    for (let at = 0; at < this.#count;) {
      const first = this.numberAt(at)
      let last = first
      for (at += 1; at < this.#count && this.numberAt(at) === last + 1; at += 1) last += 1
      ranges.push({ first, last })
    }
    return ranges
  }

  /** Leaves out what lies behind the first `count` messages. */
  truncate(count: number): void {
    this.#count = Math.min(this.#count, count)
  }

  /** Leaves out the messages whose numbers are not wanted. */
  retain(isWanted: (sequenceNumber: number) => boolean): void {
    let kept = 0
    for (let at = 0; at < this.#count; at += 1) {
      if (!isWanted(this.numberAt(at))) continue
      const from = 1 + at * FIELDS
      this.#index.copyWithin(1 + kept * FIELDS, from, from + FIELDS)
      kept += 1
    }
    this.#count = kept
  }

  /** The memory, to be transferred to another thread, which finds the messages with `unpackBatch`. */
  handOver(): ArrayBuffer {
    const memory = this.#memory
    assert(memory !== undefined, 'a batch is handed over once')
    this.#index[0] = this.#count
    this.#memory = undefined
    return memory
  }

  /** The memory has come back. @param memory what `handOver` gave, with the same contents */
  takeBack(memory: ArrayBuffer): void {
    this.#memory = memory
    this.#index = new Float64Array(memory, 0, 1 + this.#count * FIELDS)
  }

  /** Lets the memory be used again, if it is here: nobody may look at the messages any more. */
  release(): void {
    if (this.#memory !== undefined) this.#pool.giveBack(this.#memory)
    this.#memory = undefined
    this.#index = new Float64Array(0)
  }

  #field(at: number, field: number): number {
    const value = this.#index[1 + at * FIELDS + field]
    assert(value !== undefined, 'the message is in the batch, and the batch is here')
    return value
  }
}

/** The messages of a batch in memory that was handed over; their payloads are views, which end when it is transferred again. */
export function unpackBatch(memory: ArrayBuffer): StoredMessage[] {
  const [count = 0] = new Float64Array(memory, 0, 1)
  return new MessageBatch(UNPOOLED, memory, count).messages()
}

/** Memory that nobody waits for. */
export const UNPOOLED: ArrayBufferPool = { take: (bytes) => new ArrayBuffer(bytes), giveBack: () => undefined }
