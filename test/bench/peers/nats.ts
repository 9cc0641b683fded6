import type { Socket } from 'node:net'
import {
  type Appender,
  createPairCounter,
  FRAMES,
  openSocket,
  type Peer,
  READ_BATCH,
  type Reader,
  receiveUntil,
  STREAM_BYTES_MAX
} from './peer.ts'

/** NATS JetStream: publications with a reply inbox that gets the acknowledgement, and pull consumers. */

/** Each pull consumer passes over the stream once. */
const READ_PASSES = 100

interface Connection {
  readonly socket: Socket
  /** Where answers go: a subject that only this connection listens to. */
  readonly inbox: string
}

async function openConnection(port: number): Promise<Connection> {
  const socket = await openSocket(port)
  const inbox = `_INBOX.${process.pid}-${socket.localPort ?? 0}`
  const greeted = receiveUntil(socket, (received) => received.includes('PONG\r\n'))
  socket.write(
    `CONNECT ${JSON.stringify({ verbose: false, headers: true, no_responders: true })}\r\nSUB ${inbox} 1\r\nPING\r\n`
  )
  await greeted
  return { socket, inbox }
}

function publication(subject: string, inbox: string, payload: Buffer | string): Buffer {
  const head = `PUB ${subject} ${inbox} ${Buffer.byteLength(payload)}\r\n`
  return Buffer.concat([Buffer.from(head), Buffer.from(payload), Buffer.from('\r\n')])
}

/** The server asks now and then whether the client is alive. */
function answerPing(socket: Socket): (byte: string) => void {
  return (byte) => {
    if (byte !== 'P') throw new Error(`NATS sent something that begins with ${byte}`)
    socket.write('PONG\r\n')
  }
}

async function callApi({ socket, inbox }: Connection, subject: string, request: object): Promise<void> {
  const answered = receiveUntil(socket, (received) => /^MSG .*\r\n.*\r\n$/m.test(received.toString()))
  socket.write(publication(`$JS.API.${subject}`, inbox, JSON.stringify(request)))
  const answer = (await answered).toString()
  if (answer.includes('"error"')) throw new Error(`NATS answered ${answer}`)
}

async function openAppender(port: number, stream: string, payload: Buffer): Promise<Appender> {
  const { socket, inbox } = await openConnection(port)
  const frame = publication(stream, inbox, payload)
  const count = createPairCounter('M', answerPing(socket))
  return {
    socket,
    frames: Buffer.concat(Array.from({ length: FRAMES }, () => frame)),
    countAcknowledgements(chunk) {
      if (chunk.includes('"error"')) throw new Error(`NATS answered ${chunk.toString()}`)
      return count(chunk)
    }
  }
}

/** Counts delivered messages by their header lines: `MSG <subject> <sid> <reply> <size>`. */
function createMessageCounter(onOther: (byte: string) => void): (chunk: Buffer) => number {
  let line = ''
  let skip = 0
  return (chunk) => {
    let messages = 0
    let position = 0
    while (position < chunk.length) {
      if (skip > 0) {
        const skipped = Math.min(skip, chunk.length - position)
        skip -= skipped
        position += skipped
        if (skip === 0) messages += 1
        continue
      }
      const newline = chunk.indexOf(10, position)
      line += chunk.toString('latin1', position, newline === -1 ? chunk.length : newline)
      if (newline === -1) break
      position = newline + 1
      if (line.startsWith('MSG ')) skip = Number(line.slice(line.lastIndexOf(' ') + 1)) + '\r\n'.length
      else onOther(line.charAt(0))
      line = ''
    }
    return messages
  }
}

async function openReader(port: number, stream: string, _payload: Buffer, preloaded: number): Promise<Reader> {
  const connection = await openConnection(port)
  const { socket, inbox } = connection
  const run = String(process.pid)
  for (let pass = 0; pass < READ_PASSES; pass += 1) {
    const config = { durable_name: `${run}-${pass}`, ack_policy: 'none', deliver_policy: 'all', max_waiting: 8 }
    await callApi(connection, `CONSUMER.DURABLE.CREATE.${stream}.${config.durable_name}`, {
      stream_name: stream,
      config
    })
  }
  const requestsPerPass = Math.floor(preloaded / READ_BATCH)
  const count = createMessageCounter(answerPing(socket))
  let requests = 0
  let messagesTotal = 0
  return {
    socket,
    nextRequest() {
      const pass = Math.floor(requests++ / requestsPerPass)
      if (pass >= READ_PASSES) throw new Error('the run is too long for the prepared consumers: use fewer seconds')
      return publication(
        `$JS.API.CONSUMER.MSG.NEXT.${stream}.${run}-${pass}`,
        inbox,
        JSON.stringify({ batch: READ_BATCH })
      )
    },
    feed(chunk) {
      const before = Math.floor(messagesTotal / READ_BATCH)
      const messages = count(chunk)
      messagesTotal += messages
      return { messages, batches: Math.floor(messagesTotal / READ_BATCH) - before }
    }
  }
}

export const nats: Peer = {
  async createStream(port, { name }) {
    const connection = await openConnection(port)
    const limits = { max_bytes: STREAM_BYTES_MAX, retention: 'limits', discard: 'old', storage: 'file' }
    await callApi(connection, `STREAM.CREATE.${name}`, { name, subjects: [name], num_replicas: 1, ...limits })
    connection.socket.destroy()
  },
  openAppender,
  async preload(port, stream, payload, count) {
    const appender = await openAppender(port, stream, payload)
    const frameBytes = appender.frames.length / FRAMES
    for (let done = 0; done < count; done += FRAMES) {
      const wave = Math.min(FRAMES, count - done)
      let answered = 0
      let seen = 0
      const complete = receiveUntil(appender.socket, (received) => {
        answered += appender.countAcknowledgements(received.subarray(seen))
        seen = received.length
        return answered === wave
      })
      appender.socket.write(appender.frames.subarray(0, wave * frameBytes))
      await complete
    }
    appender.socket.destroy()
  },
  openReader
}
