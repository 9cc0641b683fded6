import type { Socket } from 'node:net'
import {
  type Appender,
  createPairCounter,
  openSocket,
  type Peer,
  type Reader,
  type Reading,
  receiveUntil,
  STREAM_BYTES_MAX
} from './peer.ts'

/** Redis Streams over RESP: XADD and XRANGE. */

/** Preloaded messages get ids of one width, so that every answer to XRANGE has the same length. */
const FIRST_PRELOADED_ID = 1_000_000_000_000
const PRELOAD_BATCH = 1_000

function command(...words: (string | Buffer)[]): Buffer {
  const parts = words.flatMap((word) => [`$${Buffer.byteLength(word)}\r\n`, word, '\r\n'])
  return Buffer.concat([`*${words.length}\r\n`, ...parts].map((part) => Buffer.from(part)))
}

function refuse(byte: string): void {
  throw new Error(`Redis answered something that begins with ${byte}`)
}

async function openAppender(port: number, streams: readonly string[], payload: Buffer): Promise<Appender> {
  const countMax = String(Math.floor(STREAM_BYTES_MAX / 4 / payload.length))
  return {
    socket: await openSocket(port),
    frames: Buffer.concat(streams.map((stream) => command('XADD', stream, 'MAXLEN', '~', countMax, '*', 'p', payload))),
    frameCount: streams.length,
    countAcknowledgements: createPairCounter('$', refuse)
  }
}

async function sendAll(socket: Socket, commands: readonly Buffer[]): Promise<void> {
  const count = createPairCounter('$', refuse)
  let answered = 0
  let seen = 0
  const done = receiveUntil(socket, (received) => {
    answered += count(received.subarray(seen))
    seen = received.length
    return answered === commands.length
  })
  socket.write(Buffer.concat(commands))
  await done
}

async function openReader(port: number, stream: string, payload: Buffer, { batch, stored }: Reading): Promise<Reader> {
  const requests = Array.from({ length: Math.floor(stored / batch) }, (_, index) =>
    command('XRANGE', stream, `${FIRST_PRELOADED_ID + index * batch}-0`, '+', 'COUNT', String(batch))
  )
  const entry =
    `*2\r\n$15\r\n${FIRST_PRELOADED_ID}-0\r\n*2\r\n$1\r\np\r\n` +
    `$${payload.length}\r\n${'p'.repeat(payload.length)}\r\n`
  const answerBytes = `*${batch}\r\n`.length + batch * entry.length
  const socket = await openSocket(port)
  const sample = receiveUntil(socket, (received) => received.length >= answerBytes)
  socket.write(requests[0]!)
  if ((await sample).length !== answerBytes) throw new Error('Redis answered XRANGE with an unexpected length')
  let next = 0
  let bytes = 0
  return {
    socket,
    nextRequest: () => requests[next++ % requests.length]!,
    feed(chunk) {
      const before = Math.floor(bytes / answerBytes)
      bytes += chunk.length
      const batches = Math.floor(bytes / answerBytes) - before
      return { batches, messages: batches * batch }
    }
  }
}

export const redis: Peer = {
  // XADD makes the stream; durability is a matter of the server's settings.
  createStreams: () => Promise.resolve(),
  openAppender,
  async preload(port, stream, payload, count) {
    const socket = await openSocket(port)
    for (let done = 0; done < count; done += PRELOAD_BATCH) {
      const commands = Array.from({ length: Math.min(PRELOAD_BATCH, count - done) }, (_, index) =>
        command('XADD', stream, `${FIRST_PRELOADED_ID + done + index}-0`, 'p', payload)
      )
      await sendAll(socket, commands)
    }
    socket.destroy()
  },
  openReader
}
