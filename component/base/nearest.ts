/** Number of insertions, deletions, replacements and swaps of neighbours that lead from one word to the other. */
function distance(left: string, right: string): number {
  const rows: number[][] = []
  for (let i = 0; i <= left.length; i++) {
    const row: number[] = []
    for (let j = 0; j <= right.length; j++) {
      if (i === 0 || j === 0) {
        row.push(i + j)
        continue
      }
      const replaced = (rows[i - 1]?.[j - 1] ?? 0) + (left[i - 1] === right[j - 1] ? 0 : 1)
      let best = Math.min((rows[i - 1]?.[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, replaced)
      if (left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1])
        best = Math.min(best, (rows[i - 2]?.[j - 2] ?? best) + 1)
      row.push(best)
    }
    rows.push(row)
  }
  return rows[left.length]?.[right.length] ?? 0
}

/** Longer words are no slips of the finger. */
const WORD_CHARS_MAX = 64

/** The known word that was probably meant; undefined when none is near. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  if (word.length > WORD_CHARS_MAX) return undefined
  const lower = word.toLowerCase()
  const ranked = known
    .map((candidate) => ({ candidate, steps: distance(lower, candidate.toLowerCase()) }))
    .sort((left, right) => left.steps - right.steps)
  const [best] = ranked
  return best !== undefined && best.steps <= Math.max(1, Math.floor(word.length / 3)) ? best.candidate : undefined
}

/** ` (did you mean "x"?)`, or nothing. */
export function hintFor(word: string, known: readonly string[]): string {
  const near = nearest(word, known)
  return near === undefined ? '' : ` (did you mean ${JSON.stringify(near)}?)`
}
