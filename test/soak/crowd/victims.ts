import { setTimeout as sleep } from 'node:timers/promises'
import { append, createStream, read } from '../../helpers/stream-calls.ts'
import { WireClient } from '../../helpers/wire-client.ts'

/** The streams of the two ordinary clients; their neighbours may look at them. */
export const SYNCHRONOUS_STREAM = 'synchronous'
export const PIPELINED_STREAM = 'pipelined'

const PAYLOAD = Buffer.alloc(1_024, 'x')
const SYNCHRONOUS_PAUSE_MS = 1
const BURST = 32
const BURST_PAUSE_MS = 10
/** What both may keep: a few segments, so that rolls and retention belong to what is measured. */
const STREAM = { maxSize: 64 * 1024 * 1024, strategyOnFull: 1 }

/** Milliseconds that each call waited for its answer. */
export interface Waits {
  readonly synchronous: readonly number[]
  readonly pipelined: readonly number[]
}

/** Two ordinary clients: one waits for each answer, the other sends bursts of requests. Both append and read 1 KiB. */
export interface Victims {
  /** Lets both work for a time. */
  measure(durationMs: number): Promise<Waits>
  close(): Promise<void>
}

export async function startVictims(port: number): Promise<Victims> {
  const synchronous = await WireClient.connect({ port })
  const pipelined = await WireClient.connect({ port })
  await createStream(synchronous, SYNCHRONOUS_STREAM, STREAM)
  await createStream(pipelined, PIPELINED_STREAM, STREAM)

  async function timed<T>(waits: number[], call: () => Promise<T>): Promise<T> {
    const startMs = performance.now()
    const result = await call()
    waits.push(performance.now() - startMs)
    return result
  }

  async function workSynchronously(waits: number[], endMs: number): Promise<void> {
    while (performance.now() < endMs) {
      const number = await timed(waits, () => append(synchronous, SYNCHRONOUS_STREAM, PAYLOAD))
      const options = { desiredStartSequenceNumber: number, maxMessageCount: 1 }
      await timed(waits, () => read(synchronous, SYNCHRONOUS_STREAM, options))
      await sleep(SYNCHRONOUS_PAUSE_MS)
    }
  }

  async function workInBursts(waits: number[], endMs: number): Promise<void> {
    while (performance.now() < endMs) {
      const burst = Array.from({ length: BURST }, () =>
        timed(waits, () => append(pipelined, PIPELINED_STREAM, PAYLOAD))
      )
      const numbers = await Promise.all(burst)
      const options = { desiredStartSequenceNumber: numbers[0]!, maxMessageCount: BURST }
      await timed(waits, () => read(pipelined, PIPELINED_STREAM, options))
      await sleep(BURST_PAUSE_MS)
    }
  }

  return {
    async measure(durationMs) {
      const waits = { synchronous: [] as number[], pipelined: [] as number[] }
      const endMs = performance.now() + durationMs
      await Promise.all([workSynchronously(waits.synchronous, endMs), workInBursts(waits.pipelined, endMs)])
      return waits
    },
    async close() {
      await Promise.all([synchronous.close(), pipelined.close()])
    }
  }
}
