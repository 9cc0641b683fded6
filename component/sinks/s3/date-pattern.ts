import { DATE_FIELDS } from './date-fields.ts'

/** A written time, or the first part of the pattern that cannot be written. */
export type FormattedTime =
  { readonly ok: true; readonly text: string } | { readonly ok: false; readonly unsupported: string }

/** A run of one letter, with the padding before it if there is one, or slashes. */
const PART = /(p*)(([a-oq-zA-Z])\3*)|p+|\/+/g

/**
 * Writes a time in UTC as Java's DateTimeFormatter does on an English system; what it refuses is refused. Only `Y` has
 * another meaning (behaviour 10.3).
 * @param pattern letters and slashes: nothing else can be in a placeholder, so there are no quotes and no optional parts
 * @param wallMs milliseconds since the epoch, from the year 1000 to 9999
 */
export function formatTime(pattern: string, wallMs: number): FormattedTime {
  const time = new Date(wallMs)
  let formatted = ''
  let isAfterPaddedNumber = false
  for (const [part, padding, run, letter] of pattern.matchAll(PART)) {
    if (part.startsWith('/')) {
      formatted += part
      isAfterPaddedNumber = false
      continue
    }
    const field = DATE_FIELDS.get(letter ?? '')
    if (padding === undefined || run === undefined || field === undefined) return { ok: false, unsupported: part }
    const isNumber = field.isNumber(run.length)
    const piece = field.write(time, run.length)
    const isPadded = padding !== ''
    const isTooLong = isPadded && piece !== undefined && piece.length > padding.length
    // Java refuses numbers that follow a padded one immediately, unless they are padded themselves.
    const isRefused = isAfterPaddedNumber && isNumber && !isPadded
    if (piece === undefined || isTooLong || isRefused) return { ok: false, unsupported: part }
    formatted += piece.padStart(padding.length)
    isAfterPaddedNumber = isNumber && isPadded
  }
  return { ok: true, text: formatted }
}
