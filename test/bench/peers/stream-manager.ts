import type { Socket } from 'node:net'
import { encodeFrame, OP, WireClient, type WireFrame, type WireMap } from '../../helpers/wire-client.ts'
import { type Appender, FRAMES, type Peer, READ_BATCH, type Reader, STREAM_BYTES_MAX } from './peer.ts'

const LENGTH_BYTES = 4
/** Answers to one kind of request differ by the width of a number only; an error text is longer. */
const ANSWER_SPREAD_BYTES = 16

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

function requestId(index: number): string {
  return `r${String(index).padStart(4, '0')}`
}

async function openAppender(port: number, stream: string, payload: Buffer): Promise<Appender> {
  const client = await openClient(port)
  const sample = encodeFrame(OP.appendMessage, { requestId: requestId(0), name: stream, payload })
  client.send(sample)
  const answer = await client.takeRawFrame()
  const answerBytesMax = answer.payload.length + 1 + ANSWER_SPREAD_BYTES
  const frames = Array.from({ length: FRAMES }, (_, index) =>
    encodeFrame(OP.appendMessage, { requestId: requestId(index), name: stream, payload })
  )
  return {
    socket: takeSocket(client),
    frames: Buffer.concat(frames),
    countAcknowledgements: createFrameCounter((length) => {
      if (length > answerBytesMax) throw new Error('the server refused an append')
    })
  }
}

async function openReader(port: number, stream: string, payload: Buffer, preloaded: number): Promise<Reader> {
  const client = await openClient(port)
  const requests = Array.from({ length: Math.floor(preloaded / READ_BATCH) }, (_, index) => ({
    streamName: stream,
    readMessagesOptions: {
      desiredStartSequenceNumber: index * READ_BATCH,
      minMessageCount: 1,
      maxMessageCount: READ_BATCH,
      readTimeoutMillis: 0
    }
  }))
  const sample = await requestOk(client, OP.readMessages, requests[0]!)
  const messages = sample.map['messages']
  if (!Array.isArray(messages) || messages.length !== READ_BATCH)
    throw new Error('the server returned too few messages')
  const frames = requests.map((map, index) => encodeFrame(OP.readMessages, { requestId: requestId(index), ...map }))
  const countFrames = createFrameCounter((length) => {
    if (length < READ_BATCH * payload.length) throw new Error('the server returned too few messages')
  })
  let next = 0
  return {
    socket: takeSocket(client),
    nextRequest: () => frames[next++ % frames.length]!,
    feed(chunk) {
      const batches = countFrames(chunk)
      return { batches, messages: batches * READ_BATCH }
    }
  }
}

export const streamManager: Peer = {
  async createStream(port, { name, flush }) {
    const client = await openClient(port)
    const definition = { name, maxSize: STREAM_BYTES_MAX, strategyOnFull: 1, persistence: 0, flushOnWrite: flush }
    await requestOk(client, OP.createMessageStream, { definition })
    await client.close()
  },
  openAppender,
  async preload(port, stream, payload, count) {
    const client = await openClient(port)
    for (let done = 0; done < count; done += FRAMES / 2) {
      const wave = Math.min(FRAMES / 2, count - done)
      await Promise.all(
        Array.from({ length: wave }, () => requestOk(client, OP.appendMessage, { name: stream, payload }))
      )
    }
    await client.close()
  },
  openReader
}
