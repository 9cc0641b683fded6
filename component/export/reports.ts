import type { Clock, Timer } from '../base/clock.ts'
import type { LogFields, Logger } from '../base/log.ts'
import { LOG_REPEAT_MS } from '../base/log-repeats.ts'
import type { SendOutcome } from './sink.ts'

/** What works in a lasting way that could be better is not worth a line a minute. */
const SAME_NOTICE_MS = 3_600_000

/** Sums up events that hit messages: the first is logged at once, later ones together, at most once a minute. */
export interface RangeReport {
  /** @param first first sequence number concerned; @param last last one; @param count messages between them, both included */
  add(first: number, last: number, count: number, fields?: LogFields): void
  /** Logs what has not been said yet. */
  flush(): void
}

/** @param log called with the sum: `count`, `first` and `last`, and the fields of the newest event */
export function createRangeReport(clock: Clock, log: (fields: LogFields) => void): RangeReport {
  let pending: { first: number; last: number; count: number; fields: LogFields } | undefined
  let timer: Timer | undefined
  const say = (): void => {
    if (pending === undefined) return
    const { first, last, count, fields } = pending
    pending = undefined
    log({ ...fields, count, first, last })
  }
  return {
    add(first, last, count, fields = {}) {
      pending = {
        first: Math.min(first, pending?.first ?? first),
        last: Math.max(last, pending?.last ?? last),
        count: count + (pending?.count ?? 0),
        fields
      }
      if (timer !== undefined) return
      say()
      timer = clock.after(LOG_REPEAT_MS, () => {
        timer = undefined
        say()
      })
    },
    flush() {
      timer?.cancel()
      timer = undefined
      say()
    }
  }
}

/** Tells the operator that an export fails, and that it works again. */
export interface FailureReport {
  /** WARN, by whatever the log's bounds on repeats are. */
  failed(reason: string, fields: LogFields): void
  /** INFO when the last attempt had failed. */
  worked(): void
}

export function createFailureReport(log: Logger, fields: LogFields): FailureReport {
  let failing = false
  return {
    failed(reason, attemptFields) {
      failing = true
      log.warn('Export failed and will be repeated', { ...fields, ...attemptFields, reason })
    },
    worked() {
      if (failing) log.info('Export works again', fields)
      failing = false
    }
  }
}

/** Tells the operator what a destination has to say beside its outcomes. */
export interface NoticeReport {
  /** INFO: at most once a minute, and the same text once an hour. Of a request that failed its reason says enough. */
  tell(outcome: SendOutcome): void
}

export function createNoticeReport(clock: Clock, log: Logger, fields: LogFields): NoticeReport {
  let said: { readonly notice: string; readonly atMs: number } | undefined
  return {
    tell(outcome) {
      const { notice } = outcome
      if (notice === undefined || !isGoingOn(outcome)) return
      const nowMs = clock.monotonicMs()
      const pauseMs = said?.notice === notice ? SAME_NOTICE_MS : LOG_REPEAT_MS
      if (said !== undefined && nowMs - said.atMs < pauseMs) return
      said = { notice, atMs: nowMs }
      log.info('Export goes on, with a remark of its destination', { ...fields, notice })
    }
  }
}

const isGoingOn = (outcome: SendOutcome): boolean =>
  outcome.kind === 'delivered' || (outcome.kind === 'partial' && outcome.failed.length === 0)
