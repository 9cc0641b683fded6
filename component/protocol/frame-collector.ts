import type { FramePool } from '../base/buffer-pool.ts'
import { REFUSED_FRAME_START_BYTES } from '../base/limits.ts'
import { GrowingBuffer } from './growing-buffer.ts'

/** The memory that frames of all connections share (reliability 6.2 N2). */
export interface MemoryBudget {
  /** Takes `bytes`; false when they are not to be had, then nothing is taken. */
  reserve(bytes: number): boolean
  release(bytes: number): void
}

/**
 * Collects the payload of one frame that spans chunks. Memory is reserved for what has arrived, never for what was
 * announced. Once a reservation is refused only the start of the payload is kept, to find the request id in it.
 *
 *     collecting ──all arrived──▶ complete
 *         └──reservation refused──▶ refused ──all arrived──▶ (the frame is over)
 */
export class FrameCollector {
  readonly operation: number
  readonly #payloadBytes: number
  readonly #budget: MemoryBudget
  #kept: GrowingBuffer
  #reservedBytes = 0
  #receivedBytes = 0
  #refused = false
  #startReported = false

  /** @param pool see `GrowingBuffer` */
  constructor(operation: number, payloadBytes: number, budget: MemoryBudget, pool?: FramePool) {
    this.operation = operation
    this.#payloadBytes = payloadBytes
    this.#budget = budget
    this.#kept = new GrowingBuffer(payloadBytes, pool)
  }

  /** Payload bytes that have arrived, discarded ones included. */
  get receivedBytes(): number {
    return this.#receivedBytes
  }

  get isComplete(): boolean {
    return this.#receivedBytes === this.#payloadBytes
  }

  get isRefused(): boolean {
    return this.#refused
  }

  /** Takes the bytes of this frame from `chunk[offset, …)`. Returns the offset behind them. */
  take(chunk: Buffer, offset: number): number {
    const end = Math.min(chunk.length, offset + this.#payloadBytes - this.#receivedBytes)
    this.#receivedBytes += end - offset
    if (!this.#refused) this.#reserve(end - offset)
    const keptEnd = this.#refused ? Math.min(end, offset + this.#startBytesMissing()) : end
    this.#kept.append(chunk, offset, keptEnd)
    return end
  }

  #reserve(bytes: number): void {
    if (this.#budget.reserve(bytes)) {
      this.#reservedBytes += bytes
      return
    }
    this.#refused = true
    this.release()
    const start = Buffer.allocUnsafe(this.#startBytes())
    const startBytes = this.#kept.copyStart(start)
    this.#kept = new GrowingBuffer(start.length)
    this.#kept.append(start, 0, startBytes)
  }

  #startBytes(): number {
    return Math.min(this.#payloadBytes, REFUSED_FRAME_START_BYTES)
  }

  #startBytesMissing(): number {
    return this.#startBytes() - this.#kept.usedBytes
  }

  /** The start of a refused payload, given out once, when as much as is kept of it has arrived. */
  takeRefusedStart(): Buffer | undefined {
    if (!this.#refused || this.#startReported || this.#startBytesMissing() > 0) return undefined
    this.#startReported = true
    return this.#kept.finish()
  }

  /** The memory that begins with the payload of a complete frame. The reserved bytes now belong to the caller. */
  finish(): { readonly memory: Buffer; readonly payloadBytes: number; readonly reservedBytes: number } {
    const reservedBytes = this.#reservedBytes
    this.#reservedBytes = 0
    return { memory: this.#kept.finish(), payloadBytes: this.#payloadBytes, reservedBytes }
  }

  /** Gives back what is reserved. */
  release(): void {
    if (this.#reservedBytes > 0) this.#budget.release(this.#reservedBytes)
    this.#reservedBytes = 0
  }
}
