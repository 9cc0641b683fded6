/** Tables of text, as wide as the terminal allows. */

export interface Column {
  readonly title: string
  /** Numbers stand to the right, where their digits meet. */
  readonly isNumber?: boolean
  /** May be cut when the terminal is narrow. */
  readonly isElastic?: boolean
}

const GAP = '  '
/** An elastic column is not cut below this. */
const ELASTIC_WIDTH_MIN = 8

/** Characters of a text; one that needs two places is taken for one. */
const charactersOf = (text: string): string[] => Array.from(text)
const widthOf = (text: string): number => charactersOf(text).length

function cut(text: string, width: number): string {
  const characters = charactersOf(text)
  return characters.length <= width ? text : `${characters.slice(0, Math.max(0, width - 1)).join('')}…`
}

function widthsOf(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  total: number | undefined
): number[] {
  const widths = columns.map(({ title }, index) =>
    rows.reduce((width, row) => Math.max(width, widthOf(row[index] ?? '')), widthOf(title))
  )
  if (total === undefined) return widths
  let excess = widths.reduce((sum, width) => sum + width, GAP.length * (widths.length - 1)) - total
  const elastic = columns.map((column, index) => ({ column, index })).filter(({ column }) => column.isElastic === true)
  while (excess > 0) {
    // The widest gives first: the others may then stay whole.
    const widest = elastic.reduce<number | undefined>(
      (best, { index }) => (best === undefined || (widths[index] ?? 0) > (widths[best] ?? 0) ? index : best),
      undefined
    )
    const width = widest === undefined ? 0 : (widths[widest] ?? 0)
    if (widest === undefined || width <= ELASTIC_WIDTH_MIN) break
    widths[widest] = width - 1
    excess -= 1
  }
  return widths
}

/**
 * Lines of a table with its head, without colours or frames, so that other tools can read it.
 * @param total columns of the terminal; undefined: as wide as it gets
 */
export function tableText(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  total: number | undefined
): string {
  const widths = widthsOf(columns, rows, total)
  const line = (cells: readonly string[]): string => {
    const parts = columns.map(({ isNumber }, index) => {
      const width = widths[index] ?? 0
      const text = cut(cells[index] ?? '', width)
      const blanks = ' '.repeat(Math.max(0, width - widthOf(text)))
      return isNumber === true ? `${blanks}${text}` : `${text}${blanks}`
    })
    return `${parts.join(GAP).trimEnd()}\n`
  }
  return [columns.map(({ title }) => title), ...rows].map(line).join('')
}

/** Breaks a text into lines of at most `width` characters, at blanks; a longer word stays whole. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}
