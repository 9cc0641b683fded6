import { echo } from './peers/echo.ts'
import { nats } from './peers/nats.ts'
import type { Peer } from './peers/peer.ts'
import { redis } from './peers/redis.ts'
import { streamManager } from './peers/stream-manager.ts'

/** Protocols that the load generator speaks. */
export type PeerName = 'stream-manager' | 'nats-server' | 'redis-server' | 'bare echo'

export const PEERS: Readonly<Record<PeerName, Peer>> = {
  'stream-manager': streamManager,
  'nats-server': nats,
  'redis-server': redis,
  'bare echo': echo
}

export const KIB = 1024
export const MIB = 1024 * KIB
/** Payload where a scenario does not vary it. */
export const PAYLOAD_BYTES = KIB
export const APPEND_STREAM = 'bench-append'
export const READ_STREAM = 'bench-read'

/** Names of the streams that appends go to in turn, all of one length, because the requests of a connection must be. */
export function appendStreams(count: number): string[] {
  if (count === 1) return [APPEND_STREAM]
  return Array.from({ length: count }, (_, index) => `${APPEND_STREAM}-${String(index).padStart(6, '0')}`)
}

/** Real data does not repeat itself, so neither does the payload. */
export function makePayload(bytes = PAYLOAD_BYTES): Buffer {
  const payload = Buffer.alloc(bytes)
  for (let index = 0, state = 12345; index < payload.length; index += 1) {
    state = (state * 1103515245 + 12345) % 2 ** 31
    payload[index] = 33 + ((state >>> 16) % 90)
  }
  return payload
}

/** A load: what its requests are and how many are under way. */
export type Work =
  /** Appends as fast as they are acknowledged. */
  | {
      readonly kind: 'append'
      readonly connections: number
      /** On each connection. */
      readonly inFlight: number
      readonly payloadBytes: number
      /** Streams that the appends go to in turn. */
      readonly streams: number
    }
  /** Reads of one stream over one connection, two requests under way. */
  | {
      readonly kind: 'read'
      /** READ_STREAM unless given. */
      readonly stream?: string
      /** Messages per request. */
      readonly batch: number
      /** Messages in the stream. */
      readonly stored: number
      /** Each message once, instead of over and over for a time. */
      readonly isOnePass: boolean
    }
  /** Appends at a rate that does not depend on the answers, and reads at full speed beside them. */
  | {
      readonly kind: 'steady'
      readonly appendsPerSecond: number
      /** Undefined: no reads. */
      readonly reads: { readonly batch: number; readonly stored: number } | undefined
    }
  /** The official JavaScript client library. */
  | {
      readonly kind: 'sdk'
      readonly operation: 'append' | 'read'
      readonly inFlight: number
      /** Messages per read. */
      readonly batch: number
      readonly stored: number
    }
  /** One write and one sync per message without any server; each takes so much longer. */
  | { readonly kind: 'fdatasync'; readonly folder: string; readonly delayMs?: number }

/** What one run of the load generator does; handed over as JSON. */
export interface Job {
  readonly work: Work
  /** The server; undefined for work without one. */
  readonly target: { readonly peer: PeerName; readonly port: number; readonly pid: number } | undefined
  readonly seconds: number
  readonly warmUpSeconds: number
}

/** What the load generator saw in the measured time; JSON. */
export interface Sample {
  readonly messages: number
  readonly seconds: number
  /** Of the server, all threads, user and system; 0 without a server. */
  readonly serverCpuSeconds: number
  /** Largest resident memory of the server (VmHWM), MiB; 0 without a server. */
  readonly peakMib: number
  readonly generatorCpuSeconds: number
  /** From handing a request to the socket to its answer: buckets of load/histogram.ts. */
  readonly latencies: readonly (readonly [number, number])[]
  /** Messages read beside the measured appends. */
  readonly messagesBeside: number
}
