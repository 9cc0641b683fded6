import type { Account, AccountRange } from './account.ts'

/** An account as a part of the catalogue's JSON: numbers in a fixed order, the ranges, and numbers that came later. */
export function encodeAccount(account: Account): readonly unknown[] {
  const { origin, exported, skipped, dropped, replays, skippedRanges, droppedRanges } = account
  const { overwritten, expired, damaged, reclaimed, evicted } = dropped
  return [
    origin,
    exported,
    skipped,
    overwritten,
    expired,
    damaged,
    replays,
    skippedRanges.map(encodeRange),
    droppedRanges.map(encodeRange),
    reclaimed,
    evicted
  ]
}

const encodeRange = ({ first, last, count, reason }: AccountRange): readonly unknown[] => [first, last, count, reason]

const COUNTS = 7
/** Counts and ranges that every account has. */
const MEMBERS = 9
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

/** The account in a part of the catalogue's JSON; undefined when it cannot be read: then a new one is opened. */
export function decodeAccount(value: unknown): Account | undefined {
  if (!Array.isArray(value)) return undefined
  const counts = (value as unknown[]).slice(0, COUNTS)
  const [skippedRanges, droppedRanges] = [decodeRanges(value[COUNTS]), decodeRanges(value[COUNTS + 1])]
  if (counts.length < COUNTS || !counts.every(isCount)) return undefined
  if (skippedRanges === undefined || droppedRanges === undefined) return undefined
  const later = (value as unknown[]).slice(MEMBERS)
  if (!later.every(isCount)) return undefined
  const [reclaimed = 0, evicted = 0] = later
  const [origin = 0, exported = 0, skipped = 0, overwritten = 0, expired = 0, damaged = 0, replays = 0] = counts
  return {
    origin,
    exported,
    skipped,
    dropped: { overwritten, expired, reclaimed, evicted, damaged },
    skippedRanges,
    droppedRanges,
    replays
  }
}

function decodeRanges(value: unknown): AccountRange[] | undefined {
  if (!Array.isArray(value)) return undefined
  const ranges: AccountRange[] = []
  for (const entry of value as unknown[]) {
    const [first, last, count, reason] = Array.isArray(entry) ? (entry as unknown[]) : []
    if (!isCount(first) || !isCount(last) || !isCount(count) || typeof reason !== 'string') return undefined
    ranges.push({ first, last, count, reason })
  }
  return ranges
}
