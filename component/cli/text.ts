import { UsageProblem } from './command.ts'

/** How times and foreign texts are written for people, and quantities read from them. */

const SECOND_MS = 1_000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: SECOND_MS,
  m: MINUTE_MS,
  min: MINUTE_MS,
  h: HOUR_MS,
  d: DAY_MS,
  w: 7 * DAY_MS
}

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

/** A size in bytes: a number alone, or with a unit of powers of 1024 (`64k`, `256 MiB`, `1G`). @throws UsageProblem */
export function parseBytes(what: string, text: string): bigint {
  const match = /^(\d{1,19})\s*(?:([kmgt])(?:i?b)?|b(?:ytes)?)?$/i.exec(text.trim())
  if (match === null)
    throw new UsageProblem(`${what} must be a size such as 65536, 64k, 256MiB or 1g, not ${JSON.stringify(text)}`)
  const power = 'kmgt'.indexOf(match[2]?.toLowerCase() ?? '?') + 1
  return BigInt(match[1] ?? '0') * 1024n ** BigInt(power)
}

/** Milliseconds of a duration with its unit: `500ms`, `90s`, `15m`, `12h`, `7d`, `2w`. @throws UsageProblem */
export function parseDuration(what: string, text: string): number {
  const match = /^(\d{1,15}(?:\.\d{1,3})?)\s*(ms|s|m|min|h|d|w)$/.exec(text.trim())
  const ms = match === null ? NaN : Number(match[1]) * (UNIT_MS[match[2] ?? ''] ?? NaN)
  if (!Number.isSafeInteger(Math.round(ms)))
    throw new UsageProblem(`${what} must be a duration such as 90s, 15m, 12h or 7d, not ${JSON.stringify(text)}`)
  return Math.round(ms)
}

/** A moment: a date and time, local without a zone, or how long ago it is (`15m`). Milliseconds since the epoch. @throws UsageProblem */
export function parseMoment(what: string, text: string, nowMs: number): number {
  if (/^[\d.]+\s*[a-z]+$/.test(text)) return nowMs - parseDuration(what, text)
  const ms = /^\d{4}-\d{2}/.test(text) ? Date.parse(text.replace(' ', 'T')) : NaN
  if (Number.isNaN(ms))
    throw new UsageProblem(
      `${what} must be a time such as 2026-11-24T17:00:00Z, or how long ago it is (15m, 12h, 7d), not ${JSON.stringify(text)}`
    )
  return ms
}
