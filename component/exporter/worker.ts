import { parentPort, type MessagePort } from 'node:worker_threads'
import { assert } from '../base/assert.ts'
import { systemClock, type Clock } from '../base/clock.ts'
import { describeError } from '../base/fault.ts'
import { systemRandom } from '../base/random.ts'
import type { SendOutcome } from '../export/sink.ts'
import type { ExporterSettings, FromExporterWorker, ToExporterWorker } from './messages.ts'
import { unpackBatch } from './packed-batch.ts'
import { createSinkCache, type SinkCache } from './sink-cache.ts'

/**
 * The exporter worker's whole life: receives batches, has them sent, answers with the outcomes. To be called once in a
 * worker thread; returns at once.
 */
export function runExporterWorker(port: MessagePort | null = parentPort, clock: Clock = systemClock): void {
  assert(port !== null, 'the exporter runs in a worker thread')
  const answer = (message: FromExporterWorker): void => port.postMessage(message)
  const aborts = new Map<number, AbortController>()
  let sinks: Promise<SinkCache> | undefined

  const send = async (message: ToExporterWorker & { kind: 'send' }): Promise<void> => {
    assert(sinks !== undefined, 'the settings come before the first batch')
    const abort = new AbortController()
    aborts.set(message.id, abort)
    const outcome = await sendSafely(await sinks, message, abort.signal, answer)
    aborts.delete(message.id)
    answer({ kind: 'outcome', id: message.id, outcome })
  }

  port.on('message', (message: ToExporterWorker) => {
    switch (message.kind) {
      case 'start':
        sinks = startSinks(message.settings, clock)
        return
      case 'send':
        void send(message)
        return
      case 'abort':
        aborts.get(message.id)?.abort()
    }
  })
}

/** The sinks' code is loaded here, in the worker: the main thread shares the bundle but never needs it. */
async function startSinks(settings: ExporterSettings, clock: Clock): Promise<SinkCache> {
  const { createSinkFactory } = await import('../sinks/index.ts')
  const factory = createSinkFactory({
    clock,
    random: systemRandom,
    userAgent: `edge-stream-manager/${settings.version}`,
    environment: settings.aws,
    kinesisInterCallDelayMs: settings.kinesisInterCallDelayMs
  })
  return createSinkCache(clock, factory)
}

/** A bug in one sink must not take the batches of all others down with the thread: it is told, and the batch waits. */
async function sendSafely(
  sinks: SinkCache,
  { streamName, definition, packed }: ToExporterWorker & { kind: 'send' },
  signal: AbortSignal,
  answer: (message: FromExporterWorker) => void
): Promise<SendOutcome> {
  try {
    const sink = sinks.get(streamName, definition)
    assert(sink !== undefined, 'the engine sends no batches of kinds that are not available')
    return await sink.send({ streamName, definition, messages: unpackBatch(packed) }, signal)
  } catch (error) {
    const fields = { stream: streamName, export: definition.identifier, error: describeError(error) }
    answer({ kind: 'log', level: 'ERROR', message: 'A sink failed in a way it should not', fields })
    return { kind: 'retryLater', reason: `InternalError: ${describeError(error)}` }
  }
}
