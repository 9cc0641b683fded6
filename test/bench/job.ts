import { echo } from './peers/echo.ts'
import { nats } from './peers/nats.ts'
import type { Peer } from './peers/peer.ts'
import { redis } from './peers/redis.ts'
import { streamManager } from './peers/stream-manager.ts'

/** Servers by the name that tables show. */
export type PeerName = 'stream-manager' | 'nats-server' | 'redis-server' | 'bare echo'

export const PEERS: Readonly<Record<PeerName, Peer>> = {
  'stream-manager': streamManager,
  'nats-server': nats,
  'redis-server': redis,
  'bare echo': echo
}

export const PAYLOAD_BYTES = 1024
/** Messages stored before the read scenario: they fit into every server's page cache. */
export const PRELOADED_MESSAGES = 100_000
export const APPEND_STREAM = 'bench-append'
export const READ_STREAM = 'bench-read'

/** Real data does not repeat itself, so neither does the payload. */
export function makePayload(): Buffer {
  const payload = Buffer.alloc(PAYLOAD_BYTES)
  for (let index = 0, state = 12345; index < payload.length; index += 1) {
    state = (state * 1103515245 + 12345) % 2 ** 31
    payload[index] = 33 + ((state >>> 16) % 90)
  }
  return payload
}

/** What one run of the load generator does; handed over as JSON. */
export type Job =
  | {
      readonly kind: 'append'
      readonly peer: PeerName
      readonly port: number
      readonly serverPid: number
      readonly connections: number
      readonly inFlight: number
      readonly seconds: number
    }
  | {
      readonly kind: 'read'
      readonly peer: PeerName
      readonly port: number
      readonly serverPid: number
      readonly seconds: number
    }
  | { readonly kind: 'fdatasync'; readonly folder: string; readonly seconds: number }

export interface Outcome {
  readonly messagesPerSecond: number
  /** From handing a request to the socket to its answer, microseconds. */
  readonly p50Us: number
  readonly p99Us: number
  /** CPU time of the server, all threads, microseconds; NaN when there is no server. */
  readonly cpuPerMessageUs: number
  readonly residentMib: number
}
