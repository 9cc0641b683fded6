import { KIB, MIB } from './limits.ts'

/** Resolves in the next turn of the event loop, after I/O that is ready: lets a long computation be done in steps. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** So much of a large answer is read, copied or sent at once: it takes a tenth of a millisecond or two. */
export const SLICE_BYTES: number = 256 * KIB

/** An answer up to this size is made and sent at once, in a millisecond or two: pauses would cost a third more of CPU. */
export const WHOLE_ANSWER_BYTES_MAX: number = 2 * MIB

/** Those who wait for their next slice, the first of them first. */
const waiting: (() => void)[] = []

function giveSlice(): void {
  waiting.shift()?.()
  if (waiting.length > 0) setImmediate(giveSlice)
}

/**
 * Resolves in a later turn of the event loop, in turn with everybody else who does so: one of them goes on in each turn.
 * However many large answers are under way, small requests wait for a single slice of them.
 */
export function nextSlice(): Promise<void> {
  if (waiting.length === 0) setImmediate(giveSlice)
  return new Promise((resolve) => waiting.push(resolve))
}
