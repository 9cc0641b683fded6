import { assert } from '../base/assert.ts'
import type { FramePool } from '../base/buffer-pool.ts'
import { FRAME_LENGTH_MAX, REFUSED_FRAME_START_BYTES } from '../base/limits.ts'
import { FrameCollector, type MemoryBudget } from './frame-collector.ts'

/*
 * A frame (protocol 1):
 *
 *     length     4 bytes, signed big-endian: operation and payload
 *     operation  1 byte, signed
 *     payload    length - 1 bytes: one CBOR map
 *
 * Before the first frame each side sends one byte, the connect version.
 */

const LENGTH_BYTES = 4
/** Bytes of a frame before its payload. */
export const FRAME_HEADER_BYTES = 5
/** Longest payload of a frame. */
export const FRAME_PAYLOAD_BYTES_MAX = FRAME_LENGTH_MAX - 1

/** Why a stream of bytes cannot be decoded further; the connection is to be closed (reliability 7.1). */
export type FrameViolation =
  /** A length of 0 or less: nothing behind it can be found. */
  | { readonly kind: 'lengthNotPositive'; readonly length: number }
  /** A length above `lengthMax`. `payloadStart` is what of the payload arrived with the header, often enough for the request id. */
  | {
      readonly kind: 'lengthTooLarge'
      readonly length: number
      readonly operation: number
      readonly payloadStart: Buffer
    }

/** What the decoder hands out, in the order of the bytes. The functions may call back into the decoder. */
export interface FrameEvents {
  /** The first byte of the connection. */
  connectVersion(version: number): void
  /**
   * A complete frame, whose payload is `bytes[start, end)` and may be empty. `bytes` is the pushed chunk when the frame
   * lay within it (`reservedBytes` is 0); otherwise it is memory of its own, which may go back to the pool, as
   * `reservedBytes` go back to the budget, when the receiver is done with it.
   */
  frame(operation: number, bytes: Buffer, start: number, end: number, reservedBytes: number): void
  /** There was no memory for a frame: it is discarded. `payloadStart` holds its first 64 KiB, or all if it is shorter. */
  refused(operation: number, payloadStart: Buffer): void
  /** Called at most once; the decoder has stopped. */
  violation(violation: FrameViolation): void
}

/**
 * Cuts the bytes of one connection into frames; does no I/O. Pushed chunks are kept as views and must not be written to
 * afterwards.
 */
export class FrameDecoder {
  /** Largest allowed length field of frames whose header is still to come: raised after the client is authenticated. */
  lengthMax: number
  readonly #events: FrameEvents
  readonly #budget: MemoryBudget
  readonly #pool: FramePool | undefined
  readonly #header = Buffer.alloc(FRAME_HEADER_BYTES)
  #headerBytes = 0
  #versionRead = false
  #collector: FrameCollector | undefined
  #paused = false
  #stopped = false
  #draining = false
  /** Chunks not looked at yet: at most the one being cut and what came while paused. */
  readonly #waiting: Buffer[] = []

  /** @param pool for frames that span chunks; undefined when their memory is never given back */
  constructor(events: FrameEvents, budget: MemoryBudget, lengthMax: number, pool?: FramePool) {
    this.#pool = pool
    this.#events = events
    this.#budget = budget
    this.lengthMax = lengthMax
  }

  /**
   * Bytes of the frame under way that have arrived, its header included; undefined between frames. For the deadline on
   * progress (reliability CL2).
   */
  get receivedBytes(): number | undefined {
    if (this.#collector !== undefined) return FRAME_HEADER_BYTES + this.#collector.receivedBytes
    return this.#headerBytes > 0 ? this.#headerBytes : undefined
  }

  /** Takes the next bytes of the connection and hands out what they complete. */
  push(chunk: Buffer): void {
    if (this.#stopped) return
    this.#waiting.push(chunk)
    this.#drain()
  }

  /** Hands out nothing more until `resume`, not even from the current chunk. The caller also stops reading its socket. */
  pause(): void {
    this.#paused = true
  }

  /** Goes on with what was pushed before or during the pause. */
  resume(): void {
    this.#paused = false
    this.#drain()
  }

  /** Ends decoding for good: later bytes are discarded, memory is given back. May be called more than once. */
  stop(): void {
    this.#stopped = true
    this.#waiting.length = 0
    this.#headerBytes = 0
    this.#collector?.release()
    this.#collector = undefined
  }

  #drain(): void {
    // An event that resumes or pushes re-enters here; the loop below, further up the stack, then goes on.
    if (this.#draining) return
    this.#draining = true
    try {
      while (!this.#paused) {
        const chunk = this.#waiting.shift()
        if (chunk === undefined) return
        this.#cut(chunk)
      }
    } finally {
      this.#draining = false
    }
  }

  #cut(chunk: Buffer): void {
    for (let offset = 0; offset < chunk.length && !this.#stopped;) {
      if (this.#paused) {
        this.#waiting.unshift(chunk.subarray(offset))
        return
      }
      if (!this.#versionRead) {
        this.#versionRead = true
        this.#events.connectVersion(chunk.readUInt8(offset++))
      } else if (this.#collector === undefined) {
        offset = this.#readFrame(chunk, offset)
      } else {
        offset = this.#collect(this.#collector, chunk, offset)
      }
    }
  }

  /** Reads a header, and the payload with it if that is within the chunk. Returns the offset behind what was read. */
  #readFrame(chunk: Buffer, offset: number): number {
    if (this.#headerBytes === 0 && chunk.length - offset >= FRAME_HEADER_BYTES) {
      const length = chunk.readInt32BE(offset)
      return this.#startFrame(length, chunk.readInt8(offset + LENGTH_BYTES), chunk, offset + FRAME_HEADER_BYTES)
    }
    const copiedBytes = chunk.copy(this.#header, this.#headerBytes, offset)
    this.#headerBytes += copiedBytes
    if (this.#headerBytes < LENGTH_BYTES) return offset + copiedBytes
    const length = this.#header.readInt32BE(0)
    if (this.#headerBytes < FRAME_HEADER_BYTES) {
      // A length of 0 has no operation byte to wait for.
      if (length <= 0) this.#violate({ kind: 'lengthNotPositive', length })
      return offset + copiedBytes
    }
    this.#headerBytes = 0
    return this.#startFrame(length, this.#header.readInt8(LENGTH_BYTES), chunk, offset + copiedBytes)
  }

  #startFrame(length: number, operation: number, chunk: Buffer, offset: number): number {
    if (length <= 0) {
      this.#violate({ kind: 'lengthNotPositive', length })
      return offset
    }
    if (length > this.lengthMax) {
      const payloadStart = chunk.subarray(offset, offset + REFUSED_FRAME_START_BYTES)
      this.#violate({ kind: 'lengthTooLarge', length, operation, payloadStart })
      return offset
    }
    const end = offset + length - 1
    if (end <= chunk.length) {
      this.#events.frame(operation, chunk, offset, end, 0)
      return end
    }
    this.#collector = new FrameCollector(operation, length - 1, this.#budget, this.#pool)
    return offset
  }

  #collect(collector: FrameCollector, chunk: Buffer, offset: number): number {
    const end = collector.take(chunk, offset)
    if (collector.isComplete) this.#collector = undefined
    const refusedStart = collector.takeRefusedStart()
    if (refusedStart !== undefined) {
      this.#events.refused(collector.operation, refusedStart)
    } else if (collector.isComplete && !collector.isRefused) {
      const { memory, payloadBytes, reservedBytes } = collector.finish()
      this.#events.frame(collector.operation, memory, 0, payloadBytes, reservedBytes)
    }
    return end
  }

  #violate(violation: FrameViolation): void {
    this.stop()
    this.#events.violation(violation)
  }
}

/** Writes the header of a frame with `payloadBytes` at `start`. */
export function writeHeaderAt(target: Buffer, start: number, operation: number, payloadBytes: number): void {
  assert(payloadBytes <= FRAME_PAYLOAD_BYTES_MAX, 'an answer fits into a frame')
  target.writeInt32BE(payloadBytes + 1, start)
  target.writeInt8(operation, start + LENGTH_BYTES)
}

/** Writes the header of a frame at the start of `frame`, whose length gives the length field. */
export function writeFrameHeader(frame: Buffer, operation: number): void {
  writeHeaderAt(frame, 0, operation, frame.length - FRAME_HEADER_BYTES)
}

/** One buffer with header and payload, to be sent in one write: Python clients misread a cut length (protocol 11.1). */
export function encodeFrame(operation: number, payload: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + payload.length)
  writeFrameHeader(frame, operation)
  frame.set(payload, FRAME_HEADER_BYTES)
  return frame
}
