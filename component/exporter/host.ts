import type { Worker } from 'node:worker_threads'
import { backoffDelayMs, type BackoffPolicy } from '../base/backoff.ts'
import type { Clock } from '../base/clock.ts'
import { describeError } from '../base/fault.ts'
import type { Logger, LogLevel } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import type { SendBatch, SendOutcome } from '../export/sink.ts'
import type { ExporterSettings, FromExporterWorker, ToExporterWorker } from './messages.ts'
import { packBatch } from './packed-batch.ts'

/** Pauses between the starts of a worker that crashes. */
const RESTART: BackoffPolicy = { firstMs: 1_000, maxMs: 60_000 }
/** A worker that lived this long has nothing to do with the crash before it. */
const HEALTHY_AFTER_MS = 60_000

export interface ExporterHostOptions {
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  /** Starts the thread that runs `runExporterWorker`. */
  readonly createWorker: () => Worker
  readonly settings: ExporterSettings
}

/** The main thread's side of the exporter worker. */
export interface ExporterHost {
  /** Has a batch sent by the worker, which is started with the first one. */
  readonly send: SendBatch
  /** Ends the worker; batches in flight end with `retryLater`, and so does every later one. */
  stop(): Promise<void>
}

interface RunningWorker {
  readonly worker: Worker
  readonly startedMs: number
  /** Batches in flight, by id. Bounded by the engine's slots. */
  readonly inFlight: Map<number, (outcome: SendOutcome) => void>
  error: string | undefined
}

/**
 * Runs the exporter worker. It holds no state that a restart would miss: when it crashes, the batches in flight are sent
 * again later (duplicates at most), and it is started anew, after a pause that grows with every crash.
 */
export function createExporterHost(options: ExporterHostOptions): ExporterHost {
  const { clock, log } = options
  let running: RunningWorker | undefined
  let stopped = false
  let crashes = 0
  let restartAtMs = -Infinity
  let lastId = 0

  const start = (): RunningWorker => {
    const worker = options.createWorker()
    const started: RunningWorker = { worker, startedMs: clock.monotonicMs(), inFlight: new Map(), error: undefined }
    worker.on('message', (message: FromExporterWorker) => receive(started, message))
    worker.on('error', (error) => (started.error = describeError(error)))
    worker.on('messageerror', (error) => (started.error = describeError(error)))
    worker.on('exit', (code) => ended(started, code))
    post(started, { kind: 'start', settings: options.settings })
    running = started
    return started
  }

  const receive = (from: RunningWorker, message: FromExporterWorker): void => {
    switch (message.kind) {
      case 'outcome': {
        const settle = from.inFlight.get(message.id)
        from.inFlight.delete(message.id)
        settle?.(message.outcome)
        return
      }
      case 'log':
        write(log, message.level)(message.message, message.fields)
    }
  }

  const pauseAfterCrash = (reason: string, livedMs: number, inFlight: number): void => {
    crashes = livedMs >= HEALTHY_AFTER_MS ? 1 : crashes + 1
    const pauseMs = Math.round(backoffDelayMs(RESTART, crashes, options.random.fraction()))
    restartAtMs = clock.monotonicMs() + pauseMs
    const message = 'The exporter worker has ended and will be restarted; batches in flight are sent again'
    log.error(message, { reason, inFlight, pauseMs })
  }

  const ended = (gone: RunningWorker, exitCode: number): void => {
    if (running === gone) running = undefined
    const reason = `ExporterWorkerError: ${gone.error ?? `exit code ${exitCode}`}`
    if (!stopped) pauseAfterCrash(reason, clock.monotonicMs() - gone.startedMs, gone.inFlight.size)
    for (const settle of gone.inFlight.values()) settle({ kind: 'retryLater', reason })
    gone.inFlight.clear()
  }

  const send: SendBatch = (batch, signal) => {
    if (stopped || signal.aborted) return Promise.resolve({ kind: 'retryLater', reason: 'AbortError: aborted' })
    const pauseMs = restartAtMs - clock.monotonicMs()
    if (running === undefined && pauseMs > 0) {
      const reason = 'ExporterWorkerError: the exporter worker is being restarted'
      return Promise.resolve({ kind: 'retryLater', reason, waitMs: pauseMs })
    }
    let via: RunningWorker
    try {
      via = running ?? start()
    } catch (error) {
      const reason = `ExporterWorkerError: ${describeError(error)}`
      pauseAfterCrash(reason, 0, 0)
      return Promise.resolve({ kind: 'retryLater', reason })
    }
    lastId += 1
    const id = lastId
    const { streamName, definition, messages } = batch
    return new Promise((resolve) => {
      const abort = (): void => {
        via.inFlight.delete(id)
        post(via, { kind: 'abort', id })
        resolve({ kind: 'retryLater', reason: 'AbortError: aborted' })
      }
      signal.addEventListener('abort', abort, { once: true })
      via.inFlight.set(id, (outcome) => {
        signal.removeEventListener('abort', abort)
        resolve(outcome)
      })
      const packed = packBatch(messages)
      post(via, { kind: 'send', id, streamName, definition, packed }, [packed])
    })
  }

  return {
    send,
    async stop() {
      stopped = true
      await running?.worker.terminate()
    }
  }
}

function post({ worker }: RunningWorker, message: ToExporterWorker, transfer: readonly ArrayBuffer[] = []): void {
  worker.postMessage(message, transfer)
}

function write(log: Logger, level: LogLevel): Logger['info'] {
  switch (level) {
    case 'TRACE':
      return log.trace
    case 'DEBUG':
      return log.debug
    case 'INFO':
      return log.info
    case 'WARN':
      return log.warn
    case 'ERROR':
      return log.error
  }
}
