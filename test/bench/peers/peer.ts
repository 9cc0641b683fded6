import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** What the load generator needs to know of a server's protocol. */
export interface Peer {
  /** Makes empty streams; earlier data of their names may stay. */
  createStreams(port: number, names: readonly string[], options: StreamOptions): Promise<void>
  /** @param streams where the requests go: one request for each */
  openAppender(port: number, streams: readonly string[], payload: Buffer): Promise<Appender>
  /** Fills a stream with `count` messages for the reader. Absent: this server takes no part in reads. */
  preload?(port: number, stream: string, payload: Buffer, count: number): Promise<void>
  openReader?(port: number, stream: string, payload: Buffer, reading: Reading): Promise<Reader>
}

export interface StreamOptions {
  /** Acknowledge only what a power cut cannot take back. */
  readonly flush: boolean
  /** Keep the messages in memory only. */
  readonly inMemory: boolean
}

/** A connection that appends. Acknowledgements are taken to come in order. */
export interface Appender {
  readonly socket: Socket
  /** Requests of equal length, one behind the other: any run of them can be written at once. */
  readonly frames: Buffer
  readonly frameCount: number
  /** Acknowledgements that end in this chunk. Throws when the server refuses something. */
  countAcknowledgements(chunk: Buffer): number
}

export interface Reading {
  /** Messages per request. */
  readonly batch: number
  /** Messages in the stream, a multiple of the batch. */
  readonly stored: number
}

/** A connection that reads batches, from the oldest message on; behind the newest it begins anew. */
export interface Reader {
  readonly socket: Socket
  nextRequest(): Buffer
  /** Whole messages, and whole batches, that end in this chunk. */
  feed(chunk: Buffer): { messages: number; batches: number }
}

const FRAMES_MAX = 256
const FRAMES_BYTES_MAX = 4 * 1024 * 1024

/** Requests that a connection encodes in advance: at least as many as may be under way, so that ids do not repeat. */
export function frameCountFor(inFlight: number, payloadBytes: number): number {
  return Math.max(inFlight, Math.min(FRAMES_MAX, Math.floor(FRAMES_BYTES_MAX / payloadBytes)))
}

/** Every server may keep this much of each stream, so that runs do not fill the disk. */
export const STREAM_BYTES_MAX = 1024 * 1024 * 1024

export async function openSocket(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  return socket
}

/** Resolves with everything received up to the chunk that makes `complete` true, and stops listening. */
export function receiveUntil(socket: Socket, complete: (received: Buffer) => boolean): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0)
    const take = (chunk: Buffer): void => {
      received = Buffer.concat([received, chunk])
      if (!complete(received)) return
      socket.off('data', take)
      socket.off('error', reject)
      resolve(received)
    }
    socket.on('data', take)
    socket.on('error', reject)
  })
}

const NEWLINE = 10

/**
 * Counts text replies of two lines each, as both NATS and Redis acknowledge.
 * @param firstByte how such a reply begins
 * @param onOther receives the first byte of a line that begins otherwise, where a reply was expected
 */
export function createPairCounter(firstByte: string, onOther: (byte: string) => void): (chunk: Buffer) => number {
  const expected = firstByte.charCodeAt(0)
  let atLineStart = true
  let linesMissing = 0
  return (chunk) => {
    let pairs = 0
    let position = 0
    while (position < chunk.length) {
      if (atLineStart && linesMissing === 0) {
        const byte = chunk[position]!
        if (byte === expected) linesMissing = 2
        else onOther(String.fromCharCode(byte))
      }
      const newline = chunk.indexOf(NEWLINE, position)
      atLineStart = newline !== -1
      if (newline === -1) break
      position = newline + 1
      if (linesMissing > 0) {
        linesMissing -= 1
        if (linesMissing === 0) pairs += 1
      }
    }
    return pairs
  }
}
