import { packBatch } from '../../component/export/batch-writer.ts'
import { createExportEngine, type ExportEngine, type ExportEngineOptions } from '../../component/export/engine.ts'
import type { BatchLimits, ExportBatch, SendOutcome } from '../../component/export/sink.ts'
import type { ExportProgress, ExportSource, ProgressStore } from '../../component/export/source.ts'
import type { HttpExport } from '../../component/model/export-definition.ts'
import type { StoredMessage } from '../../component/model/message.ts'
import type { Removal, RemovalCause } from '../../component/model/removal.ts'
import { createFakeClock, flush, type FakeClock } from './fake-clock.ts'
import { createRecordingLog, type RecordingLog } from './recording-log.ts'
import { createFixedRandom } from './seeded-random.ts'
import { unpacked, type SendMessages } from './unpacked.ts'

/** A stream in memory. */
export interface FakeSource extends ExportSource {
  oldest: number
  durableNext: number
  /** When set, reads throw it. */
  readError: Error | undefined
  readonly reads: number
  /** Appends durable messages of `bytes` bytes each. */
  append(count: number, bytes?: number): void
  /** Appends one durable message. */
  appendPayload(payload: Buffer): void
  /** Removes messages below `oldest`, as retention does, or as a file that is lost. */
  drop(oldest: number, cause?: RemovalCause | 'lost'): void
  timeToLiveMs: number | undefined
  /** Drops messages below `before`, as the sweep does once they have expired. */
  expire(before: number): Promise<void>
  /** Appends a durable message. */
  put(payload: Buffer): void
  /** Leaves one message out, as damage does. */
  damage(sequenceNumber: number): void
}

export function createFakeSource(clock: FakeClock, streamName = 'stream', streamId = `id-${streamName}`): FakeSource {
  const listeners = new Set<() => void>()
  const expiring = new Set<(before: number) => Promise<void>>()
  let messages: StoredMessage[] = []
  let removals: readonly Removal[] = []
  let reads = 0
  const store = (payload: Buffer): void => {
    messages.push({ sequenceNumber: source.durableNext, ingestTimeMs: clock.wallMs(), payload })
    source.durableNext += 1
  }
  const source: FakeSource = {
    streamId,
    streamName,
    oldest: 0,
    durableNext: 0,
    readError: undefined,
    get storedNext() {
      return source.durableNext
    },
    get removals() {
      return removals
    },
    get reads() {
      return reads
    },
    appendPayload(payload) {
      messages.push({ sequenceNumber: source.durableNext, ingestTimeMs: clock.wallMs(), payload })
      source.durableNext += 1
      for (const listener of listeners) listener()
    },
    append(count, bytes = 10) {
      for (let index = 0; index < count; index += 1) store(Buffer.alloc(bytes, source.durableNext % 256))
      for (const listener of listeners) listener()
    },
    put(payload) {
      store(payload)
      for (const listener of listeners) listener()
    },
    drop(oldest, cause = 'overwritten') {
      if (oldest > source.oldest && cause !== 'lost')
        removals = [...removals, { from: source.oldest, below: oldest, cause }]
      source.oldest = oldest
      messages = messages.filter((message) => message.sequenceNumber >= oldest)
    },
    damage(sequenceNumber) {
      messages = messages.filter((message) => message.sequenceNumber !== sequenceNumber)
    },
    async read(from, countMax, bytesMax) {
      reads += 1
      await Promise.resolve()
      if (source.readError !== undefined) throw source.readError
      const found: StoredMessage[] = []
      let bytes = 0
      for (const message of messages) {
        if (message.sequenceNumber < from) continue
        bytes += message.payload.length
        if (found.length >= countMax || (found.length > 0 && bytes > bytesMax)) break
        found.push(message)
      }
      return found
    },
    readBatch: async (from, countMax, bytesMax, pool) => packBatch(await source.read(from, countMax, bytesMax), pool),
    readStored: (from, countMax, bytesMax) => source.read(from, countMax, bytesMax),
    timeToLiveMs: undefined,
    async expire(before) {
      for (const listener of expiring) await listener(before)
      source.drop(before, 'expired')
    },
    onExpiring(listener) {
      expiring.add(listener)
      return () => void expiring.delete(listener)
    },
    onDurable(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    }
  }
  return source
}

/** A request that waits for the test to answer it. */
export interface PendingSend {
  readonly batch: ExportBatch
  readonly numbers: readonly number[]
  readonly signal: AbortSignal
  answer(outcome: SendOutcome): Promise<void>
}

export interface ExportHarness {
  readonly clock: FakeClock
  readonly log: RecordingLog
  readonly engine: ExportEngine
  readonly saved: Map<string, ExportProgress>
  /** All requests so far. */
  readonly sent: PendingSend[]
  /** The newest request. */
  readonly last: PendingSend
  /** When set, requests are answered by it at once. */
  autoAnswer: ((batch: ExportBatch) => SendOutcome) | undefined
  flush(): Promise<void>
}

const LIMITS: BatchLimits = { countMax: 500, bytesMax: 1_000_000, sizeOf: (payloadBytes) => payloadBytes }

/** What differs from the harness's own parts. */
export type HarnessOptions = Partial<Omit<ExportEngineOptions, 'sendBatch'> & { readonly sendBatch: SendMessages }>

/** An engine with fakes on all sides; jitter is fixed so that the n-th delay is 750 ms × 2^(n-1). */
export function createExportHarness(
  { sendBatch, ...options }: HarnessOptions = {},
  { isStarted = true } = {}
): ExportHarness {
  const clock = createFakeClock()
  const log = createRecordingLog()
  const saved = new Map<string, ExportProgress>()
  const sent: PendingSend[] = []
  const progress: ProgressStore = {
    save: (streamId, identifier, value) => void saved.set(`${streamId}/${identifier}`, value),
    remove: (streamId, identifier) => void saved.delete(`${streamId}/${identifier}`)
  }
  const harness: ExportHarness = {
    clock,
    log,
    saved,
    sent,
    autoAnswer: undefined,
    flush,
    get last() {
      const last = sent.at(-1)
      if (last === undefined) throw new Error('nothing was sent')
      return last
    },
    engine: createExportEngine({
      clock,
      random: createFixedRandom(0.5),
      log,
      progress,
      limitsOf: (definition) => (definition.kind === 'sitewise' ? undefined : LIMITS),
      concurrencyMax: 5,
      sendBatch: unpacked(
        sendBatch ??
          ((batch, signal) =>
            new Promise((resolve) => {
              // The memory of the payloads is used again once the outcome is there.
              const messages = batch.messages.map((message) => ({ ...message, payload: Buffer.from(message.payload) }))
              sent.push({
                batch: { ...batch, messages },
                numbers: messages.map((message) => message.sequenceNumber),
                signal,
                async answer(outcome) {
                  resolve(outcome)
                  await flush()
                }
              })
              if (harness.autoAnswer !== undefined) resolve(harness.autoAnswer(batch))
            }))
      ),
      ...options
    })
  }
  if (isStarted) harness.engine.start()
  return harness
}

/** An HTTP export with defaults. */
export function httpExport(fields: Partial<HttpExport> = {}): HttpExport {
  return { kind: 'http', identifier: 'e', uri: 'http://localhost/', exportFormat: 'jsonBatched', ...fields }
}
