/*
 * Patterns of Java's DateTimeFormatter, as placeholders in object keys use them (behaviour 10.3): runs of letters, and
 * slashes between them. UTC, English texts and the weeks of the United States (Sunday first), as a Java program on an
 * English system would print them, but for `Y`: users copy `YYYY` from an example of AWS that means the calendar year.
 * https://docs.oracle.com/en/java/javase/17/docs/api/java.base/java/time/format/DateTimeFormatter.html
 */

const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December'
]
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const QUARTERS = ['1st quarter', '2nd quarter', '3rd quarter', '4th quarter']

const DAY_MS = 86_400_000
const NANOS_PER_MS = 1_000_000n
const FRACTION_DIGITS_MAX = 9
const WIDTH_MAX = 19

/** Writes one run of a letter; undefined when Java knows no run of that length. */
type Field = (time: Date, count: number) => string | undefined

const padded = (value: number | bigint, width: number): string => value.toString().padStart(width, '0')

/** A number in at most `countMax` digits. */
const number =
  (value: (time: Date) => number, countMax: number): Field =>
  (time, count) =>
    count <= countMax ? padded(value(time), count) : undefined

const wideNumber =
  (value: (time: Date) => bigint): Field =>
  (time, count) =>
    count <= WIDTH_MAX ? padded(value(time), count) : undefined

/** A text in the forms short (up to three letters), full (four) and narrow (five). */
const text =
  (full: (time: Date) => string, short = (name: string) => name.slice(0, 3)): Field =>
  (time, count) => {
    const name = full(time)
    if (count <= 3) return short(name)
    if (count === 4) return name
    return count === 5 ? name.slice(0, 1) : undefined
  }

/** The number in one or two letters, the text in more. */
const numberOrText =
  (asNumber: Field, asText: Field): Field =>
  (time, count) =>
    (count <= 2 ? asNumber : asText)(time, count)

const oneOf =
  (...forms: readonly (string | undefined)[]): Field =>
  (_time, count) =>
    forms[count - 1]

const year: Field = (time, count) => {
  const value = time.getUTCFullYear()
  if (count === 2) return padded(value % 100, 2)
  return count <= WIDTH_MAX ? padded(value, count) : undefined
}

const dayOfYear = (time: Date): number =>
  (Date.UTC(time.getUTCFullYear(), time.getUTCMonth(), time.getUTCDate()) - Date.UTC(time.getUTCFullYear(), 0, 1)) /
    DAY_MS +
  1

/** Week of a period whose first day begins week 1, Sunday first. @param day 1 for the period's first day */
const weekOf = (day: number, weekday: number): number => {
  const firstWeekday = (((weekday - (day - 1)) % 7) + 7) % 7
  return Math.floor((firstWeekday + day - 1) / 7) + 1
}

/** The last days of a year belong to week 1 when they share it with the next year's first day. */
const weekOfYear = (time: Date): number => {
  const saturday = new Date(time.getTime() + (6 - time.getUTCDay()) * DAY_MS)
  return saturday.getUTCFullYear() > time.getUTCFullYear() ? 1 : weekOf(dayOfYear(time), time.getUTCDay())
}

const quarter = (time: Date): number => Math.floor(time.getUTCMonth() / 3) + 1
const hour = (time: Date): number => time.getUTCHours()
const month = numberOrText(
  number((time) => time.getUTCMonth() + 1, 2),
  text((time) => MONTHS[time.getUTCMonth()] ?? '')
)
const weekday = text((time) => DAYS[time.getUTCDay()] ?? '')
const quarterOf: Field = (time, count) => {
  const value = quarter(time)
  if (count <= 2) return padded(value, count)
  return [`Q${value}`, QUARTERS[value - 1], String(value)][count - 3]
}
const milliOfDay = (time: Date): number => ((time.getTime() % DAY_MS) + DAY_MS) % DAY_MS

const fraction: Field = (time, count) =>
  count <= FRACTION_DIGITS_MAX
    ? padded(BigInt(time.getUTCMilliseconds()) * NANOS_PER_MS, FRACTION_DIGITS_MAX).slice(0, count)
    : undefined

const FIELDS: ReadonlyMap<string, Field> = new Map<string, Field>([
  ['y', year],
  ['u', year],
  ['Y', year],
  ['M', month],
  ['L', month],
  ['d', number((time) => time.getUTCDate(), 2)],
  ['D', number(dayOfYear, 3)],
  ['E', weekday],
  [
    'e',
    numberOrText(
      number((time) => time.getUTCDay() + 1, 2),
      weekday
    )
  ],
  ['a', (time, count) => (count === 1 ? (hour(time) < 12 ? 'AM' : 'PM') : undefined)],
  ['H', number(hour, 2)],
  ['h', number((time) => hour(time) % 12 || 12, 2)],
  ['k', number((time) => hour(time) || 24, 2)],
  ['K', number((time) => hour(time) % 12, 2)],
  ['m', number((time) => time.getUTCMinutes(), 2)],
  ['s', number((time) => time.getUTCSeconds(), 2)],
  ['S', fraction],
  ['A', wideNumber((time) => BigInt(milliOfDay(time)))],
  ['n', wideNumber((time) => BigInt(time.getUTCMilliseconds()) * NANOS_PER_MS)],
  ['N', wideNumber((time) => BigInt(milliOfDay(time)) * NANOS_PER_MS)],
  ['G', oneOf('AD', 'AD', 'AD', 'Anno Domini', 'A')],
  ['Q', quarterOf],
  ['q', quarterOf],
  ['w', number(weekOfYear, 2)],
  ['W', number((time) => weekOf(time.getUTCDate(), time.getUTCDay()), 1)],
  ['z', oneOf('UTC', 'UTC', 'UTC', 'Coordinated Universal Time')],
  ['Z', oneOf('+0000', '+0000', '+0000', 'GMT', 'Z')],
  ['X', oneOf('Z', 'Z', 'Z', 'Z', 'Z')],
  ['x', oneOf('+00', '+0000', '+00:00', '+0000', '+00:00')]
])

/**
 * Writes a time in the given pattern.
 * @param pattern letters and slashes
 * @param wallMs milliseconds since the epoch, from the year 1 to 9999
 * @returns the first run of letters that is not supported, if there is one
 */
export function formatTime(
  pattern: string,
  wallMs: number
): { readonly ok: true; readonly text: string } | { readonly ok: false; readonly unsupported: string } {
  const time = new Date(wallMs)
  let formatted = ''
  for (const [run] of pattern.matchAll(/([a-zA-Z])\1*|\/+/g)) {
    const piece = run.startsWith('/') ? run : FIELDS.get(run.charAt(0))?.(time, run.length)
    if (piece === undefined) return { ok: false, unsupported: run }
    formatted += piece
  }
  return { ok: true, text: formatted }
}
