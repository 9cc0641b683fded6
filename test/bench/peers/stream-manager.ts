import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import { encodeFrame, OP, WireClient, type WireFrame, type WireMap } from '../../helpers/wire-client.ts'
import { type Appender, type Peer, type Reader, type Reading, STREAM_BYTES_MAX } from './peer.ts'

const LENGTH_BYTES = 4
/** Answers to one kind of request differ by the width of a number only; an error text is longer. */
const ANSWER_SPREAD_BYTES = 16
/** Requests to make and fill streams that are under way at a time. */
const PREPARATION_IN_FLIGHT = 128
/** Different reads that are encoded in advance. */
const READ_REQUESTS_MAX = 10_000

/** Counts frames, looking at nothing but their lengths. */
function createFrameCounter(check: (length: number) => void): (chunk: Buffer) => number {
  const header = Buffer.alloc(LENGTH_BYTES)
  let headerBytes = 0
  let bodyBytesLeft = 0
  return (chunk) => {
    let frames = 0
    let position = 0
    while (position < chunk.length) {
      if (bodyBytesLeft === 0) {
        const taken = Math.min(LENGTH_BYTES - headerBytes, chunk.length - position)
        chunk.copy(header, headerBytes, position, position + taken)
        headerBytes += taken
        position += taken
        if (headerBytes < LENGTH_BYTES) break
        headerBytes = 0
        bodyBytesLeft = header.readInt32BE(0)
        check(bodyBytesLeft)
      }
      const skipped = Math.min(bodyBytesLeft, chunk.length - position)
      bodyBytesLeft -= skipped
      position += skipped
      if (bodyBytesLeft === 0) frames += 1
    }
    return frames
  }
}

async function requestOk(client: WireClient, operation: number, map: WireMap): Promise<WireFrame> {
  const answer = await client.request(operation, map)
  if (answer.map['status'] !== 0) throw new Error(`the server answered ${JSON.stringify(answer.map)}`)
  return answer
}

async function openClient(port: number): Promise<WireClient> {
  const client = await WireClient.connect({ port })
  if (client.connectResponse?.map['status'] !== 0) throw new Error('the server refused the connection')
  return client
}

/** Hands the socket over to a counter that does not collect what it receives. */
function takeSocket(client: WireClient): Socket {
  client.socket.removeAllListeners('data')
  return client.socket
}

async function openAppender(port: number, streams: readonly string[], payload: Buffer): Promise<Appender> {
  const client = await openClient(port)
  // Clients send UUIDs as request ids.
  const frames = streams.map((name) => encodeFrame(OP.appendMessage, { requestId: randomUUID(), name, payload }))
  client.send(frames[0]!)
  const answer = await client.takeRawFrame()
  const answerBytesMax = answer.payload.length + 1 + ANSWER_SPREAD_BYTES
  return {
    socket: takeSocket(client),
    frames: Buffer.concat(frames),
    frameCount: frames.length,
    countAcknowledgements: createFrameCounter((length) => {
      if (length > answerBytesMax) throw new Error('the server refused an append')
    })
  }
}

async function openReader(port: number, stream: string, payload: Buffer, reading: Reading): Promise<Reader> {
  const { batch, stored } = reading
  const client = await openClient(port)
  const requests = Array.from({ length: Math.min(READ_REQUESTS_MAX, Math.floor(stored / batch)) }, (_, index) => ({
    streamName: stream,
    readMessagesOptions: {
      desiredStartSequenceNumber: index * batch,
      minMessageCount: 1,
      maxMessageCount: batch,
      readTimeoutMillis: 0
    }
  }))
  const sample = await requestOk(client, OP.readMessages, requests[0]!)
  const messages = sample.map['messages']
  if (!Array.isArray(messages) || messages.length !== batch) throw new Error('the server returned too few messages')
  const frames = requests.map((map) => encodeFrame(OP.readMessages, { requestId: randomUUID(), ...map }))
  const countFrames = createFrameCounter((length) => {
    if (length < batch * payload.length) throw new Error('the server returned too few messages')
  })
  let next = 0
  return {
    socket: takeSocket(client),
    nextRequest: () => frames[next++ % frames.length]!,
    feed(chunk) {
      const batches = countFrames(chunk)
      return { batches, messages: batches * batch }
    }
  }
}

/** Sends many requests, a bounded number of them at a time. */
async function requestAll(client: WireClient, operation: number, maps: readonly WireMap[]): Promise<void> {
  for (let done = 0; done < maps.length; done += PREPARATION_IN_FLIGHT) {
    const wave = maps.slice(done, done + PREPARATION_IN_FLIGHT)
    await Promise.all(wave.map((map) => requestOk(client, operation, map)))
  }
}

export const streamManager: Peer = {
  async createStreams(port, names, { flush, inMemory }) {
    const client = await openClient(port)
    const options = { strategyOnFull: 1, persistence: inMemory ? 1 : 0, flushOnWrite: flush }
    const definitions = names.map((name) => ({ definition: { name, maxSize: STREAM_BYTES_MAX, ...options } }))
    await requestAll(client, OP.createMessageStream, definitions)
    await client.close()
  },
  openAppender,
  async preload(port, stream, payload, count) {
    const client = await openClient(port)
    await requestAll(client, OP.appendMessage, Array<WireMap>(count).fill({ name: stream, payload }))
    await client.close()
  },
  openReader
}
