import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Random } from '../../../component/base/random.ts'
import { createByteBudget, type ByteBudget } from '../../../component/base/byte-budget.ts'
import { CLIENT_DEFINITION_RULES } from '../../../component/protocol/index.ts'
import { admitEveryone, createAnswerMemory, listen, type Listener } from '../../../component/server/index.ts'
import { openScene, type StreamScene } from '../../helpers/stream-scene.ts'
import { decodeFrame, encodeFrame, OP } from '../../helpers/wire-frames.ts'
import { WireClient } from '../../helpers/wire-client.ts'
import { GOLDEN_REQUESTS } from '../corpus.ts'
import { below, cutAnywhere, mutate, pick } from '../mutate.ts'
import type { FuzzTarget } from '../target.ts'

/*
 * An input is what a client does, one action after another:
 *
 *     action u8: 0 send, 1 let the server work, 2 end its side, 3 reset
 *     after 0: length u16 big-endian, bytes
 */
const ACTIONS = 4
const SEND = 0
const WORK = 1
const END = 2
const RESET = 3
const FRAME_MEMORY_BYTES = 64 * 1024
const PATIENCE_MS = 10_000

interface Server {
  readonly streams: StreamScene
  readonly listener: Listener
  readonly frameBudget: ByteBudget
}

async function startServer(): Promise<Server> {
  const streams = await openScene()
  const { clock, logger, registry } = streams
  const frameBudget = createByteBudget(FRAME_MEMORY_BYTES)
  const listener = await listen(0, {
    services: {
      registry,
      exportStatuses: () => [],
      appended: () => undefined,
      definitionRules: CLIENT_DEFINITION_RULES
    },
    handshake: { serverVersion: '0.0.0', authenticate: admitEveryone, clock },
    frameBudget,
    answerMemory: createAnswerMemory(),
    inputTurns: streams.inputTurns,
    clock,
    logger
  })
  return { streams, listener, frameBudget }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** @returns whether the client broke the connection off */
async function act(socket: Socket, input: Buffer): Promise<boolean> {
  for (let at = 0; at < input.length && !socket.destroyed;) {
    const action = input[at]! % ACTIONS
    at += 1
    if (action === WORK) await turn()
    // Node.js cannot reset a socket whose end it is about to send.
    else if (action === RESET) {
      if (socket.writable) socket.resetAndDestroy()
      else socket.destroy()
      return true
    } else if (action === END) socket.end()
    else {
      const length = at + 2 <= input.length ? input.readUInt16BE(at) : 0
      if (socket.writable) socket.write(input.subarray(at + 2, at + 2 + length))
      at += 2 + length
    }
  }
  if (socket.writable) socket.end()
  return false
}

/** Everything that the server sends is whole frames with answers. */
function checkAnswers(received: Buffer, wasReset: boolean): void {
  if (received.length === 0) return
  assert.equal(received[0], 1, 'the connect version')
  for (let at = 1; at < received.length;) {
    const isWhole = at + 5 <= received.length && at + 4 + received.readInt32BE(at) <= received.length
    if (!isWhole && wasReset) return
    assert.ok(isWhole, 'the last frame is whole')
    const length = received.readInt32BE(at)
    assert.ok(length >= 2, `a frame has the length ${length}`)
    const { map } = decodeFrame({
      operation: received.readInt8(at + 4),
      payload: received.subarray(at + 5, at + 4 + length)
    })
    assert.equal(typeof map['requestId'], 'string')
    assert.equal(typeof (map['status'] ?? map['responseStatus']), 'number', JSON.stringify(map))
    at += 4 + length
  }
}

/** Plays the client; resolves with what it received when the connection is closed. */
async function play(port: number, input: Buffer): Promise<{ readonly received: Buffer; readonly wasReset: boolean }> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  let failure: Error | undefined
  socket.on('error', (error) => (failure = error))
  await once(socket, 'connect')
  const closed = new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      socket.destroy()
      reject(new Error('the server does not close the connection'))
    }, PATIENCE_MS)
    socket.on('close', () => {
      clearTimeout(timer)
      resolve()
    })
  })
  socket.on('end', () => socket.end())
  const [wasReset] = await Promise.all([act(socket, input), closed])
  // A Python client is dead for good after a reset (protocol 11.3).
  if (failure !== undefined && !wasReset) throw failure
  return { received: Buffer.concat(chunks), wasReset }
}

async function checkStillServes({ listener, frameBudget, streams }: Server): Promise<void> {
  const client = await WireClient.connect({ port: listener.port })
  const { map } = await client.request(OP.listStreams, {})
  assert.equal(map['status'], 0)
  await client.close()
  for (let turns = 0; listener.connectionCount > 0; turns += 1) {
    assert.ok(turns < 1_000, 'a connection is left')
    await turn()
  }
  // What a client that is gone has asked for may still be under way.
  for (let turns = 0; frameBudget.used > 0; turns += 1) {
    assert.ok(turns < 1_000, `${frameBudget.used} bytes of memory of frames are left`)
    await turn()
  }
  assert.deepEqual(streams.logger.at('ERROR'), [])
}

function action(kind: number, bytes: Buffer = Buffer.alloc(0)): Buffer {
  if (kind !== SEND) return Buffer.from([kind])
  const head = Buffer.from([SEND, 0, 0])
  head.writeUInt16BE(bytes.length, 1)
  return Buffer.concat([head, bytes])
}

const connectFrame = GOLDEN_REQUESTS.find(({ operation }) => operation === OP.connect)!.frame
const LATER = GOLDEN_REQUESTS.filter(({ operation }) => operation !== OP.connect)
const KNOWN_STREAM = encodeFrame(OP.createMessageStream, {
  requestId: 'c',
  definition: { name: 'SomeStream', strategyOnFull: 1, persistence: 1 }
})

function randomFrame(random: Random): Buffer {
  const golden = pick(random, LATER)
  const choice = random.fraction()
  if (choice < 0.4) return golden.frame
  if (choice < 0.5) return KNOWN_STREAM
  if (choice < 0.7) return encodeFrame(golden.operation, mutate(random, golden.payload))
  if (choice < 0.8) return encodeFrame(below(random, 256) - 128, golden.payload)
  if (choice < 0.85) return encodeFrame(golden.operation, Buffer.alloc(20_000, below(random, 256)))
  return mutate(random, golden.frame)
}

function randomClient(random: Random): Buffer {
  const start = Buffer.concat([Buffer.from([1]), connectFrame])
  const frames = Array.from({ length: below(random, 12) }, () => randomFrame(random))
  const isStrange = random.fraction() < 0.1
  const bytes = Buffer.concat([isStrange ? mutate(random, start) : start, ...frames])
  const actions = cutAnywhere(random, bytes, 8).map((part) => action(SEND, part.subarray(0, 65_535)))
  const others = Array.from({ length: below(random, 4) }, () => action(random.fraction() < 0.7 ? WORK : END))
  for (const other of others) actions.splice(below(random, actions.length + 1), 0, other)
  if (random.fraction() < 0.1) actions.splice(below(random, actions.length + 1), 0, action(RESET))
  return Buffer.concat(actions)
}

/** A whole server in this process, over TCP: whatever a client does, answers are frames and others are served. */
export const connection: FuzzTarget = {
  name: 'connection',
  inputCount: 400,
  generate: randomClient,
  async run(input) {
    const server = await startServer()
    const thrown: Error[] = []
    const onUncaught = (error: Error): void => void thrown.push(error)
    process.on('uncaughtException', onUncaught)
    try {
      const { received, wasReset } = await play(server.listener.port, input)
      checkAnswers(received, wasReset)
      await checkStillServes(server)
    } finally {
      const stopped = server.listener.stop(0)
      server.streams.clock.advance(0)
      await stopped
      await server.streams.registry.stop()
      process.off('uncaughtException', onUncaught)
    }
    for (const error of thrown) throw error
  }
}
