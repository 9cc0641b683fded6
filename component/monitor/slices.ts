import { nextTurn } from '../base/turn.ts'

/*
 * The monitor looks at thousands of streams, and clients must not wait for that: it works in slices of a few milliseconds,
 * with a turn of the event loop after each.
 */

/** Ends the slice: resolves when the next one may begin. */
export type Turn = () => Promise<void>

/** Streams and exports that are looked at in one turn. */
export const SLICE_ITEMS = 100
/** Characters of an answer that are written in one turn. */
export const SLICE_CHARS = 16_384

/** Gives the slices of all computations a turn each, one after the other. */
export function createTurns(next: Turn = nextTurn): Turn {
  let last = Promise.resolve()
  return () => (last = last.then(next))
}

/** The turns of all that the monitor does. */
export const monitorTurn = createTurns()

/** @returns a function that counts items done, and says whether it is time for a turn */
export function createSlice(): (items: number) => boolean {
  let done = 0
  return (items) => {
    done += items
    if (done < SLICE_ITEMS) return false
    done = 0
    return true
  }
}

/** The pieces in UTF-8, made and encoded in slices. */
export async function encodeInSlices(pieces: Iterable<string>, turn: Turn): Promise<readonly Buffer[]> {
  const slices: Buffer[] = []
  let text = ''
  for (const piece of pieces) {
    text += piece
    if (text.length < SLICE_CHARS) continue
    slices.push(Buffer.from(text))
    text = ''
    await turn()
  }
  slices.push(Buffer.from(text))
  return slices
}

/** What `JSON.stringify` makes of an object, with the items of its arrays one by one. No member may be undefined. */
export function* jsonPieces(value: object): Generator<string> {
  let before = '{'
  for (const [key, member] of Object.entries(value) as readonly [string, unknown][]) {
    yield `${before}${JSON.stringify(key)}:`
    before = ','
    if (!Array.isArray(member)) {
      yield JSON.stringify(member)
      continue
    }
    yield '['
    for (const [index, item] of member.entries()) yield `${index === 0 ? '' : ','}${JSON.stringify(item)}`
    yield ']'
  }
  yield before === '{' ? '{}' : '}'
}
