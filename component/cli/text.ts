import { BYTES_FORM, DURATION_FORM, readBytes, readDuration } from '../base/read-quantity.ts'
import { UsageProblem } from './command.ts'

/** How times and foreign texts are written for people, and quantities read from them. */

/** ISO 8601 in UTC; a time that no date can hold as its number. */
export function timeText(ms: number): string {
  return Math.abs(ms) > 8.64e15 ? String(ms) : new Date(ms).toISOString()
}

/** Text from a client or a destination, safe for a terminal: what could drive it is escaped. */
export function safeText(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (char) =>
    char === '\n' ? '\\n' : char === '\t' ? '\\t' : `\\u${(char.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`
  )
}

/** The size in bytes that an option gives. @throws UsageProblem */
export function parseBytes(what: string, text: string): bigint {
  return readBytes(text) ?? refuse(what, BYTES_FORM, text)
}

/** The milliseconds that an option gives, as a duration. @throws UsageProblem */
export function parseDuration(what: string, text: string): number {
  return readDuration(text) ?? refuse(what, DURATION_FORM, text)
}

function refuse(what: string, form: string, text: string): never {
  throw new UsageProblem(`${what} must be ${form}, not ${JSON.stringify(text)}`)
}

/** A moment: a date and time, local without a zone, or how long ago it is (`15m`). Milliseconds since the epoch. @throws UsageProblem */
export function parseMoment(what: string, text: string, nowMs: number): number {
  if (/^[\d.]+\s*[a-z]+$/.test(text)) return nowMs - parseDuration(what, text)
  const ms = /^\d{4}-\d{2}/.test(text) ? Date.parse(text.replace(' ', 'T')) : NaN
  if (Number.isNaN(ms)) refuse(what, 'a time such as 2026-11-24T17:00:00Z, or how long ago it is (15m, 12h, 7d)', text)
  return ms
}
