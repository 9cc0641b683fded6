import { numberText } from '../../base/quantities.ts'

/** How the page writes shares, times and ranges. */

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
