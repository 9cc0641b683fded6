/** How far a client has got: its place may be taken from it until it is admitted. */
export type Standing = 'silent' | 'being judged' | 'admitted' | 'refused'

/** Somebody who has a place. */
export interface Guest {
  readonly standing: Standing
  /** Tells a silent one that there is no room; it is `refused` from then on. */
  refuse(): void
  /** Ends a refused one at once, whether it has left or not. */
  cut(): void
}

/**
 * The places for connections. Whoever says nothing has a place only as long as nobody else needs it: a process without a
 * token can then keep no client out, however many connections it opens.
 */
export interface Places {
  /** Lets somebody in who has said nothing yet. When there is no room the oldest silent one is refused instead of it. */
  enter(guest: Guest): void
  leave(guest: Guest): void
}

/**
 * @param max guests that are served, or may come to be
 * @param refusedMax guests that have been refused and do not leave; then the first of them is cut
 */
export function createPlaces(max: number, refusedMax: number): Places {
  /** In the order of arrival. */
  const guests = new Set<Guest>()

  const makeRoom = (): void => {
    let refusedCount = 0
    let oldestSilent: Guest | undefined
    let oldestRefused: Guest | undefined
    for (const guest of guests) {
      const { standing } = guest
      if (standing === 'silent') oldestSilent ??= guest
      if (standing !== 'refused') continue
      oldestRefused ??= guest
      refusedCount += 1
    }
    if (guests.size - refusedCount > max) {
      oldestSilent?.refuse()
      refusedCount += 1
    }
    if (refusedCount <= refusedMax || oldestRefused === undefined) return
    guests.delete(oldestRefused)
    oldestRefused.cut()
  }

  return {
    enter(guest) {
      guests.add(guest)
      if (guests.size > max) makeRoom()
    },
    leave(guest) {
      guests.delete(guest)
    }
  }
}
