import type { Socket } from 'node:net'

/** Bytes handed to the socket at a time: frames that are waiting are joined up to this size, larger ones are cut. */
const WRITE_BYTES_MAX = 1024 * 1024

/**
 * Sends the frames of one connection. Those of one turn leave in one write, and the next write follows when the
 * operating system has taken the one before: the head of a frame is then hardly ever cut in two (protocol 11.1).
 */
export interface Outbox {
  /** `sent` is called when the operating system has taken the frame, or the connection is gone. */
  send(frame: Buffer, sent?: () => void): void
  /** Bytes that the operating system has not taken yet. */
  readonly unsentBytes: number
  /** True when nothing is left to send. */
  readonly isEmpty: boolean
}

interface Waiting {
  readonly frame: Buffer
  readonly sent: (() => void) | undefined
}

/** The bytes of the next write, and what to call once it is through. */
interface Parcel {
  readonly bytes: Buffer
  readonly sent: readonly (() => void)[]
}

/** `progressed` is called whenever the operating system has taken bytes. */
export function createOutbox(socket: Socket, progressed: () => void): Outbox {
  let waiting: Waiting[] = []
  /** Bytes of the first waiting frame that have been written. */
  let offset = 0
  let unsentBytes = 0
  let isScheduled = false

  /** A piece of a frame that is larger than one write. */
  const takePiece = ({ frame, sent }: Waiting): Parcel => {
    const bytes = frame.subarray(offset, offset + WRITE_BYTES_MAX)
    offset += bytes.length
    if (offset < frame.length) return { bytes, sent: [] }
    offset = 0
    waiting.shift()
    return { bytes, sent: sent === undefined ? [] : [sent] }
  }

  const takeParcel = (first: Waiting): Parcel => {
    if (first.frame.length > WRITE_BYTES_MAX) return takePiece(first)
    let count = 0
    let bytes = 0
    for (let next = waiting[count]; next !== undefined; next = waiting[++count]) {
      if (bytes + next.frame.length > WRITE_BYTES_MAX) break
      bytes += next.frame.length
    }
    const taken = waiting.slice(0, count)
    waiting = waiting.slice(count)
    return {
      bytes:
        count === 1
          ? first.frame
          : Buffer.concat(
              taken.map(({ frame }) => frame),
              bytes
            ),
      sent: taken.flatMap(({ sent }) => sent ?? [])
    }
  }

  const writeNext = (): void => {
    const [first] = waiting
    if (first === undefined) {
      isScheduled = false
      return
    }
    const parcel = takeParcel(first)
    const finish = (): void => {
      unsentBytes -= parcel.bytes.length
      for (const callback of parcel.sent) callback()
      progressed()
      writeNext()
    }
    if (socket.destroyed || !socket.writable) queueMicrotask(finish)
    else socket.write(parcel.bytes, finish)
  }

  return {
    send(frame, sent) {
      waiting.push({ frame, sent })
      unsentBytes += frame.length
      if (isScheduled) return
      isScheduled = true
      queueMicrotask(writeNext)
    },
    get unsentBytes() {
      return unsentBytes
    },
    get isEmpty() {
      return unsentBytes === 0
    }
  }
}
