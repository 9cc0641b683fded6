import { REMOVAL_CAUSES, type Removal } from '../model/removal.ts'

/*
 * What became of every message that one export is concerned with. The account is kept in sequence numbers and moves with
 * the position, in the same record: whatever a crash takes back, it takes back of both. So these sums are equal at any
 * time:
 *
 *     exported + skipped + dropped + waiting = numbers from `origin` up to the next one to be given
 *
 * A message counts once, however often it was sent: when the position passes it. A replay takes the position back to
 * messages that count already; it opens a new account there. What the old one said is history that the log has told.
 */

/** Why messages were lost to an export before it got to them; `damaged` is also what a power cut took. */
export const DROP_CAUSES = [...REMOVAL_CAUSES, 'damaged'] as const
export type DropCause = (typeof DROP_CAUSES)[number]

/** Messages with the same fate. Neighbours of one reason are one range. */
export interface AccountRange {
  readonly first: number
  readonly last: number
  /** How many of them; fewer than the numbers when other fates lie between. */
  readonly count: number
  /** Text for skipped messages, a DropCause for dropped ones. */
  readonly reason: string
}

/** What became of the messages from `origin` up to the position. */
export interface Account {
  /** The first number that counts: where the export began, or was sent back to. */
  readonly origin: number
  /** The destination has accepted them. */
  readonly exported: number
  /** The destination can never accept them, or a changed startSequenceNumber has passed them over. */
  readonly skipped: number
  /** They were gone before the export got to them. */
  readonly dropped: Readonly<Record<DropCause, number>>
  /** The last ones, oldest first. */
  readonly skippedRanges: readonly AccountRange[]
  readonly droppedRanges: readonly AccountRange[]
  /** How often a changed startSequenceNumber has opened a new account. */
  readonly replays: number
}

/** Why messages were skipped that somebody did not want any more: it needs no attention. */
export const PASSED_OVER = 'passed over by a changed startSequenceNumber'

/** Ranges that are remembered, of each sort: the account is saved with every batch. */
const RANGES_MAX = 16
/** Text of a reason that is remembered. */
const REASON_CHARS_MAX = 160

/** What became of one message. */
export type Fate =
  | { readonly kind: 'exported' }
  | { readonly kind: 'skipped'; readonly reason: string }
  /** A task that was cancelled because its time to live was over. */
  | { readonly kind: 'expired' }

/** Neighbouring numbers with the same fate. */
export interface FateRange {
  readonly first: number
  readonly last: number
  readonly fate: Fate
}

/** The range of one number. */
export const fateOf = (number: number, fate: Fate): FateRange => ({ first: number, last: number, fate })

export function openAccount(origin: number, replays: number): Account {
  return {
    origin,
    exported: 0,
    skipped: 0,
    dropped: { overwritten: 0, expired: 0, reclaimed: 0, evicted: 0, damaged: 0 },
    skippedRanges: [],
    droppedRanges: [],
    replays
  }
}

export function withExported(account: Account, count: number): Account {
  return count === 0 ? account : { ...account, exported: account.exported + count }
}

/** @param first first number; @param last last one; all of them are skipped */
export function withSkipped(account: Account, first: number, last: number, reason: string): Account {
  const count = last - first + 1
  const range = { first, last, count, reason: reason.slice(0, REASON_CHARS_MAX) }
  return { ...account, skipped: account.skipped + count, skippedRanges: joined(account.skippedRanges, range) }
}

export function withDropped(account: Account, first: number, last: number, cause: DropCause): Account {
  const count = last - first + 1
  const { dropped, droppedRanges } = account
  return {
    ...account,
    dropped: { ...dropped, [cause]: dropped[cause] + count },
    droppedRanges: joined(droppedRanges, { first, last, count, reason: cause })
  }
}

/** When there is no room, neighbours in time of one reason become one range; the oldest is forgotten if there are none. */
function joined(ranges: readonly AccountRange[], range: AccountRange): readonly AccountRange[] {
  const last = ranges.at(-1)
  const isFull = ranges.length >= RANGES_MAX
  if (last?.reason === range.reason && (isFull || last.last + 1 === range.first))
    return [...ranges.slice(0, -1), { ...last, last: range.last, count: last.count + range.count }]
  return [...(isFull ? ranges.slice(1) : ranges), range]
}

/** What was lost on the way over a stretch of numbers. */
export interface Loss {
  readonly first: number
  readonly last: number
  readonly cause: DropCause
}

/** How an account changes when the position moves. */
export interface Passage {
  readonly account: Account
  readonly losses: readonly Loss[]
}

/**
 * Accounts for the numbers from `from` up to, without, `below`. Numbers without a fate are lost: for the reason that
 * `removals` gives, else to damage. Those below the origin do not count.
 * @param fates ascending, without overlap
 */
export function pass(
  before: Account,
  from: number,
  below: number,
  fates: Iterable<FateRange>,
  removals: readonly Removal[]
): Passage {
  let account = before
  let losses: readonly Loss[] = []
  let at = Math.max(from, account.origin)
  let exported = 0
  const lose = (until: number): void => {
    if (until <= at) return
    const lost = lossesIn(at, until, removals)
    losses = [...losses, ...lost]
    for (const { first, last, cause } of lost) account = withDropped(account, first, last, cause)
  }
  for (const { fate, ...range } of fates) {
    const first = Math.max(range.first, at)
    const last = Math.min(range.last, below - 1)
    if (first > last) continue
    lose(first)
    at = last + 1
    if (fate.kind === 'exported') exported += last - first + 1
    else if (fate.kind === 'skipped') account = withSkipped(account, first, last, fate.reason)
    else account = withDropped(account, first, last, 'expired')
  }
  lose(below)
  return { account: withExported(account, exported), losses }
}

/**
 * Accounts for the numbers from `from` up to, without, `below`, of which those without a fate are skipped.
 * @param fates ascending, without overlap
 */
export function passOver(
  before: Account,
  from: number,
  below: number,
  fates: Iterable<FateRange>,
  reason: string
): Account {
  let account = before
  let at = Math.max(from, account.origin)
  const skip = (until: number): void => {
    if (until > at) account = withSkipped(account, at, until - 1, reason)
  }
  for (const range of fates) {
    const first = Math.max(range.first, at)
    const until = Math.min(range.last + 1, below)
    if (first >= until) continue
    skip(first)
    account = pass(account, first, until, [range], []).account
    at = until
  }
  skip(below)
  return account
}

function lossesIn(from: number, below: number, removals: readonly Removal[]): Loss[] {
  const losses: Loss[] = []
  let at = from
  const lose = (until: number, cause: DropCause): void => {
    if (until <= at) return
    losses.push({ first: at, last: until - 1, cause })
    at = until
  }
  for (const removal of removals) {
    if (removal.below <= at || removal.from >= below) continue
    lose(removal.from, 'damaged')
    lose(Math.min(removal.below, below), removal.cause)
  }
  lose(below, 'damaged')
  return losses
}

/** Number of messages in an account. */
export function droppedCount({ dropped }: Account): number {
  return DROP_CAUSES.reduce((sum, cause) => sum + dropped[cause], 0)
}

/** An account with what lies ahead of the position. */
export interface Accounting extends Account {
  /** The position: the first number that is neither exported nor lost. */
  readonly position: number
  /** Numbers that are still to be exported; damage among them shows only when the export gets there. */
  readonly waiting: number
}

/**
 * @param ahead fates of messages behind an open one, at or above the position
 * @param next the next number to be given
 */
export function accountingOf(account: Account, position: number, ahead: Iterable<Fate>, next: number): Accounting {
  let { exported, skipped } = account
  let count = 0
  for (const fate of ahead) {
    count += 1
    if (fate.kind === 'exported') exported += 1
    else if (fate.kind === 'skipped') skipped += 1
  }
  const waiting = Math.max(0, next - Math.max(position, account.origin) - count)
  return { ...account, exported, skipped, position, waiting }
}
