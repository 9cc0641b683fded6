import type { Writable } from 'node:stream'
import type { BufferPool } from '../base/buffer-pool.ts'
import { KIB, MIB } from '../base/limits.ts'
import { nextSlice, SLICE_BYTES, WHOLE_ANSWER_BYTES_MAX } from '../base/turn.ts'

/** Bytes of a usual answer that are handed to the socket at a time. */
const WRITE_BYTES_MAX = MIB
/** Room for the answers of a turn of a busy connection. */
const GATHERED_BYTES = 64 * KIB
/** Frames up to this size are gathered into one write; larger ones are cheaper to send from where they are. */
const GATHERED_FRAME_BYTES_MAX = 16 * KIB

/**
 * Sends the frames of one connection. Those of one turn leave together, and the next write follows when the operating
 * system has taken the one before: the head of a frame is then hardly ever cut in two (protocol 11.1).
 */
export interface Outbox {
  /** `sent` is called when the operating system has taken the frame, or the connection is gone. */
  send(frame: Buffer, sent?: () => void): void
  /**
   * Takes in a frame of at most 16 KiB that the caller writes itself, at once, into `target` from the returned offset on.
   * Undefined when nothing is sent any more.
   */
  reserve(bytes: number): number | undefined
  /** Where the frame that was reserved last is to be written. */
  readonly target: Buffer
  /** From now on nothing more is sent; `sent` is called all the same. */
  abandon(): void
  /** Bytes that the operating system has not taken yet. */
  readonly unsentBytes: number
  /** True when nothing is left to send. */
  readonly isEmpty: boolean
}

/** Bytes that wait for their turn to be written. */
interface Parcel {
  readonly bytes: Buffer
  /** What is called once they are through. */
  readonly sent: (() => void) | undefined
  /** Sent slice by slice, because it belongs to a large answer. */
  readonly isSliced: boolean
}

const NOTHING: Buffer = Buffer.alloc(0)
/** Its reactions run as soon as the present work is done. Unlike queueMicrotask it makes no async resource for each. */
const SOON = Promise.resolve()

/**
 * A large backlog is sent slice by slice, because the system works on each while it takes it.
 * @param progressed called whenever the operating system has taken bytes
 */
export function createOutbox(
  socket: Pick<Writable, 'destroyed' | 'writable' | 'write'>,
  buffers: BufferPool,
  progressed: () => void
): Outbox {
  const parcels: Parcel[] = []
  /** Small frames are gathered here, at [gatheredFrom, gatheredTo). */
  let target = NOTHING
  let gatheredFrom = 0
  let gatheredTo = 0
  let unsentBytes = 0
  /** Handed to the socket since others had their turn. */
  let turnBytes = 0
  let isScheduled = false
  let isAbandoned = false

  /** @param sent called when this and all that was gathered before is through */
  const closeGathered = (sent?: () => void): void => {
    if (gatheredTo > gatheredFrom)
      parcels.push({ bytes: target.subarray(gatheredFrom, gatheredTo), sent, isSliced: false })
    gatheredFrom = gatheredTo
  }

  /** Nothing is on its way, so nothing refers to the buffer any more. */
  const giveBack = (): void => {
    if (target.length > 0) buffers.giveBack(target)
    target = NOTHING
    gatheredFrom = gatheredTo = 0
  }

  const takeNext = (): Parcel | undefined => {
    if (parcels.length === 0) closeGathered()
    const next = parcels.shift()
    if (next === undefined) return undefined
    const { bytes, isSliced } = next
    const pieceBytes = isSliced ? SLICE_BYTES : WRITE_BYTES_MAX
    if (bytes.length <= pieceBytes) return next
    parcels.unshift({ ...next, bytes: bytes.subarray(pieceBytes) })
    return { bytes: bytes.subarray(0, pieceBytes), sent: undefined, isSliced }
  }

  const writeNext = (): void => {
    const parcel = takeNext()
    if (parcel === undefined) {
      isScheduled = false
      turnBytes = 0
      giveBack()
      return
    }
    const finish = (): void => {
      unsentBytes -= parcel.bytes.length
      parcel.sent?.()
      progressed()
      turnBytes += parcel.bytes.length
      if (turnBytes < (parcel.isSliced ? SLICE_BYTES : WHOLE_ANSWER_BYTES_MAX)) {
        writeNext()
        return
      }
      turnBytes = 0
      void nextSlice().then(writeNext)
    }
    if (socket.destroyed || !socket.writable) void SOON.then(finish)
    else socket.write(parcel.bytes, finish)
  }

  const added = (bytes: number): void => {
    unsentBytes += bytes
    if (isScheduled) return
    isScheduled = true
    void SOON.then(writeNext)
  }

  const reserve = (bytes: number): number | undefined => {
    if (isAbandoned) return undefined
    if (gatheredTo + bytes > target.length) {
      // A full buffer is left to what waits in it, and used again after that.
      const full = target
      closeGathered(() => buffers.giveBack(full))
      target = buffers.take(GATHERED_BYTES)
      gatheredFrom = gatheredTo = 0
    }
    const offset = gatheredTo
    gatheredTo += bytes
    added(bytes)
    return offset
  }

  return {
    send(frame, sent) {
      if (isAbandoned) {
        sent?.()
      } else if (sent === undefined && frame.length <= GATHERED_FRAME_BYTES_MAX) {
        const offset = reserve(frame.length)
        target.set(frame, offset)
      } else {
        closeGathered()
        parcels.push({ bytes: frame, sent, isSliced: frame.length > WHOLE_ANSWER_BYTES_MAX })
        added(frame.length)
      }
    },
    reserve,
    get target() {
      return target
    },
    abandon() {
      isAbandoned = true
    },
    get unsentBytes() {
      return unsentBytes
    },
    get isEmpty() {
      return unsentBytes === 0
    }
  }
}
