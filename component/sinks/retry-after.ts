import type { SendOutcome } from '../export/sink.ts'

/**
 * Both forms of Retry-After, seconds and a date (RFC 9110, 10.2.3).
 * @param wallMs the present, milliseconds since the epoch
 * @returns milliseconds to wait; undefined when it is neither
 */
export function retryAfterMs(header: string, wallMs: number): number | undefined {
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000
  const atMs = Date.parse(header)
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - wallMs)
}

/** The outcome of a request that an AWS client has failed with `error`, with the pause that the answer asks for. */
export function retryLater(reason: string, error: unknown, wallMs: number): SendOutcome {
  const waitMs = askedWaitMs(error, wallMs)
  return { kind: 'retryLater', reason, ...(waitMs === 0 ? {} : { waitMs }) }
}

/**
 * How long the answer that an error of an AWS client stands for asks to wait (behaviour 6.5): the client leaves the answer
 * in the error, also when it is none of the service's.
 * @returns 0 when it does not ask, or when there was no answer
 */
export function askedWaitMs(error: unknown, wallMs: number): number {
  const header = memberOf(memberOf(memberOf(error, '$response'), 'headers'), 'retry-after')
  return typeof header === 'string' ? (retryAfterMs(header, wallMs) ?? 0) : 0
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined
}
