import { assert } from '../base/assert.ts'
import type { Turn } from './turn.ts'

/**
 * The open requests of one connection. Answers leave as they come, but those to equal request ids leave in the order of
 * their requests: a JavaScript client uses one id for everything (behaviour 3.9 Q2). Ids count as equal when their
 * hashes are, which for different ones costs nothing but an order that nobody asked for.
 */
export interface Answers {
  /** Takes in a request. */
  open(turn: Turn): void
  /** The answer is there, once per request: it leaves now, or behind those that must leave first. */
  answered(turn: Turn): void
  readonly openCount: number
  /** The time from which the first deadline of all open requests counts. */
  oldestWithDeadlineMs(): number | undefined
}

/** A power of two; at most 256 requests are open at a time. */
const PLACES = 64

/** Without requests. */
export function createAnswers(): Answers {
  /** Open requests by the hashes of their ids, in each place the latest first. */
  const places = new Array<Turn | undefined>(PLACES).fill(undefined)
  let openCount = 0

  const placeOf = ({ idHash }: Turn): number => (idHash ^ (idHash >>> 6)) & (PLACES - 1)

  const forget = (turn: Turn): void => {
    const place = placeOf(turn)
    let other = places[place]
    if (other === turn) {
      places[place] = turn.neighbour
    } else {
      while (other !== undefined && other.neighbour !== turn) other = other.neighbour
      if (other !== undefined) other.neighbour = turn.neighbour
    }
    openCount -= 1
  }

  return {
    open(turn) {
      const place = placeOf(turn)
      const first = places[place]
      let latest = first
      while (latest !== undefined && latest.idHash !== turn.idHash) latest = latest.neighbour
      if (latest !== undefined) {
        turn.previous = latest
        latest.following = turn
      }
      turn.neighbour = first
      places[place] = turn
      openCount += 1
    },
    answered(answered) {
      assert(!answered.isAnswered, 'a request is answered once')
      answered.isAnswered = true
      if (answered.previous !== undefined) return
      for (let turn: Turn | undefined = answered; turn?.isAnswered === true; turn = turn.following) {
        forget(turn)
        if (turn.following !== undefined) turn.following.previous = undefined
        turn.leave()
      }
    },
    get openCount() {
      return openCount
    },
    oldestWithDeadlineMs() {
      if (openCount === 0) return undefined
      let oldestMs = Infinity
      for (const first of places) {
        for (let turn = first; turn !== undefined; turn = turn.neighbour) oldestMs = Math.min(oldestMs, turn.startedMs)
      }
      return oldestMs === Infinity ? undefined : oldestMs
    }
  }
}
