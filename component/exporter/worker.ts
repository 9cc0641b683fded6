import { parentPort, type MessagePort } from 'node:worker_threads'
import type { AwsEnvironment } from '../aws/index.ts'
import { assert } from '../base/assert.ts'
import { systemClock, type Clock } from '../base/clock.ts'
import { describeError } from '../base/fault.ts'
import { systemRandom } from '../base/random.ts'
import { unpackBatch } from '../export/message-batch.ts'
import type { OnProgress, SendOutcome } from '../export/sink.ts'
import type { Pace, RunStep, StepOutcome } from '../export/task.ts'
import type { ExporterSettings, FromExporterWorker, ToExporterWorker } from './messages.ts'
import { createSinkCache, type SinkCache } from './sink-cache.ts'

/** Far below the time after which a request counts as stalled. */
const PROGRESS_INTERVAL_MS = 1_000

/**
 * The exporter worker's whole life: receives batches, has them sent, answers with the outcomes. To be called once in a
 * worker thread; returns at once.
 */
export function runExporterWorker(port: MessagePort | null = parentPort, clock: Clock = systemClock): void {
  assert(port !== null, 'the exporter runs in a worker thread')
  const answer = (message: FromExporterWorker, transfer: readonly ArrayBuffer[] = []): void =>
    port.postMessage(message, transfer)
  const aborts = new Map<number, AbortController>()
  let destinations: Promise<Destinations> | undefined
  /** Of the sinks, which look into it whenever they ask for credentials. */
  const environment: Changeable<AwsEnvironment> = {}
  /** Bodies that wait for their turn, by step. */
  const paced = new Map<number, () => void>()

  const send = async (message: ToExporterWorker & { kind: 'send' }): Promise<void> => {
    assert(destinations !== undefined, 'the settings come before the first batch')
    const abort = new AbortController()
    aborts.set(message.id, abort)
    const { sinks, isPaced } = await destinations
    const outcome = await sendSafely(sinks, message, abort.signal, progressOf(message.id, isPaced), answer)
    aborts.delete(message.id)
    answer({ kind: 'outcome', id: message.id, outcome, packed: message.packed }, [message.packed])
  }

  /** Tells of progress, but not more often than anybody needs to know, and of bodies where their bandwidth is limited. */
  const progressOf = (id: number, isPaced: boolean): OnProgress => {
    let toldMs = clock.monotonicMs()
    return (bodyBytes) => {
      if (bodyBytes !== undefined) {
        if (isPaced) answer({ kind: 'began', id, bodyBytes })
        return
      }
      const nowMs = clock.monotonicMs()
      if (nowMs - toldMs < PROGRESS_INTERVAL_MS) return
      toldMs = nowMs
      answer({ kind: 'progress', id })
    }
  }

  const paceOf =
    (id: number): Pace =>
    (bytes, signal) =>
      new Promise((resolve) => {
        const goOn = (): void => {
          paced.delete(id)
          signal.removeEventListener('abort', goOn)
          resolve()
        }
        if (signal.aborted) {
          resolve()
          return
        }
        paced.set(id, goOn)
        signal.addEventListener('abort', goOn, { once: true })
        answer({ kind: 'pace', id, bytes })
      })

  const step = async (message: ToExporterWorker & { kind: 'step' }): Promise<void> => {
    assert(destinations !== undefined, 'the settings come before the first step')
    const { id } = message
    const abort = new AbortController()
    aborts.set(id, abort)
    const { runStep, isPaced } = await destinations
    const onProgress = progressOf(id, isPaced)
    const ownPace = isPaced ? paceOf(id) : UNPACED
    // A body asks for its next piece when the connection has taken the last one.
    const pace: Pace = (bytes, until) => {
      onProgress()
      return ownPace(bytes, until)
    }
    const outcome = await stepSafely(runStep, message, pace, abort.signal, answer)
    aborts.delete(id)
    answer({ kind: 'stepped', id, outcome })
  }

  port.on('message', (message: ToExporterWorker) => {
    switch (message.kind) {
      case 'start':
        Object.assign(environment, message.settings.aws)
        destinations = startDestinations(message.settings, environment, clock)
        return
      case 'token':
        environment.AWS_CONTAINER_AUTHORIZATION_TOKEN = message.token
        return
      case 'send':
        void send(message)
        return
      case 'step':
        void step(message)
        return
      case 'paced':
        paced.get(message.id)?.()
        return
      case 'ping':
        answer({ kind: 'pong' })
        return
      case 'abort':
        aborts.get(message.id)?.abort()
    }
  })
}

type Changeable<Fields> = { -readonly [Key in keyof Fields]: Fields[Key] }

interface Destinations {
  readonly sinks: SinkCache
  readonly runStep: RunStep
  /** False when bodies need not ask before they send. */
  readonly isPaced: boolean
}

const UNPACED: Pace = () => Promise.resolve()

/** The sinks' code is loaded here, in the worker: the main thread shares the bundle but never needs it. */
async function startDestinations(
  settings: ExporterSettings,
  environment: AwsEnvironment,
  clock: Clock
): Promise<Destinations> {
  const { createDestinations } = await import('../sinks/index.ts')
  const { createSink, runStep } = createDestinations({
    clock,
    random: systemRandom,
    userAgent: `edge-stream-manager/${settings.version}`,
    environment,
    kinesisInterCallDelayMs: settings.kinesisInterCallDelayMs,
    s3: settings.s3
  })
  return { sinks: createSinkCache(clock, createSink), runStep, isPaced: settings.s3.chunkBytes !== undefined }
}

/** A bug in one sink must not take the batches of all others down with the thread: it is told, and the batch waits. */
async function sendSafely(
  sinks: SinkCache,
  { streamName, definition, packed }: ToExporterWorker & { kind: 'send' },
  signal: AbortSignal,
  onProgress: OnProgress,
  answer: (message: FromExporterWorker) => void
): Promise<SendOutcome> {
  try {
    const sink = sinks.get(streamName, definition)
    assert(sink !== undefined, 'the engine sends no batches of kinds that are not available')
    return await sink.send({ streamName, definition, messages: unpackBatch(packed) }, signal, onProgress)
  } catch (error) {
    const fields = { stream: streamName, export: definition.identifier, error: describeError(error) }
    answer({ kind: 'log', level: 'ERROR', message: 'A sink failed in a way it should not', fields })
    return { kind: 'retryLater', reason: `InternalError: ${describeError(error)}` }
  }
}

/** The same for a step of a task. */
async function stepSafely(
  runStep: RunStep,
  { step, packed }: ToExporterWorker & { kind: 'step' },
  pace: Pace,
  signal: AbortSignal,
  answer: (message: FromExporterWorker) => void
): Promise<StepOutcome> {
  try {
    const [message] = packed === undefined ? [] : unpackBatch(packed)
    return await runStep({ ...step, message }, pace, signal)
  } catch (error) {
    const fields = { stream: step.streamName, export: step.definition.identifier, error: describeError(error) }
    answer({ kind: 'log', level: 'ERROR', message: 'A task failed in a way it should not', fields })
    return { kind: 'retryLater', reason: `InternalError: ${describeError(error)}`, events: [] }
  }
}
