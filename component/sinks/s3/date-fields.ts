/*
 * The letters of Java's DateTimeFormatter patterns, each as it writes a time in UTC, with the texts and the weeks (Sunday
 * first) of an English system:
 * https://docs.oracle.com/en/java/javase/17/docs/api/java.base/java/time/format/DateTimeFormatter.html
 */

/** One letter. */
export interface Field {
  /** @param count how often the letter is repeated; undefined when Java knows no such run */
  write(time: Date, count: number): string | undefined
  /** Whether a run of so many letters is a number, which must not follow a padded one immediately. */
  isNumber(count: number): boolean
}

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
const ORDINALS = ['1st', '2nd', '3rd', '4th']

const DAY_MS = 86_400_000
const DAY_MINUTES = 24 * 60
const NANOS_PER_MS = 1_000_000n
const FRACTION_DIGITS_MAX = 9
const WIDTH_MAX = 19
/** Java fails on years of more digits, up to the largest width. */
const YEAR_WIDTH_MAX = 10
/** Day number of the epoch in the modified Julian calendar. */
const EPOCH_JULIAN_DAY = 40_587

const padded = (value: number | bigint, width: number): string => value.toString().padStart(width, '0')

/** A number, in at most `countMax` digits. */
const number = (value: (time: Date) => number | bigint, countMax: number): Field => ({
  write: (time, count) => (count <= countMax ? padded(value(time), count) : undefined),
  isNumber: () => true
})

type Text = (time: Date, count: number) => string | undefined

const text = (write: Text): Field => ({ write, isNumber: () => false })

/** Forms by count, from one letter on. */
const fixed = (...forms: readonly (string | undefined)[]): Field => text((_time, count) => forms[count - 1])

/** A name in the forms short (up to three letters), full (four) and narrow (five). */
const nameOf =
  (name: (time: Date) => string): Text =>
  (time, count) => {
    const full = name(time)
    if (count <= 3) return full.slice(0, 3)
    if (count === 4) return full
    return count === 5 ? full.slice(0, 1) : undefined
  }

/** The number in one letter, or up to `numberMax`; the text in three or more. */
const numberOrText = (value: (time: Date) => number, write: Text, numberMax = 2): Field => ({
  write(time, count) {
    if (count <= numberMax) return padded(value(time), count)
    return count <= 2 ? undefined : write(time, count)
  },
  isNumber: (count) => count <= 2
})

/** @param widthMax the largest width */
const year = (widthMax: number): Field => ({
  write(time, count) {
    const value = time.getUTCFullYear()
    if (count === 2) return padded(value % 100, 2)
    const isWritten = count <= YEAR_WIDTH_MAX || (count >= WIDTH_MAX && count <= widthMax)
    return isWritten ? padded(value, count) : undefined
  },
  isNumber: () => true
})

const epochDay = (time: Date): number => Math.floor(time.getTime() / DAY_MS)
const dayOfYear = (time: Date): number => epochDay(time) - Date.UTC(time.getUTCFullYear(), 0, 1) / DAY_MS + 1
const dayOfWeek = (time: Date): number => time.getUTCDay() + 1
const milliOfDay = (time: Date): number => time.getTime() - epochDay(time) * DAY_MS

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

const month = numberOrText(
  (time) => time.getUTCMonth() + 1,
  nameOf((time) => MONTHS[time.getUTCMonth()] ?? '')
)
const weekday = nameOf((time) => DAYS[time.getUTCDay()] ?? '')
const quarterOf = (time: Date): number => Math.floor(time.getUTCMonth() / 3) + 1
const quarter = numberOrText(quarterOf, (time, count) => {
  const value = quarterOf(time)
  return [`Q${value}`, `${ORDINALS[value - 1] ?? ''} quarter`, String(value)][count - 3]
})
const hour = (time: Date): number => time.getUTCHours()

/** The part of the day: a minute each for midnight and noon, and five longer ones. */
const dayPeriod = text((time, count) => {
  if (count !== 1 && count !== 4 && count !== 5) return undefined
  const minute = Math.floor(milliOfDay(time) / 60_000)
  if (minute === 0) return count === 5 ? 'mi' : 'midnight'
  if (minute === DAY_MINUTES / 2) return count === 5 ? 'n' : 'noon'
  const hours = minute / 60
  if (hours < 6 || hours >= 21) return 'at night'
  if (hours < 12) return 'in the morning'
  return hours < 18 ? 'in the afternoon' : 'in the evening'
})

const fraction: Field = {
  write: (time, count) =>
    count <= FRACTION_DIGITS_MAX
      ? padded(BigInt(time.getUTCMilliseconds()) * NANOS_PER_MS, FRACTION_DIGITS_MAX).slice(0, count)
      : undefined,
  isNumber: () => true
}

export const DATE_FIELDS: ReadonlyMap<string, Field> = new Map<string, Field>([
  ['G', fixed('AD', 'AD', 'AD', 'Anno Domini', 'A')],
  ['y', year(WIDTH_MAX)],
  ['u', year(WIDTH_MAX)],
  // In Java a year of whole weeks; users copy `YYYY` from an example of AWS that means the calendar year (behaviour 10.3).
  ['Y', year(Infinity)],
  ['D', number(dayOfYear, 3)],
  ['M', month],
  ['L', month],
  ['d', number((time) => time.getUTCDate(), 2)],
  ['g', number((time) => epochDay(time) + EPOCH_JULIAN_DAY, WIDTH_MAX)],
  ['Q', quarter],
  ['q', quarter],
  ['w', number(weekOfYear, 2)],
  ['W', number((time) => weekOf(time.getUTCDate(), time.getUTCDay()), 1)],
  ['E', text(weekday)],
  ['e', numberOrText(dayOfWeek, weekday)],
  ['c', numberOrText(dayOfWeek, weekday, 1)],
  ['F', number((time) => ((time.getUTCDate() - 1) % 7) + 1, 1)],
  ['a', text((time, count) => (count === 1 ? (hour(time) < 12 ? 'AM' : 'PM') : undefined))],
  ['B', dayPeriod],
  ['h', number((time) => hour(time) % 12 || 12, 2)],
  ['K', number((time) => hour(time) % 12, 2)],
  ['k', number((time) => hour(time) || 24, 2)],
  ['H', number(hour, 2)],
  ['m', number((time) => time.getUTCMinutes(), 2)],
  ['s', number((time) => time.getUTCSeconds(), 2)],
  ['S', fraction],
  ['A', number(milliOfDay, WIDTH_MAX)],
  ['n', number((time) => BigInt(time.getUTCMilliseconds()) * NANOS_PER_MS, WIDTH_MAX)],
  ['N', number((time) => BigInt(milliOfDay(time)) * NANOS_PER_MS, WIDTH_MAX)],
  ['V', fixed(undefined, 'UTC')],
  ['v', fixed('UTC', undefined, undefined, 'Coordinated Universal Time')],
  ['z', fixed('UTC', 'UTC', 'UTC', 'Coordinated Universal Time')],
  ['O', fixed('GMT', undefined, undefined, 'GMT')],
  ['X', fixed('Z', 'Z', 'Z', 'Z', 'Z')],
  ['x', fixed('+00', '+0000', '+00:00', '+0000', '+00:00')],
  ['Z', fixed('+0000', '+0000', '+0000', 'GMT', 'Z')]
])
