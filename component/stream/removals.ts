import { REMOVAL_CAUSES, type Removal, type RemovalCause } from '../model/removal.ts'

/**
 * What retention has removed from one stream, and why. Exports that had not got there count their losses by it.
 *
 * It is saved with the log's state, in the same commit, so that after a crash both know the same removals. What is missing
 * from a log and not listed here was lost to damage.
 */
export interface Removals {
  /** Oldest first, without overlap; neighbours of one cause are one. Before the first one, the causes are forgotten. */
  readonly list: readonly Removal[]
  /** Numbers removed since the stream was made, by cause. */
  readonly totals: Readonly<Record<RemovalCause, number>>
  /** Record bytes removed since the start of the server. */
  readonly bytes: number
  /** @param bytes of the records removed */
  add(removal: Removal, bytes: number): void
}

/** Changes of cause that are remembered; beyond it the two oldest removals become one, under the later one's cause. */
const REMOVALS_MAX = 32

/**
 * @param remembered the catalogue's value, if there is one
 * @param save called with the new value after each change
 */
export function createRemovals(remembered: Buffer | undefined, save: (value: Buffer) => void): Removals {
  let { list, totals } = decode(remembered)
  let bytes = 0
  return {
    get list() {
      return list
    },
    get totals() {
      return totals
    },
    get bytes() {
      return bytes
    },
    add(removal, removedBytes) {
      bytes += removedBytes
      totals = { ...totals, [removal.cause]: totals[removal.cause] + removal.below - removal.from }
      list = joined(list, removal)
      save(encode(list, totals))
    }
  }
}

function joined(list: readonly Removal[], removal: Removal): readonly Removal[] {
  const last = list.at(-1)
  if (last?.cause === removal.cause && last.below === removal.from)
    return [...list.slice(0, -1), { ...last, below: removal.below }]
  const [first, second, ...rest] = list
  if (list.length < REMOVALS_MAX || first === undefined || second === undefined) return [...list, removal]
  return [{ ...second, from: first.from }, ...rest, removal]
}

type Memory = Pick<Removals, 'list' | 'totals'>

/** `[total of each cause…, [from, below, cause], …]`, totals and causes by their place in REMOVAL_CAUSES. */
function encode(list: readonly Removal[], totals: Removals['totals']): Buffer {
  const entries = list.map(({ from, below, cause }) => [from, below, REMOVAL_CAUSES.indexOf(cause)])
  return Buffer.from(JSON.stringify([...REMOVAL_CAUSES.map((cause) => totals[cause]), ...entries]))
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

/** Causes that the first records know: the totals of the others are not in them. */
const FIRST_CAUSES = 2

/** A value that cannot be read counts as absent. */
function decode(value: Buffer | undefined): Memory {
  const nothing: Memory = { list: [], totals: { overwritten: 0, expired: 0, reclaimed: 0, evicted: 0 } }
  if (value === undefined) return nothing
  let parsed: unknown
  try {
    parsed = JSON.parse(value.toString())
  } catch {
    return nothing
  }
  if (!Array.isArray(parsed)) return nothing
  const values = parsed as unknown[]
  const counts = values.filter((value) => !Array.isArray(value))
  const entries = values.slice(counts.length)
  if (counts.length !== FIRST_CAUSES && counts.length !== REMOVAL_CAUSES.length) return nothing
  if (!counts.every(isCount) || entries.length > REMOVALS_MAX) return nothing
  const [overwritten = 0, expired = 0, reclaimed = 0, evicted = 0] = counts
  const list: Removal[] = []
  for (const entry of entries) {
    const [from, below, place] = Array.isArray(entry) ? (entry as unknown[]) : []
    const cause = isCount(place) ? REMOVAL_CAUSES[place] : undefined
    if (!isCount(from) || !isCount(below) || cause === undefined) return nothing
    if (below <= from || from < (list.at(-1)?.below ?? 0)) return nothing
    list.push({ from, below, cause })
  }
  return { list, totals: { overwritten, expired, reclaimed, evicted } }
}
