import { createServer, type Server, type Socket } from 'node:net'
import { createAnswerPool, createFramePool } from '../base/buffer-pool.ts'
import type { Timer } from '../base/clock.ts'
import { describeError, Fault } from '../base/fault.ts'
import { CONNECTIONS_MAX, REFUSED_CONNECTIONS_MAX } from '../base/limits.ts'
import { Connection, type ConnectionOptions } from './connection.ts'
import { createPlaces, type Guest } from './places.ts'

export type ListenOptions = Omit<ConnectionOptions, 'buffers' | 'framePool'>

/** The open port and the connections that came through it. */
export interface Listener {
  /** The port that is bound; the chosen one when 0 was asked for. */
  readonly port: number
  readonly connectionCount: number
  /** Accepts nobody any more, answers what is in flight, and resolves when all have gone or after `deadlineMs`. */
  stop(deadlineMs: number): Promise<void>
}

/** Loopback only (behaviour 2, rule 2): user code says `localhost`, which may mean either. */
const ADDRESSES = ['127.0.0.1', '::1'] as const
const BACKLOG = 1024
const DEADLINE_CHECK_INTERVAL_MS = 1_000
const NO_ROOM = { kind: 'failedToConnect', message: `there are already ${CONNECTIONS_MAX} connections` } as const

function bind(address: string, port: number, accept: (socket: Socket) => void): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, accept)
    server.once('error', reject)
    server.listen({ host: address, port, backlog: BACKLOG }, () => {
      server.off('error', reject)
      resolve(server)
    })
  })
}

function boundPort(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

function cannotListen(port: number, error: unknown): Fault {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  const reason =
    code === 'EADDRINUSE'
      ? 'another process has it'
      : code === 'EACCES'
        ? 'this user may not use it'
        : describeError(error)
  return new Fault(`the port ${port} of 127.0.0.1 cannot be opened: ${reason}`, error)
}

/**
 * Opens the port on the loopback addresses and serves every connection.
 * @throws Fault when 127.0.0.1 cannot be bound; ::1 is optional
 */
export async function listen(port: number, options: ListenOptions): Promise<Listener> {
  const { clock, logger } = options
  const connectionOptions = { ...options, buffers: createAnswerPool(), framePool: createFramePool() }
  const connections = new Set<Connection>()
  const places = createPlaces(CONNECTIONS_MAX, REFUSED_CONNECTIONS_MAX)
  let timer: Timer | undefined
  let isStopping = false
  let emptied = (): void => undefined

  const accept = (socket: Socket): void => {
    if (isStopping) {
      socket.destroy()
      return
    }
    const connection = new Connection(socket, connectionOptions)
    const guest: Guest = {
      get standing() {
        return connection.standing
      },
      refuse: () => connection.refuse(NO_ROOM),
      cut: () => socket.destroy()
    }
    connections.add(connection)
    socket.once('close', () => {
      connections.delete(connection)
      places.leave(guest)
      if (connections.size === 0) emptied()
    })
    places.enter(guest)
  }

  const servers = [
    await bind(ADDRESSES[0], port, accept).catch((error: unknown) => Promise.reject(cannotListen(port, error)))
  ]
  const actualPort = servers[0] === undefined ? port : boundPort(servers[0])
  try {
    servers.push(await bind(ADDRESSES[1], actualPort, accept))
  } catch (error) {
    logger.debug('The IPv6 loopback address is not served', { error: describeError(error) })
  }
  for (const server of servers) {
    server.on('error', (error) => logger.warn('A connection could not be accepted', { error: error.message }))
  }

  const checkDeadlines = (): void => {
    for (const connection of connections) connection.checkDeadlines()
    timer = clock.after(DEADLINE_CHECK_INTERVAL_MS, checkDeadlines)
  }
  checkDeadlines()

  return {
    port: actualPort,
    get connectionCount() {
      return connections.size
    },
    async stop(deadlineMs) {
      isStopping = true
      timer?.cancel()
      for (const server of servers) server.close()
      for (const connection of connections) connection.close()
      if (connections.size === 0) return
      await new Promise<void>((resolve) => {
        emptied = resolve
        clock.after(deadlineMs, resolve)
      })
    }
  }
}
