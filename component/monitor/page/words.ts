/** How the page writes quantities and times. */

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const
const DURATION_UNITS = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
  ['s', 1]
] as const

/** `1,234`; small fractions keep a digit. */
export function numberText(value: number): string {
  const rounded = Math.abs(value) < 10 ? Math.round(value * 10) / 10 : Math.round(value)
  return rounded.toLocaleString('en-US')
}

/** `1 message`, `1,234 messages`. */
export function countText(count: number, one: string, many = `${one}s`): string {
  return `${numberText(count)} ${count === 1 ? one : many}`
}

/** `1.5 MiB`. */
export function bytesText(bytes: number): string {
  let [value, unit] = [bytes, 0]
  for (; value >= 1024 && unit < BYTE_UNITS.length - 1; unit++) value /= 1024
  return `${value.toFixed(unit === 0 || value >= 100 ? 0 : 1)} ${BYTE_UNITS[unit] ?? ''}`
}

/** The two largest units: `2 h 3 min`. */
export function durationText(seconds: number): string {
  let rest = Math.max(0, Math.round(seconds))
  const first = DURATION_UNITS.findIndex(([, length]) => rest >= length)
  if (first === -1) return '0 s'
  const parts = DURATION_UNITS.slice(first, first + 2).map(([unit, length]) => {
    const count = Math.floor(rest / length)
    rest -= count * length
    return count === 0 ? '' : `${count} ${unit}`
  })
  return parts.filter((part) => part !== '').join(' ')
}

/** `43 %`; what is not nothing is never shown as nothing, and what is not full never as full. */
export function percentText(share: number): string {
  const percent = Math.round(share * 100)
  if (share > 0 && percent === 0) return '< 1 %'
  return `${share < 1 ? Math.min(99, percent) : percent} %`
}

/** `18:05:09`, in the time zone of the reader. */
export function clockText(wallMs: number): string {
  return new Date(wallMs).toLocaleTimeString('en-GB')
}

/** `17`, or `17 to 19`. */
export function rangeText({ first, last }: { readonly first: number; readonly last: number }): string {
  return first === last ? numberText(first) : `${numberText(first)} to ${numberText(last)}`
}
