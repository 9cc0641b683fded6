import { sleep, type Clock } from '../base/clock.ts'
import type { Logger } from '../base/log.ts'
import type { ExportKind } from '../model/export-definition.ts'
import type { MetricIncrement, Nucleus } from './nucleus.ts'

/** Between two reports (behaviour 12.1). The nucleus itself adds up over an hour. */
const INTERVAL_MS = 60_000
/** A nucleus that does not take metrics is not asked again for this time (behaviour 2, rule 11). */
const REFUSED_PAUSE_MS = 3_600_000

/** Bytes since the start of the server by the name of their metric: counters that only grow. */
export type Counters = Readonly<Record<string, number>>

/** Counters under the names of the original, and one more for HTTP exports (behaviour 12.1). */
export function byteCounters(
  appendedBytes: number,
  exported: Readonly<Record<ExportKind, { readonly deliveredBytes: number }>>
): Counters {
  return {
    BytesAppended: appendedBytes,
    BytesUploadedToIoTAnalytics: exported.iotAnalytics.deliveredBytes,
    BytesUploadedToKinesis: exported.kinesis.deliveredBytes,
    BytesUploadedToIoTSiteWise: exported.sitewise.deliveredBytes,
    BytesUploadedToS3: exported.s3.deliveredBytes,
    BytesUploadedToHTTP: exported.http.deliveredBytes
  }
}

export interface TelemetryOptions {
  readonly nucleus: Nucleus
  readonly counters: () => Counters
  readonly clock: Clock
  readonly log: Logger
}

/** Tells the nucleus what the counters have grown by. */
export interface Telemetry {
  /** Tells it a last time, for up to `deadlineMs` milliseconds. Never rejects. */
  stop(deadlineMs: number): Promise<void>
}

/**
 * Reports every minute by how much each counter has grown, if it has (behaviour 12.1). The nucleus adds up whatever it is
 * told, so no byte is reported twice: where it is unknown whether a report arrived it counts as arrived. A nucleus that
 * answers late has taken the report all the same, and one that hangs would be told the same bytes every minute; the
 * price of the other choice is one report that is missing. What certainly did not arrive comes with the next report.
 */
export function startTelemetry({ nucleus, counters, clock, log }: TelemetryOptions): Telemetry {
  const reported = new Map<string, number>()
  const stopping = new AbortController()
  let pausedUntilMs = -Infinity
  let isRefusalTold = false

  const growth = (now: Counters): MetricIncrement[] =>
    Object.entries(now)
      .map(([name, bytes]) => ({ name, bytes: bytes - (reported.get(name) ?? 0) }))
      .filter(({ bytes }) => bytes > 0)

  const refused = (reason: string): void => {
    pausedUntilMs = clock.monotonicMs() + REFUSED_PAUSE_MS
    const write = isRefusalTold ? log.debug : log.info
    isRefusalTold = true
    write('The nucleus does not take metrics; it is asked again in an hour', { reason })
  }

  const report = async (): Promise<void> => {
    if (clock.monotonicMs() < pausedUntilMs) return
    const now = counters()
    const increments = growth(now)
    if (increments.length === 0) return
    const outcome = await nucleus.putMetrics(increments)
    switch (outcome.kind) {
      case 'refused':
        refused(outcome.reason)
        return
      case 'unsent':
        return
      case 'unknown':
        log.debug('The nucleus did not answer whether it took the metrics; they are not sent again')
        break
      case 'added':
        break
    }
    for (const [name, bytes] of Object.entries(now)) reported.set(name, bytes)
  }

  const repeat = async (): Promise<void> => {
    for (;;) {
      await sleep(clock, INTERVAL_MS, stopping.signal)
      if (stopping.signal.aborted) return
      await report()
    }
  }

  const repeating = repeat()
  return {
    async stop(deadlineMs) {
      stopping.abort()
      const inTime = new AbortController()
      const last = repeating.then(report).finally(() => inTime.abort())
      await Promise.race([last, sleep(clock, deadlineMs, inTime.signal)])
    }
  }
}
