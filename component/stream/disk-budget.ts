import type { Logger } from '../base/log.ts'
import type { StreamDefinition } from '../model/stream-definition.ts'

/** One stream as its share of the budget sees it. */
export interface BudgetMember {
  /** Bytes of its records. */
  readonly storedBytes: number
  /** What it gives way to: lower ranks, see `rankOf`. */
  readonly rank: number
  /** Wall clock of the newest message in the segment it would drop; undefined when it may drop none. */
  readonly droppableIngestMs: number | undefined
  dropOldest(): void
}

/** What one stream may do about the budget. */
export interface BudgetShare {
  /** To be called when the bytes of the stream have changed. */
  changed(): void
  /** What is short when so many bytes more were stored, as a sentence; undefined when they fit. */
  shortage(bytes: number): string | undefined
  /** Has one stream drop its oldest segment. @returns false when none may that ranks as low as this one, or lower */
  makeRoom(): boolean
  leave(): void
}

/** A bound on the records of all file streams together. */
export interface DiskBudget {
  join(member: BudgetMember): BudgetShare
}

/** Rank of streams that no enabled export needs: behind the lowest priority, 10. */
const RANK_WITHOUT_EXPORT = 11
/** Absent is last (protocol 5.8). */
const PRIORITY_LAST = 10

/** The best priority of a stream's enabled exports, 1 to 10; 11 without any. */
export function rankOf({ exports }: StreamDefinition): number {
  const priorities = exports.filter(({ disabled }) => disabled !== true).map(({ priority = PRIORITY_LAST }) => priority)
  return Math.min(RANK_WITHOUT_EXPORT, ...priorities)
}

/**
 * @param bytesMax of all records together
 * @param logger told of every refusal; it bounds repeats
 */
export function createDiskBudget(bytesMax: number, logger: Logger): DiskBudget {
  /** Members with the bytes that are counted for them. */
  const members = new Map<BudgetMember, number>()
  let used = 0

  const count = (member: BudgetMember, bytes: number): void => {
    used += bytes - (members.get(member) ?? 0)
    members.set(member, bytes)
  }

  /** Who gives way first: the lowest priority, and of equal ones the oldest data. */
  const givesWayBefore = (left: BudgetMember, right: BudgetMember): boolean =>
    left.rank === right.rank
      ? (left.droppableIngestMs ?? Infinity) < (right.droppableIngestMs ?? Infinity)
      : left.rank > right.rank

  const warn = (): void =>
    logger.warn('Appends are refused because the streams have used up their space', { used, bytesMax })

  return {
    join(member) {
      count(member, member.storedBytes)
      return {
        changed: () => count(member, member.storedBytes),
        shortage(bytes) {
          if (used + bytes <= bytesMax) return undefined
          return `no space left for message streams: ${used} of ${bytesMax} bytes are in use`
        },
        makeRoom() {
          let chosen: BudgetMember | undefined
          for (const candidate of members.keys()) {
            if (candidate.rank < member.rank || candidate.droppableIngestMs === undefined) continue
            if (chosen === undefined || givesWayBefore(candidate, chosen)) chosen = candidate
          }
          if (chosen === undefined) {
            warn()
            return false
          }
          chosen.dropOldest()
          count(chosen, chosen.storedBytes)
          return true
        },
        leave() {
          count(member, 0)
          members.delete(member)
        }
      }
    }
  }
}
