import { EventEmitter } from 'node:events'
import type { FromExporterWorker, ToExporterWorker } from '../../component/exporter/messages.ts'
import { unpackBatch } from '../../component/export/message-batch.ts'
import type { SendOutcome } from '../../component/export/sink.ts'
import type { StoredMessage } from '../../component/model/message.ts'

/** A batch that an exporter worker has: its payloads lie in the memory that was transferred. */
export interface WorkerBatch {
  readonly streamName: string
  readonly messages: readonly StoredMessage[]
  /** Aborted when the outcome is not wanted any more. */
  readonly signal: AbortSignal
  /** Gives outcome and memory back, once. Without effect when the worker has ended. */
  answer(outcome: SendOutcome): void
}

/**
 * An exporter worker in the same thread: messages cross over as between threads, so that whoever gives memory away has it
 * no more. What it answers arrives in a later turn, also when it was terminated meanwhile.
 */
export class TransferringWorker extends EventEmitter {
  /** The event loop of the worker turns no more. */
  isHanging = false
  #hasEnded = false
  readonly #serve: (batch: WorkerBatch) => void
  readonly #aborts = new Map<number, AbortController>()

  constructor(serve: (batch: WorkerBatch) => void) {
    super()
    this.#serve = serve
  }

  postMessage(message: ToExporterWorker, transfer: readonly ArrayBuffer[]): void {
    const received = structuredClone(message, { transfer: [...transfer] })
    setImmediate(() => this.#receive(received))
  }

  /** Dies by itself: what it holds is lost. */
  crash(): void {
    this.#end()
    this.emit('exit', 1)
  }

  terminate(): Promise<number> {
    if (!this.#hasEnded) setImmediate(() => this.crash())
    return Promise.resolve(1)
  }

  #end(): void {
    this.#hasEnded = true
    this.removeAllListeners('message')
  }

  #tell(message: FromExporterWorker, transfer: readonly ArrayBuffer[] = []): void {
    if (this.#hasEnded) return
    const told = structuredClone(message, { transfer: [...transfer] })
    setImmediate(() => this.emit('message', told))
  }

  #receive(message: ToExporterWorker): void {
    if (this.#hasEnded || this.isHanging) return
    if (message.kind === 'ping') this.#tell({ kind: 'pong' })
    if (message.kind === 'abort') this.#aborts.get(message.id)?.abort()
    if (message.kind !== 'send') return
    const { id, streamName, packed } = message
    const abort = new AbortController()
    this.#aborts.set(id, abort)
    this.#serve({
      streamName,
      messages: unpackBatch(packed),
      signal: abort.signal,
      answer: (outcome) => {
        this.#aborts.delete(id)
        this.#tell({ kind: 'outcome', id, outcome, packed }, [packed])
      }
    })
  }
}
