import type { Socket } from 'node:net'

/** Frames up to this many bytes are joined: one copy costs less than one more buffer for the system call. */
const JOINED_BYTES_MAX = 64 * 1024

/** Sends the frames of one connection, those of one turn in one write (protocol 11.1). */
export interface Outbox {
  /** `sent` is called when the operating system has taken the frame, or the connection is gone. */
  send(frame: Buffer, sent?: () => void): void
  /** Bytes handed to the socket, or about to be, that the operating system has not taken yet. */
  readonly unsentBytes: number
  /** True when nothing is left to send. */
  readonly isEmpty: boolean
}

/** `progressed` is called whenever the operating system has taken bytes. */
export function createOutbox(socket: Socket, progressed: () => void): Outbox {
  let frames: Buffer[] = []
  let callbacks: (() => void)[] = []
  let unsentBytes = 0
  let isScheduled = false

  const write = (buffers: readonly Buffer[], callback: () => void): void => {
    const bytes = buffers.reduce((sum, buffer) => sum + buffer.length, 0)
    const [first] = buffers
    if (buffers.length === 1 && first !== undefined) {
      socket.write(first, callback)
    } else if (bytes <= JOINED_BYTES_MAX) {
      socket.write(Buffer.concat(buffers, bytes), callback)
    } else {
      socket.cork()
      buffers.forEach((buffer, index) => socket.write(buffer, index === buffers.length - 1 ? callback : undefined))
      socket.uncork()
    }
  }

  const flush = (): void => {
    isScheduled = false
    const buffers = frames
    const done = callbacks
    frames = []
    callbacks = []
    const bytes = buffers.reduce((sum, buffer) => sum + buffer.length, 0)
    const finish = (): void => {
      unsentBytes -= bytes
      for (const callback of done) callback()
      progressed()
    }
    if (socket.destroyed || !socket.writable) finish()
    else write(buffers, finish)
  }

  return {
    send(frame, sent) {
      frames.push(frame)
      unsentBytes += frame.length
      if (sent !== undefined) callbacks.push(sent)
      if (isScheduled) return
      isScheduled = true
      queueMicrotask(flush)
    },
    get unsentBytes() {
      return unsentBytes
    },
    get isEmpty() {
      return unsentBytes === 0
    }
  }
}
