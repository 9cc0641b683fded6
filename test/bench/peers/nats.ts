import type { Socket } from 'node:net'
import {
  type Appender,
  createPairCounter,
  frameCountFor,
  openSocket,
  type Peer,
  type Reader,
  type Reading,
  receiveUntil,
  STREAM_BYTES_MAX
} from './peer.ts'

/** NATS JetStream: publications with a reply inbox that gets the acknowledgement, and pull consumers. */

/** A pull consumer passes over the stream once, so a run needs several: enough for this many messages. */
const READ_MESSAGES_MAX = 10_000_000
const READ_REQUESTS_MAX = 500_000
const PRELOAD_IN_FLIGHT = 256

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

async function openAppender(port: number, streams: readonly string[], payload: Buffer): Promise<Appender> {
  const { socket, inbox } = await openConnection(port)
  const count = createPairCounter('M', answerPing(socket))
  return {
    socket,
    frames: Buffer.concat(streams.map((stream) => publication(stream, inbox, payload))),
    frameCount: streams.length,
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

async function openReader(port: number, stream: string, _payload: Buffer, reading: Reading): Promise<Reader> {
  const { batch, stored } = reading
  const connection = await openConnection(port)
  const { socket, inbox } = connection
  const run = String(process.pid)
  const passes = Math.ceil(Math.min(READ_MESSAGES_MAX, READ_REQUESTS_MAX * batch) / stored)
  for (let pass = 0; pass < passes; pass += 1) {
    const config = { durable_name: `${run}-${pass}`, ack_policy: 'none', deliver_policy: 'all', max_waiting: 8 }
    await callApi(connection, `CONSUMER.DURABLE.CREATE.${stream}.${config.durable_name}`, {
      stream_name: stream,
      config
    })
  }
  const requestsPerPass = Math.floor(stored / batch)
  const pull = JSON.stringify({ batch })
  const count = createMessageCounter(answerPing(socket))
  let requests = 0
  let messagesTotal = 0
  return {
    socket,
    nextRequest() {
      const pass = Math.floor(requests++ / requestsPerPass)
      if (pass >= passes) throw new Error('the run is too long for the prepared consumers: use fewer seconds')
      return publication(`$JS.API.CONSUMER.MSG.NEXT.${stream}.${run}-${pass}`, inbox, pull)
    },
    feed(chunk) {
      const before = Math.floor(messagesTotal / batch)
      const messages = count(chunk)
      messagesTotal += messages
      return { messages, batches: Math.floor(messagesTotal / batch) - before }
    }
  }
}

export const nats: Peer = {
  async createStreams(port, names, { inMemory }) {
    const connection = await openConnection(port)
    const storage = inMemory ? 'memory' : 'file'
    const limits = { max_bytes: STREAM_BYTES_MAX, retention: 'limits', discard: 'old', storage }
    for (const name of names) {
      await callApi(connection, `STREAM.CREATE.${name}`, { name, subjects: [name], num_replicas: 1, ...limits })
    }
    connection.socket.destroy()
  },
  openAppender,
  async preload(port, stream, payload, count) {
    const streams = Array<string>(frameCountFor(PRELOAD_IN_FLIGHT, payload.length)).fill(stream)
    const appender = await openAppender(port, streams, payload)
    const frameBytes = appender.frames.length / appender.frameCount
    for (let done = 0; done < count; done += PRELOAD_IN_FLIGHT) {
      const wave = Math.min(PRELOAD_IN_FLIGHT, count - done)
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
