/** Quantities as people write them, with their units. */

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

/** What `readBytes` understands, for messages. */
export const BYTES_FORM = 'a size such as 65536, 64k, 256MiB or 1g'
/** What `readDuration` understands. */
export const DURATION_FORM = 'a duration such as 90s, 15m, 12h or 7d'

/** A size in bytes: a number alone, or with a unit of powers of 1024 (`64k`, `256 MiB`, `1G`); undefined for anything else. */
export function readBytes(text: string): bigint | undefined {
  const match = /^(\d{1,19})\s*(?:([kmgt])(?:i?b)?|b(?:ytes)?)?$/i.exec(text.trim())
  if (match === null) return undefined
  const power = 'kmgt'.indexOf(match[2]?.toLowerCase() ?? '?') + 1
  return BigInt(match[1] ?? '0') * 1024n ** BigInt(power)
}

/** Milliseconds of a duration with its unit: `500ms`, `90s`, `15m`, `12h`, `7d`, `2w`; undefined for anything else. */
export function readDuration(text: string): number | undefined {
  const match = /^(\d{1,15}(?:\.\d{1,3})?)\s*(ms|s|m|min|h|d|w)$/.exec(text.trim())
  const ms = match === null ? NaN : Math.round(Number(match[1]) * (UNIT_MS[match[2] ?? ''] ?? NaN))
  return Number.isSafeInteger(ms) ? ms : undefined
}
