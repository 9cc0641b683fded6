import type { SendOutcome } from '../export/sink.ts'

/**
 * Both forms of Retry-After, seconds and a date (RFC 9110, 10.2.3). A date is one of the destination's clock, so it is
 * compared with the time that the same answer tells: the clock of a device may be wrong by years.
 * @param date of the answer, its header Date; the device's clock stands in for one that is absent or no date
 * @param wallMs the present by the device's clock, milliseconds since the epoch
 * @returns milliseconds to wait; undefined when the header is neither
 */
export function retryAfterMs(header: string, date: string | undefined, wallMs: number): number | undefined {
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000
  const [untilMs, theirMs] = [Date.parse(header), Date.parse(date ?? '')]
  return Number.isNaN(untilMs) ? undefined : Math.max(0, untilMs - (Number.isNaN(theirMs) ? wallMs : theirMs))
}

/** The outcome of a request that an AWS client has failed with `error`, with the pause that the answer asks for. */
export function retryLater(reason: string, error: unknown, wallMs: number): SendOutcome {
  const waitMs = askedWaitMs(error, wallMs)
  return { kind: 'retryLater', reason, ...(waitMs === 0 ? {} : { waitMs }) }
}

/**
 * How long the answer that an error of an AWS client stands for asks to wait (behaviour 6.5): the client leaves the answer
 * in the error, also when it is none of the service's.
 * @param wallMs the present by the device's clock, milliseconds since the epoch
 * @returns 0 when it does not ask, or when there was no answer
 */
export function askedWaitMs(error: unknown, wallMs: number): number {
  const headers = memberOf(memberOf(error, '$response'), 'headers')
  const [header, date] = [memberOf(headers, 'retry-after'), memberOf(headers, 'date')]
  if (typeof header !== 'string') return 0
  return retryAfterMs(header, typeof date === 'string' ? date : undefined, wallMs) ?? 0
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined
}
