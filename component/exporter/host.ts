import type { Worker } from 'node:worker_threads'
import { assert } from '../base/assert.ts'
import { backoffDelayMs, type BackoffPolicy } from '../base/backoff.ts'
import type { Clock } from '../base/clock.ts'
import { describeError } from '../base/fault.ts'
import type { Logger, LogLevel } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import { packBatch } from '../export/batch-writer.ts'
import type { MessageBatch } from '../export/message-batch.ts'
import type { OnProgress, SendBatch, SendOutcome } from '../export/sink.ts'
import type { Pace, RunStep, StepOutcome } from '../export/task.ts'
import type { ExporterSettings, FromExporterWorker, ToExporterWorker } from './messages.ts'
import { createWatchdog, type Watchdog } from './watchdog.ts'

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
  /** Has a step of a task done by the worker, which is started with the first one. */
  readonly runStep: RunStep
  /** From now on the credential endpoint is shown this token: a secret. */
  renewToken(token: string): void
  /** Ends the worker; batches in flight end with `retryLater`, and so does every later one. */
  stop(): Promise<void>
}

/** A batch or a step that the worker has. */
interface InFlight {
  settle(outcome: SendOutcome | StepOutcome): void
  readonly pace: Pace | undefined
  readonly onProgress: OnProgress | undefined
  readonly signal: AbortSignal
  /** What is away, until the outcome brings it back. */
  readonly batch: MessageBatch | undefined
}

type RetryLater = SendOutcome & { readonly kind: 'retryLater' }
const ABORTED: RetryLater = { kind: 'retryLater', reason: 'AbortError: aborted' }

interface RunningWorker {
  readonly worker: Worker
  readonly startedMs: number
  /** Batches and steps in flight, by id. Bounded by the engine's slots. */
  readonly inFlight: Map<number, InFlight>
  readonly watchdog: Watchdog
  error: string | undefined
  hasEnded: boolean
}

/**
 * Runs the exporter worker. It holds no state that a restart would miss: when it crashes or hangs, the batches in flight are sent
 * again later (duplicates at most), and it is started anew, after a pause that grows with every crash.
 */
export function createExporterHost(options: ExporterHostOptions): ExporterHost {
  const { clock, log } = options
  let { settings } = options
  let running: RunningWorker | undefined
  let stopped = false
  let crashes = 0
  let restartAtMs = -Infinity
  let lastId = 0

  const start = (): RunningWorker => {
    const worker = options.createWorker()
    const inFlight = new Map<number, InFlight>()
    const watchdog = createWatchdog({
      clock,
      isBusy: () => inFlight.size > 0,
      ask: () => post(started, { kind: 'ping' }),
      onHang: () => {
        started.error = 'the worker hangs'
        ended(started, 0)
        void worker.terminate()
      }
    })
    const started: RunningWorker = {
      worker,
      startedMs: clock.monotonicMs(),
      inFlight,
      watchdog,
      error: undefined,
      hasEnded: false
    }
    worker.on('message', (message: FromExporterWorker) => receive(started, message))
    worker.on('error', (error) => (started.error = describeError(error)))
    worker.on('messageerror', (error) => (started.error = describeError(error)))
    worker.on('exit', (code) => ended(started, code))
    post(started, { kind: 'start', settings })
    running = started
    return started
  }

  const receive = (from: RunningWorker, message: FromExporterWorker): void => {
    from.watchdog.heard()
    switch (message.kind) {
      case 'outcome':
      case 'stepped': {
        const waiting = from.inFlight.get(message.id)
        from.inFlight.delete(message.id)
        if (message.kind === 'outcome') waiting?.batch?.takeBack(message.packed)
        waiting?.settle(message.outcome)
        return
      }
      case 'pace': {
        const { id, bytes } = message
        const asking = from.inFlight.get(id)
        void asking?.pace?.(bytes, asking.signal).then(() => post(from, { kind: 'paced', id }))
        return
      }
      case 'progress':
        from.inFlight.get(message.id)?.onProgress?.()
        return
      case 'began':
        from.inFlight.get(message.id)?.onProgress?.(message.bodyBytes)
        return
      case 'pong':
        return
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

  /** A worker that hangs has ended before it is gone. */
  const ended = (gone: RunningWorker, exitCode: number): void => {
    if (gone.hasEnded) return
    gone.hasEnded = true
    gone.watchdog.stop()
    if (running === gone) running = undefined
    const reason = `ExporterWorkerError: ${gone.error ?? `exit code ${exitCode}`}`
    if (!stopped) pauseAfterCrash(reason, clock.monotonicMs() - gone.startedMs, gone.inFlight.size)
    for (const waiting of gone.inFlight.values()) waiting.settle({ kind: 'retryLater', reason })
    gone.inFlight.clear()
  }

  /** The worker, started if need be, or why there is none now. */
  const workerNow = (signal: AbortSignal): RunningWorker | RetryLater => {
    if (stopped || signal.aborted) return ABORTED
    const pauseMs = restartAtMs - clock.monotonicMs()
    if (running === undefined && pauseMs > 0) {
      const reason = 'ExporterWorkerError: the exporter worker is being restarted'
      return { kind: 'retryLater', reason, waitMs: pauseMs }
    }
    try {
      return running ?? start()
    } catch (error) {
      const reason = `ExporterWorkerError: ${describeError(error)}`
      pauseAfterCrash(reason, 0, 0)
      return { kind: 'retryLater', reason }
    }
  }

  /** Hands work to the worker. Resolves with its outcome, or with `retryLater` when there will be none. */
  const request = (
    signal: AbortSignal,
    { pace, onProgress, batch }: Pick<Partial<InFlight>, 'pace' | 'onProgress' | 'batch'>,
    hand: (via: RunningWorker, id: number) => void
  ): Promise<SendOutcome | StepOutcome> => {
    const via = workerNow(signal)
    if ('kind' in via) return Promise.resolve(via)
    lastId += 1
    const id = lastId
    return new Promise((resolve) => {
      const abort = (): void => {
        via.inFlight.delete(id)
        post(via, { kind: 'abort', id })
        resolve(ABORTED)
      }
      signal.addEventListener('abort', abort, { once: true })
      via.inFlight.set(id, {
        pace,
        onProgress,
        signal,
        batch,
        settle(outcome) {
          signal.removeEventListener('abort', abort)
          resolve(outcome)
        }
      })
      hand(via, id)
      via.watchdog.start()
    })
  }

  const send: SendBatch = async ({ streamName, definition, batch }, signal, onProgress) => {
    const outcome = await request(signal, { onProgress, batch }, (via, id) => {
      const packed = batch.handOver()
      post(via, { kind: 'send', id, streamName, definition, packed }, [packed])
    })
    assert(!('events' in outcome), 'a batch is answered as a batch')
    return outcome
  }

  const runStep: RunStep = async ({ message, ...step }, pace, signal, onProgress) => {
    const outcome = await request(signal, { pace, onProgress }, (via, id) => {
      const packed = message === undefined ? undefined : packBatch([message]).handOver()
      post(via, { kind: 'step', id, step, packed }, packed === undefined ? [] : [packed])
    })
    if ('events' in outcome) return outcome
    assert(outcome.kind === 'retryLater', 'a step is answered as a step')
    return { ...outcome, events: [] }
  }

  return {
    send,
    runStep,
    renewToken(token) {
      settings = { ...settings, aws: { ...settings.aws, AWS_CONTAINER_AUTHORIZATION_TOKEN: token } }
      if (running !== undefined) post(running, { kind: 'token', token })
    },
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
