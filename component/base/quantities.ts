/** How quantities are written for people, on the command line and on the page. */

const BYTE_UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const
const SECOND_MS = 1_000
const DURATION_UNITS = [
  ['d', 86_400 * SECOND_MS],
  ['h', 3_600 * SECOND_MS],
  ['min', 60 * SECOND_MS],
  ['s', SECOND_MS]
] as const

/** `1,234`; below ten a fraction keeps a digit. */
export function numberText(value: number | bigint): string {
  if (typeof value === 'bigint') return value.toLocaleString('en-US')
  const rounded = Math.abs(value) < 10 ? Math.round(value * 10) / 10 : Math.round(value)
  return rounded.toLocaleString('en-US')
}

/** `1 message`, `1,234 messages`. */
export function countText(count: number, one: string, many = `${one}s`): string {
  return `${numberText(count)} ${count === 1 ? one : many}`
}

/** `1.5 MiB`; three digits are enough to act on. */
export function bytesText(bytes: number): string {
  if (bytes === 1) return '1 byte'
  let [value, unit] = [bytes, 0]
  for (; value >= 1024 && unit < BYTE_UNITS.length - 1; unit++) value /= 1024
  const digits = unit === 0 || value >= 100 ? 0 : 1
  return `${value.toFixed(digits)} ${BYTE_UNITS[unit] ?? ''}`
}

/** The two largest units: `2 h 3 min`; below ten seconds a fraction. */
export function durationText(ms: number): string {
  if (ms < SECOND_MS) return ms <= 0 ? '0 s' : `${Math.round(ms)} ms`
  if (ms < 10 * SECOND_MS) return `${numberText(ms / SECOND_MS)} s`
  const first = DURATION_UNITS.findIndex(([, unitMs]) => ms >= unitMs)
  let rest = ms
  const parts = DURATION_UNITS.slice(first, first + 2).map(([name, unitMs]) => {
    const count = Math.floor(rest / unitMs)
    rest -= count * unitMs
    return `${count} ${name}`
  })
  return parts.filter((part) => !part.startsWith('0 ')).join(' ')
}
