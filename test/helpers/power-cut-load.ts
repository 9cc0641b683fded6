import type { Random } from '../../component/base/random.ts'
import { defining } from './stream-calls.ts'
import { OP, type WireClient, type WireMap } from './wire-client.ts'

/** One request of the load; whether and when it was answered is seen in the record of the server's calls. */
export type LoadRequest =
  | {
      readonly kind: 'create' | 'update'
      readonly name: string
      readonly maxSize: number
      readonly flushOnWrite: boolean
    }
  | { readonly kind: 'delete'; readonly name: string }
  | { readonly kind: 'append'; readonly name: string; readonly text: string }

/** By request id, in the order of sending. */
export type LoadRequests = Map<string, LoadRequest>

/** Streams of this size or more never fill up. */
export const LARGE_STREAM_BYTES = 10_000_000
const RING_BYTES = 16_384
const STREAMS = [
  { name: 'flushed', maxSize: LARGE_STREAM_BYTES, flushOnWrite: true },
  { name: 'plain', maxSize: LARGE_STREAM_BYTES, flushOnWrite: false },
  { name: 'ring', maxSize: RING_BYTES, flushOnWrite: true }
] as const
const PASSING = { name: 'passing', maxSize: LARGE_STREAM_BYTES, flushOnWrite: true } as const

/** Sends requests to a server and remembers them. */
export class PowerCutLoad {
  readonly requests: LoadRequests = new Map()
  readonly #client: WireClient
  readonly #random: Random
  /** Distinguishes the texts of different runs. */
  readonly #run: string

  constructor(client: WireClient, random: Random, run: string) {
    this.#client = client
    this.#random = random
    this.#run = run
  }

  /** Creates the streams that are missing; the passing one may be left from an earlier run. */
  async createStreams(present: readonly string[]): Promise<void> {
    if (present.includes(PASSING.name)) await this.#delete(PASSING.name)
    for (const stream of STREAMS.filter(({ name }) => !present.includes(name))) await this.#define('create', stream)
  }

  /** A burst of appends to every stream, and now and then a stream that comes, changes and goes. */
  async round(): Promise<void> {
    await Promise.all([...STREAMS.map(({ name }) => this.#burst(name)), this.#churn()])
  }

  async #burst(name: string): Promise<void> {
    const count = 1 + Math.floor(this.#random.fraction() * 6)
    await Promise.all(Array.from({ length: count }, () => this.#append(name)))
  }

  async #churn(): Promise<void> {
    if (this.#random.fraction() < 0.6) return
    await this.#define('create', PASSING)
    await this.#append(PASSING.name)
    await this.#define('update', {
      ...PASSING,
      maxSize: LARGE_STREAM_BYTES + Math.floor(this.#random.fraction() * 1_000)
    })
    await this.#append(PASSING.name)
    await this.#delete(PASSING.name)
  }

  #delete(name: string): Promise<void> {
    return this.#send({ kind: 'delete', name }, OP.deleteMessageStream, { name })
  }

  async #append(name: string): Promise<void> {
    const fraction = this.#random.fraction()
    const bytes = fraction < 0.8 ? Math.floor(fraction * 300) : Math.floor(this.#random.fraction() * 6_000)
    const text = `${this.#run}.${this.requests.size}.`.padEnd(bytes, name)
    await this.#send({ kind: 'append', name, text }, OP.appendMessage, { name, payload: Buffer.from(text) })
  }

  async #define(
    kind: 'create' | 'update',
    stream: { readonly name: string; readonly maxSize: number; readonly flushOnWrite: boolean }
  ): Promise<void> {
    const { name, maxSize, flushOnWrite } = stream
    const operation = kind === 'create' ? OP.createMessageStream : OP.updateMessageStream
    const fields = { maxSize, flushOnWrite, streamSegmentSize: name === PASSING.name ? 4_096 : 2_048 }
    await this.#send({ kind, name, maxSize, flushOnWrite }, operation, defining(name, fields))
  }

  async #send(request: LoadRequest, operation: number, map: WireMap): Promise<void> {
    const requestId = `${this.#run}-${this.requests.size}`
    this.requests.set(requestId, request)
    const answer = await this.#client.request(operation, { requestId, ...map })
    if (answer.map['status'] !== 0)
      throw new Error(`${request.kind} ${request.name}: ${String(answer.map['errorMessage'])}`)
  }
}
