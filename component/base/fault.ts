/**
 * A fault of the surroundings: a full disk, an unreachable endpoint, a failed system call. It is thrown where it happens
 * and translated at one edge; `message` is a sentence for an operator.
 */
export class Fault extends Error {
  override readonly name = 'Fault'

  constructor(message: string, cause?: unknown) {
    super(message, { cause })
  }
}

/** The text of anything thrown, for a log field or an errorMessage. */
export function describeError(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
