import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nucleusFrame, takeFrames, type NucleusFrame } from './event-stream-frames.ts'
import { readMetrics } from './nucleus-metrics.ts'

export type NucleusFlavour = 'classic' | 'lite'

/** An operation as it was asked for. */
export interface AskedOperation {
  readonly operation: string
  readonly payload: Readonly<Record<string, unknown>>
}

/** A stand-in for the nucleus at its Unix socket: strict about what it is sent, and bad-tempered as a test wants it. */
export interface FakeNucleus {
  readonly flavour: NucleusFlavour
  readonly socketPath: string
  /** Token of the component under test. */
  ownToken: string
  /** Tokens of other components. */
  readonly tokens: Set<string>
  /** Lite: whether the peer process counts as the component's own. */
  knowsByName: boolean
  /** Whether the component under test may validate tokens, which depends on its name. */
  mayValidate: boolean
  /** Whether connect messages are answered. */
  acknowledges: boolean
  /** False: operations are kept unanswered until it is true again. */
  answers: boolean
  /** Operations that are answered with this error. */
  readonly failing: Map<string, string>
  /** Connect payloads received. */
  readonly connects: Readonly<Record<string, unknown>>[]
  readonly asked: AskedOperation[]
  /** What was added to each metric, also when the answer came to nobody. */
  readonly metrics: Map<string, number>
  /** What a real nucleus would not have put up with; to be empty in the end. */
  readonly violations: string[]
  readonly connectionCount: number
  /** Streams that were neither ended by us nor by the client. */
  readonly openStreamCount: number
  askedCount(operation: string): number
  /** Resolves when `condition` holds; it is looked at after everything that happens at the socket. */
  until(condition: () => boolean): Promise<void>
  /** Answers what was held back. */
  release(): void
  /** Ends all connections; the socket goes on listening. */
  dropConnections(): void
  /** Sends bytes over all connections. */
  sendRaw(bytes: Buffer): void
  stop(): Promise<void>
  start(): Promise<void>
  /** Stops for good and removes the socket's folder. */
  dispose(): Promise<void>
}

/** Lite's own limit; classic states none. */
const FRAME_BYTES_MAX = 10_000
const OPERATIONS = ['ValidateAuthorizationToken', 'UpdateState', 'UpdateConfiguration', 'PutComponentMetric']

interface Peer {
  readonly socket: Socket
  isAuthenticated: boolean
  lastStreamId: number
  readonly openStreams: Set<number>
}

export async function startFakeNucleus(flavour: NucleusFlavour): Promise<FakeNucleus> {
  const folder = mkdtempSync(join(tmpdir(), 'nucleus-'))
  const peers = new Set<Peer>()
  const watchers = new Set<() => void>()
  let held: (() => void)[] = []
  let server: Server | undefined
  let answers = true

  const changed = (): void => {
    for (const watcher of [...watchers]) watcher()
  }

  const refuse = (peer: Peer): void => {
    const ack = nucleusFrame({ ':message-type': 5, ':message-flags': 0, ':stream-id': 0 })
    if (flavour === 'classic') peer.socket.end(ack)
    else peer.socket.end()
  }

  const onConnect = (peer: Peer, frame: NucleusFrame): void => {
    const { headers } = frame
    if (headers[':message-type'] !== 4) throw new Error('the first message is not connect')
    if (headers[':message-flags'] !== 0 || headers[':stream-id'] !== 0) throw new Error('flags or stream id in connect')
    if (headers[':version'] !== '0.1.0') throw new Error('wrong version')
    const payload = JSON.parse(frame.payload.toString()) as Record<string, unknown>
    nucleus.connects.push(payload)
    if (!nucleus.acknowledges) return
    const byName = flavour === 'lite' && nucleus.knowsByName && payload['authToken'] === undefined
    const isKnown = byName
      ? payload['componentName'] === 'aws.greengrass.StreamManager'
      : payload['authToken'] === nucleus.ownToken
    if (!isKnown) {
      refuse(peer)
      return
    }
    peer.isAuthenticated = true
    const own = byName ? { svcuid: nucleus.ownToken } : {}
    peer.socket.write(nucleusFrame({ ':message-type': 5, ':message-flags': 1, ':stream-id': 0, ...own }))
  }

  const onStreamEnd = (peer: Peer, streamId: number): void => {
    if (!peer.openStreams.delete(streamId)) throw new Error('the end of a stream that is not open')
  }

  const onRequest = (peer: Peer, { headers, payload: bytes }: NucleusFrame): void => {
    const streamId = headers[':stream-id']
    if (headers[':message-type'] !== 0) throw new Error(`message type ${String(headers[':message-type'])}`)
    if (typeof streamId !== 'number') throw new Error('no stream id')
    if (headers[':message-flags'] === 2) {
      onStreamEnd(peer, streamId)
      return
    }
    if (headers[':message-flags'] !== 0) throw new Error('flags in a request')
    if (streamId <= peer.lastStreamId) throw new Error('a stream id comes again')
    peer.lastStreamId = streamId
    const operation = String(headers['operation']).replace('aws.greengrass#', '')
    // The official SDK for JavaScript sends neither.
    const { 'service-model-type': type = `aws.greengrass#${operation}Request`, ':content-type': content } = headers
    if (type !== `aws.greengrass#${operation}Request`) throw new Error('wrong model type')
    if (content !== undefined && content !== 'application/json') throw new Error('wrong content type')
    const payload = JSON.parse(bytes.toString()) as Record<string, unknown>
    peer.openStreams.add(streamId)
    nucleus.asked.push({ operation, payload })
    const answer = (): void => respond(peer, streamId, operation, payload)
    if (answers) answer()
    else held.push(answer)
  }

  const respond = (peer: Peer, streamId: number, operation: string, payload: Record<string, unknown>): void => {
    const code = nucleus.failing.get(operation) ?? errorOf(operation, payload)
    if (code !== undefined) {
      peer.openStreams.delete(streamId)
      const headers = { ':message-type': 1, ':message-flags': 2, ':stream-id': streamId }
      const type = { ':content-type': 'application/json', 'service-model-type': `aws.greengrass#${code}` }
      // The token is repeated to see that nobody logs such a text.
      const text = code === 'ServiceError' ? '' : `refused ${String(payload['token'])}`
      const body = JSON.stringify({ _message: text, _errorCode: code })
      peer.socket.write(nucleusFrame({ ...headers, ...type }, body))
      return
    }
    const isLast = flavour === 'classic'
    if (isLast) peer.openStreams.delete(streamId)
    const headers = { ':message-type': 0, ':message-flags': isLast ? 2 : 0, ':stream-id': streamId }
    const type = {
      ':content-type': 'application/json',
      'service-model-type': `aws.greengrass#${operation}Response`
    }
    const body = operation === 'ValidateAuthorizationToken' ? '{"isValid":true}' : '{}'
    peer.socket.write(nucleusFrame({ ...headers, ...type }, body))
  }

  const errorOf = (operation: string, payload: Record<string, unknown>): string | undefined => {
    if (!OPERATIONS.includes(operation)) return 'ServiceError'
    switch (operation) {
      case 'ValidateAuthorizationToken': {
        if (!nucleus.mayValidate) return 'UnauthorizedError'
        const token = payload['token']
        const isKnown = typeof token === 'string' && (token === nucleus.ownToken || nucleus.tokens.has(token))
        return isKnown ? undefined : 'InvalidTokenError'
      }
      case 'UpdateState':
        return typeof payload['state'] === 'string' ? undefined : 'ServiceError'
      case 'UpdateConfiguration': {
        const { keyPath, timestamp, valueToMerge } = payload
        const isObject = typeof valueToMerge === 'object' && valueToMerge !== null
        // Lite takes a float only.
        const isTime = typeof timestamp === 'number' && (flavour === 'classic' || !Number.isInteger(timestamp))
        return Array.isArray(keyPath) && isObject && isTime ? undefined : 'InvalidArgumentsError'
      }
      default:
        return putMetrics(payload)
    }
  }

  const putMetrics = (payload: Record<string, unknown>): string | undefined => {
    try {
      const metrics = readMetrics(payload)
      if (flavour === 'lite') return 'ServiceError'
      for (const { name, value } of metrics) nucleus.metrics.set(name, (nucleus.metrics.get(name) ?? 0) + value)
      return undefined
    } catch (error) {
      nucleus.violations.push(error instanceof Error ? error.message : String(error))
      return 'InvalidArgumentsError'
    }
  }

  const serve = (socket: Socket): void => {
    const peer: Peer = { socket, isAuthenticated: false, lastStreamId: 0, openStreams: new Set() }
    peers.add(peer)
    let received: Buffer = Buffer.alloc(0)
    socket.on('data', (chunk: Buffer) => {
      try {
        const { frames, rest } = takeFrames(Buffer.concat([received, chunk]), FRAME_BYTES_MAX)
        received = rest
        for (const frame of frames) {
          if (peer.isAuthenticated) onRequest(peer, frame)
          else onConnect(peer, frame)
        }
      } catch (error) {
        nucleus.violations.push(error instanceof Error ? error.message : String(error))
        socket.destroy()
      }
      changed()
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      peers.delete(peer)
      changed()
    })
    changed()
  }

  const nucleus: FakeNucleus = {
    flavour,
    socketPath: join(folder, 'ipc.socket'),
    ownToken: 'OWN+TOKEN/000000',
    tokens: new Set(['A+COMPONENT/S+16']),
    knowsByName: true,
    mayValidate: true,
    acknowledges: true,
    get answers() {
      return answers
    },
    set answers(value) {
      answers = value
      if (value) nucleus.release()
    },
    failing: new Map(),
    connects: [],
    asked: [],
    metrics: new Map(),
    violations: [],
    get connectionCount() {
      return peers.size
    },
    get openStreamCount() {
      return [...peers].reduce((sum, peer) => sum + peer.openStreams.size, 0)
    },
    askedCount: (operation) => nucleus.asked.filter((asked) => asked.operation === operation).length,
    until: (condition) =>
      new Promise((resolve) => {
        const check = (): void => {
          if (!condition()) return
          watchers.delete(check)
          resolve()
        }
        watchers.add(check)
        check()
      }),
    release() {
      const answersHeld = held
      held = []
      for (const answer of answersHeld) answer()
    },
    dropConnections() {
      for (const { socket } of peers) socket.destroy()
    },
    sendRaw(bytes) {
      for (const { socket } of peers) socket.write(bytes)
    },
    async stop() {
      const stopping = server
      server = undefined
      if (stopping === undefined) return
      const closed = new Promise((resolve) => stopping.close(resolve))
      nucleus.dropConnections()
      await closed
    },
    async start() {
      const starting = createServer(serve)
      server = starting
      await new Promise<void>((resolve) => starting.listen(nucleus.socketPath, resolve))
    },
    async dispose() {
      await nucleus.stop()
      rmSync(folder, { recursive: true, force: true })
    }
  }
  await nucleus.start()
  return nucleus
}
