/** A broken invariant of this program. It ends the process: it is never turned into a status code. */
export class BrokenInvariant extends Error {
  override readonly name = 'BrokenInvariant'
}

/**
 * Checks an invariant; active in production.
 * @throws BrokenInvariant when `condition` is false
 */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new BrokenInvariant(message)
}

/** Marks a place that the types say cannot be reached. */
export function unreachable(value: never): never {
  throw new BrokenInvariant(`unreachable value: ${String(value)}`)
}
