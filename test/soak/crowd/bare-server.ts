/**
 * A server that does nothing but speak: it takes in the bytes of the protocol and sends answers of the right size, which
 * it has at hand. What its clients cost each other is the least that any server in Node.js lets them. A process of its
 * own; sends its port once it listens.
 */
import { createServer, type Socket } from 'node:net'
import { decodeFrame, encodeFrame, OP, type WireMap } from '../../helpers/wire-frames.ts'

const LENGTH_BYTES = 4
const DONE: WireMap = { status: 0, errorMessage: '' }
const MESSAGE = { streamName: 'bare', sequenceNumber: 70_000, ingestTime: 1.7e12, payload: Buffer.alloc(1_024, 'b') }

/** Frames by operation and number of messages, without the value of their last key, the request id. */
const known = new Map<string, Buffer>()
/** Names that ListStreams tells. */
const names = new Set<string>()

function answerTo(operation: number, count: number): WireMap {
  if (operation === OP.connect) return { ...DONE, protocolVersion: '1.1.0', supportedProtocolVersions: ['1.1.0'] }
  if (operation === OP.appendMessage) return { ...DONE, sequenceNumber: MESSAGE.sequenceNumber }
  if (operation === OP.listStreams) return { ...DONE, streams: [...names] }
  if (operation === OP.readMessages && count > 0) return { ...DONE, messages: new Array(count).fill(MESSAGE) }
  return operation === OP.readMessages ? { ...DONE, status: 13 } : DONE
}

/** Sends the answer that was made before, as it is, with this request id behind it. */
function answer(socket: Socket, operation: number, count: number, requestId: string): void {
  const key = `${operation} ${count}`
  // cbor-x writes a text of 24 to 255 characters with two bytes before it, which are left out with the text.
  const placeholder = '?'.repeat(24)
  let start = known.get(key)
  if (start === undefined) {
    start = encodeFrame(responseOf(operation), { ...answerTo(operation, count), requestId: placeholder }).subarray(
      0,
      -26
    )
    known.set(key, start)
  }
  const id = Buffer.from(`xx${requestId}`)
  id[0] = 0x78
  id[1] = id.length - 2
  const length = Buffer.alloc(4)
  length.writeInt32BE(start.length + id.length - 4)
  socket.cork()
  socket.write(length)
  socket.write(start.subarray(4))
  socket.write(id)
  socket.uncork()
}

const RESPONSES = new Map<number, number>([
  [OP.connect, OP.connectResponse],
  [OP.createMessageStream, OP.createMessageStreamResponse],
  [OP.deleteMessageStream, OP.deleteMessageStreamResponse],
  [OP.appendMessage, OP.appendMessageResponse],
  [OP.readMessages, OP.readMessagesResponse],
  [OP.listStreams, OP.listStreamsResponse]
])

function responseOf(operation: number): number {
  return RESPONSES.get(operation) ?? OP.describeMessageStreamResponse
}

function serve(socket: Socket, operation: number, payload: Buffer): void {
  const { map } = decodeFrame({ operation, payload })
  const definition = map['definition'] as WireMap | undefined
  if (operation === OP.createMessageStream) {
    names.add(String(definition?.['name']))
    for (const key of known.keys()) if (key.startsWith(`${OP.listStreams} `)) known.delete(key)
  }
  const options = map['readMessagesOptions'] as WireMap | undefined
  const isEmpty = String(map['streamName']).includes('empty') || Number(options?.['minMessageCount']) > 1
  const count = isEmpty ? 0 : Number(options?.['maxMessageCount'] ?? 1)
  answer(socket, operation, count, String(map['requestId']))
}

/** Serves what has arrived, and takes in no more than the peer takes of the answers. */
function attend(socket: Socket): void {
  let chunks: Buffer[] = []
  let receivedBytes = 0
  let isGreeted = false
  /** Of the frame that has begun. */
  let frameBytes: number | undefined

  const take = (bytes: number): Buffer => {
    const all = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
    chunks = [all.subarray(bytes)]
    receivedBytes -= bytes
    return all.subarray(0, bytes)
  }
  const proceed = (): void => {
    while (receivedBytes >= (isGreeted ? (frameBytes ?? LENGTH_BYTES) : 1) && !socket.writableNeedDrain) {
      if (!isGreeted) {
        isGreeted = true
        socket.write(take(1))
      } else if (frameBytes === undefined) {
        frameBytes = take(LENGTH_BYTES).readInt32BE(0)
      } else {
        const frame = take(frameBytes)
        frameBytes = undefined
        serve(socket, frame.readInt8(0), frame.subarray(1))
      }
    }
    if (socket.writableNeedDrain) socket.pause()
    else socket.resume()
  }
  socket.on('error', () => socket.destroy())
  socket.on('drain', proceed)
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    receivedBytes += chunk.length
    proceed()
  })
}

const server = createServer({ noDelay: true }, attend)
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (address !== null && typeof address === 'object') process.send?.(address.port)
})
process.on('disconnect', () => process.exit())
