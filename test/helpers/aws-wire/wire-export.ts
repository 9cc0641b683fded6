import assert from 'node:assert/strict'
import type { Clock } from '../../../component/base/clock.ts'
import type { Sink } from '../../../component/export/sink.ts'
import type { ExportProgress } from '../../../component/export/source.ts'
import type { ExportDefinition } from '../../../component/model/export-definition.ts'
import { limitsOf } from '../../../component/sinks/limits.ts'
import { createExportHarness, createFakeSource, type ExportHarness, type FakeSource } from '../export-harness.ts'
import type { FakeClock } from '../fake-clock.ts'
import { createSeededRandom } from '../seeded-random.ts'

/** An export over a real engine, sink, client and connection; only time is the test's, and passes as fast as it may. */
export interface WireExport {
  readonly harness: ExportHarness
  readonly source: FakeSource
  readonly progress: ExportProgress | undefined
  /** Number of the first message that is not settled. */
  readonly next: number
  readonly skipped: number
  /** Goes on until something has happened. */
  until(hasHappened: () => boolean): Promise<void>
  /** Goes on until all messages are settled. */
  finish(): Promise<void>
}

const TURNS_MAX = 50_000
/** Timers of the engine that may fire meanwhile: pauses of minutes, mostly. */
const TIMERS_MAX = 200

/** Starts an export of messages that are all there. @param makeSink gets the clock that the engine has */
export function startWireExport(
  definition: ExportDefinition,
  payloads: readonly Buffer[],
  makeSink: (clock: Clock) => Sink,
  prepare: (clock: FakeClock) => void = () => undefined
): WireExport {
  let underWay = 0
  const harness: ExportHarness = createExportHarness({
    limitsOf,
    random: createSeededRandom(1),
    sendBatch: async (batch, signal) => {
      underWay += 1
      try {
        return await sink.send(batch, signal)
      } finally {
        underWay -= 1
      }
    }
  })
  prepare(harness.clock)
  const sink = makeSink(harness.clock)
  const source = createFakeSource(harness.clock)
  for (const payload of payloads) source.appendPayload(payload)
  harness.engine.open(source, [definition], new Map())
  const progress = (): ExportProgress | undefined => harness.saved.get(`id-stream/${definition.identifier}`)
  const wire: WireExport = {
    harness,
    source,
    get progress() {
      return progress()
    },
    get next() {
      return Number(progress()?.next ?? 0n)
    },
    get skipped() {
      return progress()?.skippedMessages ?? 0
    },
    async until(hasHappened) {
      let timers = 0
      for (let turn = 0; !hasHappened(); turn += 1) {
        assert.ok(turn < TURNS_MAX && timers < TIMERS_MAX, `the export makes progress: ${errorOf(harness, source)}`)
        await harness.flush()
        // Requests take no time: what waits for an answer does not see it being late.
        if (underWay > 0 || harness.clock.nextTimerMs === undefined) continue
        harness.clock.advance(harness.clock.nextTimerMs)
        timers += 1
      }
    },
    finish: () => wire.until(() => wire.next === source.durableNext)
  }
  return wire
}

function errorOf({ engine }: ExportHarness, { streamId }: FakeSource): string {
  return engine.statuses(streamId)[0]?.errorMessage ?? 'no error'
}
